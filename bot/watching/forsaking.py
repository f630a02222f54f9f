"""Lets a channel's message about a branch end once none of its subscriptions is about that any more."""

from datetime import timedelta

import structlog

from bot.errors import SlackError, SlackLimited
from bot.messenger import Messenger
from bot.models.circleci import PipelineId
from bot.models.occasions import Hold
from bot.models.red import Branch, Orphan
from bot.models.refusals import MESSAGE_GONE
from bot.store import Store
from bot.watching.pausing import COUNTED, again_after
from formatters import red, told_events
from formatters.blocks import Message
from formatters.links import Links

log = structlog.get_logger(__name__)


class Forsaking:
    """Whoever calls it is the one at the time who writes about that branch.

    What Slack does not take now is kept, and tried again by the sweep.
    """

    def __init__(self, store: Store, messenger: Messenger, links: Links) -> None:
        self._store = store
        self._messenger = messenger
        self._links = links

    async def end(self, state: Branch, title: str) -> None:
        """Let the message say so, and forget how the branch stands."""
        kept = self._store.subscriptions
        if state.is_red and state.root_ts is not None:
            await kept.orphans.add(Orphan(title=title, state=state))
        await kept.forsake(state.channel_id, state.project_slug, state.branch, title)
        for one in await kept.orphans.of(state.channel_id, state.project_slug):
            if one.state.branch == state.branch:
                await self.ended(one)

    async def ended(self, one: Orphan) -> timedelta | None:
        """Let one message say so; returns the pause before another try, where Slack does not take that now."""
        state, pause = one.state, None
        if state.is_red and state.root_ts is not None:
            word = red.forsaken(state, one.title, self._links, red.TWICE if one.is_twice else red.NO_RULE)
            pause = await self._edited(state.channel_id, state.root_ts, word)
        if pause is None:
            await self._store.subscriptions.orphans.gone(one)
        return pause

    async def end_hold(self, pipeline_id: PipelineId, hold: Hold, title: str) -> timedelta | None:
        """Let a message about what waits say so; it is about nothing that can be pressed any more. Returns the same."""
        word = told_events.forsaken(hold, title, self._links)
        if (pause := await self._edited(hold.channel_id, hold.ts, word)) is None:
            await self._store.occasions.save_hold(pipeline_id, hold.model_copy(update={"changes": ()}))
        return pause

    async def _edited(self, channel_id: str, ts: str, word: Message) -> timedelta | None:
        """Return when Slack may take what it does not take now; what it never will take says so at a press."""
        try:
            await self._messenger.update(channel_id, ts, word, urgent=True)
        except SlackLimited as error:
            return error.retry_after
        except SlackError as error:
            log.info("root_not_ended", channel=channel_id, method=error.method, code=error.code)
            times = await self._store.claims.count(f"not-ended:{channel_id}:{ts}", COUNTED)
            return None if error.code in MESSAGE_GONE else again_after(error, times)
        return None
