"""Tells one thread what it does not know yet, and records what it was told.

A post is recorded with a mark before it is sent, and as told after it: what a dying process leaves between the two is
looked for in Slack by its mark, where the bot may read. What was recorded as told is never said again.
"""

import secrets
from typing import Literal

import structlog

from bot import metrics
from bot.errors import SlackError, SlackLimited
from bot.messenger import CHANNEL_GONE, MESSAGE_GONE, Messenger
from bot.models.build import Build, Change
from bot.models.caller import Place
from bot.models.slack import Saying, Watch
from bot.store.watches import Watches
from bot.watching.operator import Operator
from formatters import replies, root
from formatters.blocks import Message
from formatters.links import Links

log = structlog.get_logger(__name__)


class Teller:
    """All its methods return the watch as it is recorded; they raise SlackError when Slack takes nothing."""

    def __init__(self, messenger: Messenger, watches: Watches, links: Links, operator: Operator) -> None:
        self._operator = operator
        self._messenger = messenger
        self._watches = watches
        self._links = links

    async def root(self, watch: Watch, build: Build | None, *, note: str = "", final: bool = False) -> Watch:
        """Post the root message, or edit it where it stands; an unchanged one costs nothing."""
        watch = await self._settled(watch)
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
        watch = await self._settled(watch)
        new = [change for change in found if change.key not in watch.told]
        if not new:
            return watch
        told = tuple(change.key for change in new)
        return await self._reply(watch, replies.changes(build, new, watch, self._links), told, polite=True)

    async def once(self, watch: Watch, key: str, message: Message, *also: str) -> Watch:
        """Post a reply that bears `key`, unless this thread was told it; it tells all that `also` names as well."""
        watch = await self._settled(watch)
        if key in watch.told:
            return watch
        return await self._reply(watch, message, (key, *also))

    async def final(self, watch: Watch, key: str, message: Message, failure: str) -> Watch:
        """Post the final reply that bears `key`, unless this thread was told it; `failure` names what failed."""
        watch = await self._settled(watch)
        if key in watch.told:
            return watch
        return await self._reply(watch, message, (key,), failure=failure)

    async def complete(self, watch: Watch, key: str, message: Message | None) -> Watch:
        """Write the final reply anew where it stands, once: what earlier builds tell is read after it was posted.

        Without a `message` it may stay as it is.
        """
        if key in watch.told or watch.final_ts is None:
            return watch
        if message is not None:
            await self._rewrite(watch.thread.channel_id, watch.final_ts, message)
        return await self._save(watch, told=watch.with_told(key).told)

    async def over(self, watch: Watch, key: str, message: Message) -> Watch:
        """Post a reply that ends what the reply `key` began, unless that was never told."""
        watch = await self._settled(watch)
        if key not in watch.told:
            return watch
        return await self._reply(watch, message, untold=(key,))

    async def _reply(
        self,
        watch: Watch,
        message: Message,
        told: tuple[str, ...] = (),
        *,
        untold: tuple[str, ...] = (),
        polite: bool = False,
        failure: str | None = None,
    ) -> Watch:
        """Post into the watch's thread; where its channel is gone, into a direct message to the asker.

        With `failure` it is the final reply, and that what failed.
        """
        role: Literal["reply", "final"] = "reply" if failure is None else "final"
        saying = Saying(role=role, thread=_thread(watch), told=told, untold=untold, failure=failure or "", mark=_mark())
        try:
            return await self._say(watch, message, saying, polite=polite)
        except SlackError as error:
            if error.code not in CHANNEL_GONE:
                raise
            watch = await self._move(watch, error)
            return await self._say(watch, message, saying.model_copy(update={"thread": _thread(watch)}))

    async def _post_root(self, watch: Watch, message: Message) -> Watch:
        saying = Saying(role="root", thread=watch.thread, digest=message.digest, mark=_mark())
        try:
            return await self._say(watch, message, saying)
        except SlackError as error:
            if error.code not in CHANNEL_GONE or watch.moved_to_direct:
                raise
            return await self._post_root(await self._move(watch, error), message)

    async def _move(self, watch: Watch, error: SlackError) -> Watch:
        """Go on in a direct message to the asker, told once why."""
        if watch.moved_to_direct or isinstance(error, SlackLimited):
            raise error
        await self._operator.channel_gone(watch.thread.channel_id, error.code)
        there = Place(channel_id=await self._messenger.direct_channel(watch.follower_id))
        return await self._say(
            watch, replies.moved(watch, error.code), Saying(role="moved", thread=there, mark=_mark())
        )

    async def _rewrite(self, channel_id: str, ts: str, message: Message) -> None:
        try:
            await self._messenger.update(channel_id, ts, message, urgent=True)
        except SlackError as error:
            if error.code not in MESSAGE_GONE:
                raise
            log.info("reply_gone", channel=channel_id, code=error.code)

    async def _say(self, watch: Watch, message: Message, saying: Saying, *, polite: bool = False) -> Watch:
        watch = await self._save(watch, saying=saying)
        channel_id, thread_ts = saying.thread.channel_id, saying.thread.thread_ts
        try:
            ts = await self._messenger.post(channel_id, message, thread_ts=thread_ts, mark=saying.mark, polite=polite)
        except SlackError as error:
            if not error.lost:
                await self._save(watch, saying=None)
            raise
        return await self._watches.save(watch, watch.with_said(ts))

    async def _settled(self, watch: Watch) -> Watch:
        """Find out what became of a post whose answer nobody heard; where we may not read, say it again."""
        if watch.saying is None:
            return watch
        try:
            ts = await self._messenger.find(watch.saying.thread, watch.saying.mark)
        except SlackError as error:
            if error.lost or isinstance(error, SlackLimited):
                raise
            log.warning("post_unsure", watch=watch.id, code=error.code)
            ts, found = None, "unreadable"
        else:
            found = "arrived" if ts else "missing"
            log.info("post_settled", watch=watch.id, found=found)
        metrics.UNSURE.labels(found).inc()
        if ts is None:
            return await self._save(watch, saying=None)
        return await self._watches.save(watch, watch.with_said(ts))

    async def _save(self, watch: Watch, **changed: object) -> Watch:
        return await self._watches.save(watch, watch.model_copy(update=changed))


def _thread(watch: Watch) -> Place:
    return Place(channel_id=watch.thread.channel_id, thread_ts=watch.reply_ts)


def _mark() -> str:
    return secrets.token_hex(8)
