"""Lets a channel's message about a branch end once none of its subscriptions is about that any more."""

import structlog

from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.circleci import PipelineId
from bot.models.occasions import Hold
from bot.models.red import Branch
from bot.store import Store
from formatters import red, told_events
from formatters.blocks import Message
from formatters.links import Links

log = structlog.get_logger(__name__)


class Forsaking:
    """Whoever calls it is the one at the time who writes about that branch."""

    def __init__(self, store: Store, messenger: Messenger, links: Links) -> None:
        self._store = store
        self._messenger = messenger
        self._links = links

    async def end(self, state: Branch, title: str) -> None:
        """Let the message say so, and forget how the branch stands."""
        name = (state.channel_id, state.project_slug, state.branch)
        for one in {one.root_ts: one for one in (await self._store.subscriptions.known(*name), state) if one}.values():
            if one.is_red and one.root_ts is not None:
                await self._end_root(one, title)
        await self._store.subscriptions.forget(*name)

    async def end_hold(self, pipeline_id: PipelineId, hold: Hold, title: str) -> None:
        """Let a message about what waits say so; it is about nothing that can be pressed any more."""
        await self._edit(hold.channel_id, hold.ts, told_events.forsaken(hold, title, self._links))
        await self._store.occasions.save_hold(pipeline_id, hold.model_copy(update={"changes": ()}))

    async def _end_root(self, state: Branch, title: str) -> None:
        await self._edit(state.channel_id, state.root_ts or "", red.forsaken(state, title, self._links))

    async def _edit(self, channel_id: str, ts: str, word: Message) -> None:
        try:
            await self._messenger.update(channel_id, ts, word, urgent=True)
        except SlackError as error:  # its buttons say so in words
            log.info("root_not_ended", channel=channel_id, method=error.method, code=error.code)
