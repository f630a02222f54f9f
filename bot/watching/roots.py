"""Keeps the message about a red branch true between two builds of it: who looks, a snooze, that nobody subscribes."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import structlog

from bot.errors import CircleCIError, Rejected, SlackError, SlackLimited
from bot.messenger import Messenger
from bot.models.caller import Place
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch, Orphan
from bot.models.refusals import THREAD_GONE, Refused, refused
from bot.models.subscription import Event, Subscription
from bot.once import post_once
from bot.store import Store
from bot.watching.branches import ended_name, is_wanted
from bot.watching.forsaking import Forsaking
from bot.watching.pausing import COUNTED, LATER, MOST_REFUSALS, SELDOM, SOON, again_after
from bot.watching.snoozed import others_of, snooze_of
from bot.watching.telling import LEASE, Telling
from formatters import red, snoozes
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
        """Let the message say how a branch stands by now; what is refused is in the log, and tried later."""
        kept, name = self._store.subscriptions, (state.channel_id, state.project_slug, state.branch)
        async with kept.fenced(*name, LEASE, wait=LEASE):  # without it, it is as true as it gets
            await self._show(await kept.known(*name) or state)

    async def show_late(self) -> None:
        """Do that where Slack took no edit before; what still has no turn then is left for the next time.

        What is refused each time is tried ever more rarely, and what is refused for good not any more.
        So are the messages about branches that have been forgotten, as too many are red.
        """
        for field, forgotten in (await self._store.unshown.forgotten()).items():
            rules = await self._telling.rules_about(forgotten)
            title = rules[-1].project_title if rules else forgotten.project_slug.partition("/")[2]
            if await self._forsaking.forgotten(forgotten, title):
                await self._store.unshown.forget(field)
        for name in await self._store.unshown.all(await self._store.now()):
            async with self._store.subscriptions.fenced(*name, LEASE) as is_ours:
                state = await self._store.subscriptions.known(*name)
                if state is None or not state.is_red or state.root_ts is None:
                    named = {"channel_id": name[0], "project_slug": name[1], "branch": name[2]}
                    await self._store.unshown.remove(Branch.model_validate(named))
                elif is_ours and not await self._store.claims.is_taken(_rest_of(state)):
                    await self._show(state, urgent=False)

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

    async def end_left(self, pressed: Branch, title: str) -> None:
        """Let a message that bears a button end which was left as it stood: what a branch was is over by now.

        One that says so already, while the button was pressed, goes on to say how. One that a run has posted and died
        over is not over: that run is gone on with.
        """
        name = pressed.channel_id, pressed.project_slug, pressed.branch
        async with self._store.subscriptions.fenced(*name, LEASE, wait=LEASE):
            known = await self._store.subscriptions.known(*name)
            is_live = known is not None and (known.root_ts == pressed.root_ts or _may_be_posting(known, pressed))
            if not is_live and not await self._store.claims.is_taken(ended_name(pressed)):
                await self._forsaking.left(pressed, title)

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
        is_here = await self._store.subscriptions.known(channel_id, ProjectSlug(slug), branch)
        slugs = [ProjectSlug(slug)] if is_here else await self._heard_of(channel_id)
        pauses = [await self._snooze_ended(channel_id, one, branch) for one in slugs]
        return min((pause for pause in pauses if pause is not None), default=None)

    async def _snooze_ended(self, channel_id: str, slug: ProjectSlug, branch: str) -> timedelta | None:
        """Do that for a branch, and for what has become red in it meanwhile, of which nothing was said."""
        if (pause := await self._end(channel_id, slug, branch)) is not None:
            return pause
        if await snooze_of(self._store, channel_id, slug, branch):
            return None  # by another one of its snoozes
        pauses = [
            await self._began(channel_id, slug, one) for one in await others_of(self._store, channel_id, slug, branch)
        ]
        return min((pause for pause in pauses if pause is not None), default=None)

    async def _began(self, channel_id: str, slug: ProjectSlug, branch: str) -> timedelta | None:
        async with self._store.subscriptions.fenced(channel_id, slug, branch, LEASE) as is_ours:
            if not is_ours:
                return SOON
            state = await self._store.subscriptions.known(channel_id, slug, branch)
            if state is None or not state.is_red or state.is_told_red or not state.broke_asleep:
                return None
            rules = await self._telling.rules_about(state)
            if not any(is_wanted(Event.BROKE, rule.events) for rule in rules):
                return None
            called = await self._telling.called_at_a_break(rules, channel_id)
            if (pause := await self._over(state, str(state.red_since), red.pings(called))) is None:
                awake = {"broke_asleep": False}
                await self._store.subscriptions.know(
                    channel_id, slug, branch, lambda kept: kept.model_copy(update=awake)
                )
            return pause

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
            is_late = now - state.snoozed_until >= GIVEN_UP
            return await self._over(state, "" if is_late else state.snoozed_until.isoformat())

    async def _over(self, state: Branch, once: str, called: str = "") -> timedelta | None:
        """Say it, once by that name, empty where it is no news any more; who is `called` has not heard of it before."""
        if not (rules := await self._telling.rules_about(state)):
            return None
        word = partial(snoozes.over, state, rules[-1].project_title, self._links, called=called)
        try:
            if once:
                await self.say(state, word, once=f"over:{state.project_slug}:{state.branch}:{once}")
        except SlackError as error:
            if (later := _later(state, error)) is not None:
                return later
        await self._show(state)
        return None

    async def _show(self, state: Branch, *, urgent: bool = True) -> None:
        try:
            await self._telling.shows(state, urgent=urgent)
        except (SlackError, CircleCIError) as error:
            log.warning("root_not_rewritten", channel=state.channel_id, error=repr(error))
            await self._not_shown(state, error)

    async def _not_shown(self, state: Branch, error: SlackError | CircleCIError) -> None:
        times = await self._store.claims.count(f"not-shown:{_named(state)}", COUNTED)
        if (pause := _until_shown(error, times)) is None:
            await self._store.unshown.remove(state)
            return
        await self._store.unshown.add(state, await self._store.now())
        if times > 1:  # at first the next round is late enough
            await self._store.claims.first(_rest_of(state), pause)


def _may_be_posting(known: Branch, pressed: Branch) -> bool:
    """Say whether a message is the one that a run was about to post, of which nobody has heard yet that it stands."""
    return known.root_ts is None and known.posting is not None and known.posting.red_since == pressed.red_since


def _named(state: Branch) -> str:
    """Name what a message is to say, until another build is judged."""
    return f"{state.channel_id}:{state.root_ts}:{state.fingerprint}"


def _rest_of(state: Branch) -> str:
    return f"not-shown-rests:{_named(state)}"


def _until_shown(error: SlackError | CircleCIError, times: int) -> timedelta | None:
    """Return when an edit that was refused so often is tried again; None where it never will be taken. Pure."""
    if isinstance(error, SlackLimited):
        return error.retry_after
    if isinstance(error, SlackError):
        return again_after(error, times)
    if isinstance(error, Rejected) and (error.is_gone or times >= MOST_REFUSALS):
        return None
    pause: timedelta = SOON * (1 << min(times - 1, 10))
    return min(pause, SELDOM)


def _later(state: Branch, error: SlackError) -> timedelta | None:
    """Return when Slack may take what it does not take now; None where it never will."""
    log.warning("end_of_snooze_not_said", channel=state.channel_id, method=error.method, code=error.code)
    if isinstance(error, SlackLimited):
        return error.retry_after
    return LATER if error.lost or refused(error.code) is Refused.FOR_NOW else None
