"""Keeps the message about a red branch true between two builds of it: who looks, a snooze, that nobody subscribes."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.errors import CircleCIError, SlackError, SlackLimited
from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch, Orphan
from bot.models.refusals import THREAD_GONE, Refused, refused
from bot.models.subscription import Event, Subscription
from bot.once import post_once
from bot.store import Store
from bot.watching.forsaking import Forsaking
from bot.watching.pausing import LATER, SOON
from bot.watching.telling import LEASE, Telling
from formatters import snoozes
from formatters.blocks import Message
from formatters.links import Links

GIVEN_UP = timedelta(days=1)  # after its end a snooze is no news any more
log = structlog.get_logger(__name__)


class Roots:
    """One at a time writes it, and reads before how the branch stands; so does `telling.py`."""

    def __init__(self, store: Store, messenger: Messenger, telling: Telling, links: Links) -> None:
        self._store = store
        self._messenger = messenger
        self._telling = telling
        self._links = links
        self._forsaking = Forsaking(store, messenger, links)

    async def show(self, state: Branch) -> None:
        """Let the message say how a branch stands by now; what Slack and CircleCI refuse is in the log."""
        kept, name = self._store.subscriptions, (state.channel_id, state.project_slug, state.branch)
        async with kept.fenced(*name, LEASE, wait=LEASE):  # without it, it is as true as it gets
            await self._show(await kept.known(*name) or state)

    async def say(self, state: Branch, word: Callable[[bool], Message], *, once: str) -> None:
        """Say it once in the thread of the branch, or where it has none apart in the channel. Raises SlackError."""
        places = [Place(channel_id=state.channel_id)]
        if state.root_ts is not None:
            places.insert(0, Place(channel_id=state.channel_id, thread_ts=state.root_ts))
        for place in places:
            message = word(place.thread_ts is None)
            try:
                await post_once(self._messenger, self._store.claims, place, message, kind="root", name=once)
            except SlackError as error:
                if error.code not in THREAD_GONE or place.thread_ts is None:
                    raise
            else:
                return

    async def is_told(self, state: Branch) -> bool:
        """Say whether any subscription of a channel is about a branch."""
        return bool(await self._telling.rules_about(state))

    async def forsake(self, states: Sequence[Branch], title: str) -> None:
        """Let the messages about branches end of which a channel is told nothing any more, and forget these.

        What is being told meanwhile is waited for: else it would say again that the branch is red.
        """
        for state in states:
            name = state.channel_id, state.project_slug, state.branch
            async with self._store.subscriptions.fenced(*name, LEASE, wait=LEASE):
                if not await self.is_told(state):
                    await self._forsaking.end(state, title)

    async def forsake_unheard(self, channel_id: str, slug: ProjectSlug, title: str) -> timedelta | None:
        """Do that for all of a project that no rule of a channel is about by now.

        Returns the pause before another try, where Slack takes no more of it now; None where all have ended.
        """
        kept = self._store.subscriptions
        await kept.forget_unheard(channel_id, slug, title)
        for one in await kept.orphans.of(channel_id, slug):
            if (pause := await self._ended_left(one)) is not None:
                return pause
        rules = [one for one in await kept.of_project(slug) if one.channel_id == channel_id]
        return await self._forsake_holds(channel_id, slug, title, [one for one in rules if Event.WAITING in one.events])

    async def _ended_left(self, one: Orphan) -> timedelta | None:
        """Let a message end, once nobody writes about its branch: else that would say again that the branch is red."""
        state, kept = one.state, self._store.subscriptions
        name = state.channel_id, state.project_slug, state.branch
        async with kept.fenced(*name, LEASE, wait=LEASE):
            known = await kept.known(*name)
            if not await self.is_told(state):
                await kept.forsake(*name, one.title)
            elif known is not None and known.root_ts == state.root_ts:
                await kept.orphans.gone(one)  # it is kept true again
                return None
            return await self._forsaking.ended(one)

    async def _forsake_holds(
        self, channel_id: str, slug: ProjectSlug, title: str, rules: Sequence[Subscription]
    ) -> timedelta | None:
        """Let what waits for an approval end, too, of which no rule is: nobody would say what became of it."""
        for pipeline_id, hold in await self._store.occasions.waiting_in(channel_id):
            is_of_it = await self._store.subscriptions.now_called(hold.project_slug) == slug
            if not is_of_it or any(rule.hears(hold.branch) for rule in rules):
                continue
            if (pause := await self._forsaking.end_hold(pipeline_id, hold, title)) is not None:
                return pause
        return None

    async def end_snooze(self, channel_id: str, slug: str, branch: str) -> timedelta | None:
        """Say of a branch whose snooze is over that it is still red; returns the pause before that, None where it is.

        A project that is called otherwise by now is the channel's still.
        """
        if await self._store.subscriptions.known(channel_id, ProjectSlug(slug), branch):
            return await self._end(channel_id, ProjectSlug(slug), branch)
        pauses = [await self._end(channel_id, one, branch) for one in await self._heard_of(channel_id)]
        return min((pause for pause in pauses if pause is not None), default=None)

    async def _heard_of(self, channel_id: str) -> list[ProjectSlug]:
        """Return the projects that a channel has subscribed to, each once."""
        kept, found = self._store.subscriptions, list[ProjectSlug]()
        for rule in await kept.of_channel(channel_id):
            found += [place.slug for place in await kept.fitting(rule.id)] if rule.pattern else [rule.project_slug]
        return [*dict.fromkeys(found)]

    async def _end(self, channel_id: str, slug: ProjectSlug, branch: str) -> timedelta | None:
        async with self._store.subscriptions.fenced(channel_id, slug, branch, LEASE) as is_ours:
            if not is_ours:
                return SOON
            state = await self._store.subscriptions.known(channel_id, slug, branch)
            if state is None or not state.is_red or state.snoozed_until is None:
                return None
            now = await self._store.now()
            if state.is_snoozed(now):
                return state.snoozed_until - now
            return await self._over(state, state.snoozed_until, now)

    async def _over(self, state: Branch, until: datetime, now: datetime) -> timedelta | None:
        if not (rules := await self._telling.rules_about(state)):
            return None
        word = partial(snoozes.over, state, rules[-1].project_title, self._links)
        try:
            if now - until < GIVEN_UP:
                await self.say(state, word, once=f"over:{state.project_slug}:{state.branch}:{until.isoformat()}")
        except SlackError as error:
            if (later := _later(state, error)) is not None:
                return later
        await self._show(state)
        return None

    async def _show(self, state: Branch) -> None:
        try:
            await self._telling.shows(state)
        except (SlackError, CircleCIError) as error:
            log.warning("root_not_rewritten", channel=state.channel_id, error=repr(error))


def _later(state: Branch, error: SlackError) -> timedelta | None:
    """Return when Slack may take what it does not take now; None where it never will."""
    log.warning("end_of_snooze_not_said", channel=state.channel_id, method=error.method, code=error.code)
    if isinstance(error, SlackLimited):
        return error.retry_after
    return LATER if error.lost or refused(error.code) is Refused.FOR_NOW else None
