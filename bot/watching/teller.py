"""Tells one thread what it does not know yet, and records what it was told.

Each thing is recorded right after it is posted, so a process that dies between the two says it once more at worst;
what was recorded is never said again.
"""

import structlog

from bot.errors import SlackError, SlackLimited
from bot.messenger import CHANNEL_GONE, MESSAGE_GONE, Messenger
from bot.models.build import Build, Change
from bot.models.slack import Thread, Watch
from bot.store import Store
from formatters import replies, root
from formatters.blocks import Message
from formatters.links import Links

log = structlog.get_logger(__name__)


class Teller:
    """All its methods return the watch as it is recorded; they raise SlackError when Slack takes nothing."""

    def __init__(self, messenger: Messenger, store: Store, links: Links) -> None:
        self._messenger = messenger
        self._store = store
        self._links = links

    async def root(self, watch: Watch, build: Build | None, *, note: str = "", final: bool = False) -> Watch:
        """Post the root message, or edit it where it stands; an unchanged one costs nothing."""
        message = root.root(build, watch, self._links, note=note or watch.note, final=final)
        if watch.root_ts is None:
            return await self._post_root(watch, message)
        if message.digest == watch.root_digest:
            return watch
        try:
            shown = await self._messenger.update(watch.thread.channel_id, watch.root_ts, message, urgent=final)
        except SlackError as error:
            if error.code in MESSAGE_GONE:
                return await self._post_root(watch, message)
            if error.code not in CHANNEL_GONE:
                raise
            return await self._post_root(await self._move(watch, error), message)
        return await self._save(watch, root_digest=message.digest) if shown else watch

    async def changes(self, watch: Watch, build: Build, found: list[Change]) -> Watch:
        """Post one reply for all changes of this look."""
        if not found:
            return watch
        watch = await self.reply(watch, replies.changes(build, found, watch, self._links))
        return await self._store.save_watch(watch.with_told(*(change.key for change in found)))

    async def once(self, watch: Watch, key: str, message: Message) -> Watch:
        """Post a reply that bears `key`, unless this thread was told it."""
        if key in watch.told:
            return watch
        watch = await self.reply(watch, message)
        return await self._store.save_watch(watch.with_told(key))

    async def reply(self, watch: Watch, message: Message) -> Watch:
        """Post into the watch's thread; where its channel is gone, into a direct message to the asker."""
        try:
            await self._messenger.post(watch.thread.channel_id, message, thread_ts=watch.reply_ts)
        except SlackError as error:
            if error.code not in CHANNEL_GONE:
                raise
            watch = await self._move(watch, error)
            await self._messenger.post(watch.thread.channel_id, message, thread_ts=watch.reply_ts)
        return watch

    async def _post_root(self, watch: Watch, message: Message) -> Watch:
        thread = watch.thread
        try:
            ts = await self._messenger.post(thread.channel_id, message, thread_ts=thread.thread_ts)
        except SlackError as error:
            if error.code not in CHANNEL_GONE or watch.moved_to_direct:
                raise
            return await self._post_root(await self._move(watch, error), message)
        return await self._save(watch, root_ts=ts, root_digest=message.digest)

    async def _move(self, watch: Watch, error: SlackError) -> Watch:
        """Go on in a direct message to the asker, told once why."""
        if watch.moved_to_direct or isinstance(error, SlackLimited):
            raise error
        log.warning("channel_gone", channel=watch.thread.channel_id, code=error.code, method=error.method)
        channel_id, ts = await self._messenger.direct(watch.asker_id, replies.moved(watch, error.code))
        thread = Thread(channel_id=channel_id, thread_ts=ts)
        return await self._save(watch, thread=thread, root_ts=None, root_digest="", moved_to_direct=True)

    async def _save(self, watch: Watch, **changed: object) -> Watch:
        return await self._store.save_watch(watch.model_copy(update=changed))
