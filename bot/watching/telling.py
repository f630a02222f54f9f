"""Has channels that subscribed to its branch told of a build, and waits or pauses where one takes nothing."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.errors import CircleCIError, SlackError, SlackLimited, Unreadable
from bot.messenger import Messenger
from bot.models.build import Build
from bot.models.caller import Place
from bot.models.red import Branch
from bot.models.subscription import Event, Subscription, key_of, named_in, ref_named
from bot.models.told import Why
from bot.permissions import Permissions
from bot.store import Store
from bot.watching.about import About, called_at_a_break
from bot.watching.branches import (
    has_repaired,
    is_red,
    said_key,
    was_there,
)
from bot.watching.earlier import Earlier
from bot.watching.evidence import Evidence
from bot.watching.forsaking import Forsaking
from bot.watching.noting import note
from bot.watching.occasions import Occasions
from bot.watching.operator import Operator
from bot.watching.otherwise import Otherwise
from bot.watching.pausing import COUNTED, LATER, SOON, Pausing, again_after
from bot.watching.pings import Pings
from bot.watching.red_thread import RedThread
from bot.watching.tags import Tags
from bot.watching.watcher import Sources
from formatters.links import Links

LEASE = timedelta(seconds=60)
_OF_BRANCHES = frozenset({Event.BROKE, Event.FIXED, Event.STILL_RED, Event.FAILED, Event.PASSED})
WITHOUT_A_VERDICT = frozenset({Event.DEPLOYED, Event.WAITING})
log = structlog.get_logger(__name__)


class Telling:
    """What a channel does not take pauses its rules; they are kept, and told again as soon as it takes something."""

    def __init__(
        self,
        store: Store,
        messenger: Messenger,
        permissions: Permissions,
        sources: Sources,
        links: Links,
        operator: Operator,
        pings: Pings,
    ) -> None:
        self._store = store
        self._pings = pings
        self._sources = sources
        self.evidence = Evidence(store.past, sources)
        self._otherwise = Otherwise(store, sources.projects)
        self._thread = RedThread(store, messenger, links, self.evidence, pings, self._otherwise)
        self._tags = Tags(store, messenger, links, self.evidence.of)
        self._occasions = Occasions(store, messenger, sources, links, self.evidence.of, pings)
        self._pausing = Pausing(store, messenger, permissions, operator)
        self._forsaking = Forsaking(store, messenger, links)

    async def judged(self, build: Build, but: Collection[str] = ()) -> timedelta | None:
        """Tell of a build that is over for good, each channel once, however often this is called.

        To subscriptions with the marks of `but` it is no news, as it had ended before they were made. Returns the pause
        before another try, where a channel takes nothing for now; None where all are told. Raises a CircleCIError where
        it cannot be found out what its project is called.
        """

        def is_news(rule: Subscription, seen: Build) -> bool:
            return rule.mark not in but and _is_news_at_its_end(rule, seen)

        return await self._each(build, self._all_told, is_news)

    async def was_there(self, build: Build, marks: Collection[str]) -> timedelta | None:
        """Note for the channels of subscriptions with these marks that it had ended before they were made.

        What another one of the channel is about is told by that, unless its maker may not look at it. Returns the same.
        """
        rules = [
            one for one in await self._store.subscriptions.of_project(build.pipeline.project_slug) if one.seen(build)
        ]
        asked = {(one.channel_id, one.scope) for one in rules if one.mark in marks}
        others = [one for one in rules if one.mark not in marks and (one.channel_id, one.scope) in asked]
        told = {
            (one.channel_id, one.scope) for one in others if await self._pausing.may_be_told(one, build) is not False
        }
        return await self._each(
            build,
            self._knows_it_was_there,
            lambda rule, _: rule.mark in marks and (rule.channel_id, rule.scope) not in told,
        )

    async def _knows_it_was_there(self, news: About) -> bool:
        await note(self._store.told, news, Why.WAS_THERE)
        state = await self._thread.known(news)
        if was_there(state, news.build) != state and not ref_named(news.branch).is_tag:
            name = news.channel_id, news.slug, news.key
            await self._store.subscriptions.know(*name, lambda kept: was_there(kept, news.build))
        return False

    async def waits(self, build: Build) -> timedelta | None:
        """Tell of a build with its jobs, of which one waits for an approval, or did when this was called last."""
        return await self._each(build, self._occasions.waits, lambda rule, _: Event.WAITING in rule.events)

    async def holds(self, build: Build) -> timedelta | None:
        """Tell of a build that waits for a person where what had failed before it passes; returns the same.

        CircleCI is asked for its jobs only where a channel knows its branch red.
        """
        if not await self._is_red_somewhere(build):
            return None
        return await self._each(build, self._told_of_repair, lambda rule, _: not _OF_BRANCHES.isdisjoint(rule.events))

    async def _is_red_somewhere(self, build: Build) -> bool:
        slug, ref = build.pipeline.project_slug, build.pipeline.ref
        if ref is None or ref.is_tag:
            return False
        rules = [rule for rule in await self._store.subscriptions.of_project(slug) if rule.seen(build)]
        for channel_id, scope in dict.fromkeys((rule.channel_id, rule.scope) for rule in rules):
            known = await self._store.subscriptions.known(channel_id, slug, key_of(ref.name, scope))
            if known is not None and known.is_red:
                return True
        return False

    async def _told_of_repair(self, news: About) -> bool:
        news = news._replace(build=await news.whole())
        return has_repaired(news.build, await self._thread.known(news)) and await self._thread.tell(news)

    async def _each(
        self,
        build: Build,
        tell: Callable[[About], Awaitable[bool]],
        is_news: Callable[[Subscription, Build], bool],
    ) -> timedelta | None:
        """Tell each channel by those of its rules to which it is news; returns the longest pause before another try.

        What CircleCI does not answer for one is raised when the others have been told.
        """
        ref = build.pipeline.ref
        if ref is None:
            return None
        channels: dict[tuple[str, str], list[Subscription]] = defaultdict(list)
        for rule in await self._store.subscriptions.of_project(build.pipeline.project_slug):
            if (seen := rule.seen(build)) and is_news(rule, seen):
                channels[rule.channel_id, rule.scope].append(rule)
        earlier, pauses = Earlier(self._sources.reports, build, ref.name), list[timedelta | None]()
        errors = list[CircleCIError]()
        for (channel_id, _), rules in channels.items():
            if seen := rules[0].seen(build):
                try:
                    pauses.append(await self._tell(About(seen, str(ref), earlier, channel_id, rules), tell))
                except CircleCIError as error:
                    errors.append(error)
        if errors:
            raise errors[0]
        return max((pause for pause in pauses if pause is not None), default=None)

    async def _all_told(self, news: About) -> bool:
        """Tell a channel how the branch stands by now, and what else the build is news of."""
        if await self._otherwise.is_about_to_hear(news):
            raise _NotYet
        is_said = await (self._told_of_tag(news) if ref_named(news.branch).is_tag else self._thread.tell(news))
        if is_said and news.says_how_all_ended:
            await self._pings.note(news.build, Place(channel_id=news.channel_id), news.readers)
        return await self._occasions.ended(news) or is_said

    async def _told_of_tag(self, news: About) -> bool:
        await self._tags.rewritten(news)
        if await self._otherwise.hears(news, Event.BROKE):
            await note(self._store.told, news, Why.OTHERWISE)
            return False
        if not (is_said := await self._tags.ended(news)):
            await note(self._store.told, news, Why.NOT_ASKED)
        return is_said

    async def shows(self, state: Branch, *, urgent: bool) -> None:
        """Let the message about a red branch say how that stands, at once; raises what Slack and CircleCI refuse."""
        rules = await self.rules_about(state)
        if state.root_ts is None or not state.is_red or not rules:
            await self._store.unshown.remove(state)
            return
        build = rules[0].seen(await self._as_judged(state))
        if build and build.fingerprint == state.fingerprint:  # else what became of it is about to be told
            branch = named_in(state.branch)
            earlier = Earlier(self._sources.reports, build, branch)
            news = About(build, branch, earlier, state.channel_id, rules)
            await self._thread.shows(await self._to_who_is_there(news), state, urgent=urgent)
        else:
            await self._store.unshown.remove(state)

    async def rules_about(self, state: Branch) -> Sequence[Subscription]:
        """Return the rules by which a channel is told of a branch now."""
        rules = await self._store.subscriptions.of_project(state.project_slug)
        return [rule for rule in rules if rule.channel_id == state.channel_id and rule.hears(state.branch)]

    async def called_at_a_break(self, rules: Sequence[Subscription], channel_id: str) -> Sequence[str]:
        """Return whom these mention in their channel where a branch broke, but those who would not read it there."""
        named = called_at_a_break(rules)
        absent = await self._pings.absent(named, channel_id)
        return [one for one in named if one not in absent]

    async def _as_judged(self, state: Branch) -> Build:
        """Return the newest build that was judged, as it was then, where that is kept: it may run again by now."""
        with suppress(Unreadable):
            ended = await self._store.past.ended(state.pipeline_id)
            if ended is not None and ended.build.fingerprint == state.fingerprint:
                return ended.build
        return await self._sources.reports.build(state.pipeline_id)

    async def _tell(self, news: About, tell: Callable[[About], Awaitable[bool]]) -> timedelta | None:
        """Tell one channel; returns the pause before another try, where it takes nothing for now, or is being told."""
        allowed = [await self._pausing.may_be_told(rule, news.build) for rule in news.rules]
        if None in allowed:
            await note(self._store.told, news, Why.UNSURE)
            return LATER
        rules = [rule for rule, is_allowed in zip(news.rules, allowed, strict=True) if is_allowed]
        if not rules:
            await note(self._store.told, news, Why.HIDDEN)
            return None
        news = await self._to_who_is_there(news._replace(rules=rules))
        async with self._store.subscriptions.fenced(news.channel_id, news.slug, news.key, LEASE) as is_ours:
            if not is_ours:
                return SOON
            try:
                is_told = await tell(news)
            except _NotYet:
                return SOON
            except SlackError as error:
                return await self._refused(news, error)
            await self._is_still_heard(news)
        if is_told:
            await note(self._store.told, news, Why.TOLD)
            await self._pausing.resume(rules)
        return None

    async def _to_who_is_there(self, news: About) -> About:
        """Return it without those whom the rules name and who would not read it there."""
        named = dict.fromkeys((*news.mentioned, *news.called_to_approve))
        return news._replace(absent=await self._pings.absent(named, news.channel_id))

    async def _is_still_heard(self, news: About) -> None:
        """Let what was just told of a branch end where its last rule was ended meanwhile: who ended it saw none."""
        state = await self._thread.known(news)
        if not await self.rules_about(state):
            await self._forsaking.end(state, news.title)

    async def _refused(self, news: About, error: SlackError) -> timedelta | None:
        """Return when Slack may take what it does not take now; what it does not take for good pauses the rules."""
        log.warning("branch_not_told", channel=news.channel_id, method=error.method, code=error.code)
        await note(self._store.told, news, Why.PUT_OFF, code=error.code)
        if isinstance(error, SlackLimited):
            return error.retry_after
        what = f"branch-refused:{news.channel_id}:{news.slug}:{said_key(news.build)}"
        pause = again_after(error, await self._store.claims.count(what, COUNTED))
        if pause is None:
            for rule in news.rules:
                await self._pausing.pause(rule, error.code)
            await self._pings.let_go(news.build, Place(channel_id=news.channel_id), news.key)
            await note(self._store.told, news, Why.REFUSED, code=error.code)
        return pause


def _is_news_at_its_end(rule: Subscription, build: Build) -> bool:
    """Say whether a build that is over may be news to a rule; what was cancelled may have been deployed before."""
    return is_red(build) is not None or not WITHOUT_A_VERDICT.isdisjoint(rule.events)


class _NotYet(Exception):  # nothing is wrong
    """A thread of the channel says it first."""
