"""Lets a channel's message about a branch end once none of its subscriptions is about that any more."""

import structlog

from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.circleci import PipelineId
from bot.models.occasions import Hold
from bot.models.red import Branch
from bot.models.refusals import MESSAGE_GONE, Refused, refused
from bot.once import posted
from bot.store import Store
from bot.watching.branches import OF_BRANCH, post_of, said_of
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
        known = await self._store.subscriptions.known(*name)
        states = [await self._posted(one) for one in (known, state) if one]
        for one in {one.root_ts: one for one in states}.values():
            if one.is_red and one.root_ts is not None:
                await self._end_root(one, title)
        await self._store.subscriptions.forget(*name)

    async def left(self, state: Branch, title: str) -> None:
        """Let the message about a branch say that what it said is over."""
        await self._edit(state.channel_id, state.root_ts or "", red.forsaken(state, title, self._links, red.OVER))

    async def forgotten(self, state: Branch, title: str) -> bool:
        """Let the message about a branch say that too many are red; False where Slack takes that later."""
        word = red.forsaken(state, title, self._links, red.TOO_MANY)
        try:
            return await self._messenger.update(state.channel_id, state.root_ts or "", word)
        except SlackError as error:
            log.info("root_not_ended", channel=state.channel_id, method=error.method, code=error.code)
            return refused(error.code) is Refused.FOR_GOOD or error.code in MESSAGE_GONE

    async def _posted(self, state: Branch) -> Branch:
        """Return a branch with its message, also where a run was about to post that, and died over it."""
        if state.root_ts is not None or (posting := state.posting) is None:
            return state
        name = post_of(state.project_slug, state.branch, said_of(posting))
        place = Place(channel_id=state.channel_id)
        ts = await posted(self._messenger, self._store.claims, place, kind=OF_BRANCH, name=name)
        return posting.model_copy(update={"root_ts": ts}) if ts else state

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
