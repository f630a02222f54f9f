"""Tells the channels that subscribed to a branch what a build that is over means for it.

A channel has one message about a branch that is red, and its thread. What is posted is noted by its mark before, so
that a run that is cut off is gone on with; how the branch stands is kept after it was told, so that nothing is lost.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import structlog

from bot.errors import CircleCIError, SlackError, SlackLimited, Unreadable
from bot.messenger import Messenger
from bot.models.build import Build, Report, State
from bot.models.caller import Place
from bot.models.circleci import ProjectSlug
from bot.models.heard import Heard
from bot.models.red import Branch
from bot.models.refusals import MESSAGE_GONE, THREAD_GONE
from bot.models.slack import utc_now
from bot.models.subscription import Event, Mode, Subscription, key_of, named_in, ref_named
from bot.models.told import Reason, Why
from bot.once import post_once, posted
from bot.permissions import Permissions
from bot.store import Store
from bot.watching.aloud import is_wanted as is_wanted_aloud
from bot.watching.branches import (
    Decision,
    decide,
    has_repaired,
    is_judged,
    is_known,
    is_red,
    is_wanted,
    no_news,
    said_key,
    said_of,
    was_green,
    was_there,
)
from bot.watching.earlier import Earlier
from bot.watching.evidence import Evidence
from bot.watching.forsaking import Forsaking
from bot.watching.occasions import Occasions
from bot.watching.operator import Operator
from bot.watching.pausing import COUNTED, LATER, SOON, Pausing, again_after
from bot.watching.pings import Pings
from bot.watching.tags import Tags
from bot.watching.triager import final_key
from bot.watching.watcher import Sources
from formatters import red
from formatters.blocks import Message
from formatters.links import Links

KIND = "branch"  # of a post, by which it is found again
LEASE = timedelta(seconds=60)
_OF_BRANCHES = frozenset({Event.BROKE, Event.FIXED, Event.STILL_RED, Event.FAILED, Event.PASSED})
WITHOUT_A_VERDICT = frozenset({Event.DEPLOYED, Event.WAITING})
MOST_WAITS = 24  # for a thread that is about to say it aloud
log = structlog.get_logger(__name__)


class _News(NamedTuple):
    """One build for one channel, with the rules of that channel which are about its branch."""

    build: Build
    branch: str
    earlier: Earlier
    channel_id: str
    rules: Sequence[Subscription]

    @property
    def slug(self) -> ProjectSlug:
        return self.build.pipeline.project_slug

    @property
    def number(self) -> int:
        return self.build.pipeline.number

    @property
    def title(self) -> str:
        return self.rules[-1].project_title

    @property
    def scope(self) -> str:
        """Of which of the branch's builds it is, where the rules are not about all."""
        return self.rules[0].scope

    @property
    def key(self) -> str:
        """Under which name the channel knows how the branch stands, by those builds."""
        return key_of(self.branch, self.scope)

    @property
    def wanted(self) -> frozenset[Event]:
        ref = self.build.pipeline.ref
        return frozenset(event for rule in self.rules for event in rule.events_of(ref))

    @property
    def has_threads(self) -> bool:
        return any(rule.mode is Mode.THREAD for rule in self.rules)

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Whom they mention where a branch broke, each once."""
        found = (rule.mention for rule in self.rules if rule.mention and is_wanted(Event.BROKE, rule.events))
        return tuple(dict.fromkeys(found))

    @property
    def called_to_approve(self) -> tuple[str, ...]:
        """Whom they mention where something waits for an approval, each once."""
        found = (rule.mention for rule in self.rules if rule.mention and Event.WAITING in rule.events)
        return tuple(dict.fromkeys(found))

    async def whole(self) -> Build:
        """Return the build with its jobs."""
        return await self.earlier.whole(self.build)


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
        self._messenger = messenger
        self._sources = sources
        self.evidence = Evidence(store.past, sources)
        self._links = links
        self._tags = Tags(store, messenger, links, self.evidence.of)
        self._occasions = Occasions(store, messenger, sources, links, self.evidence.of)
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

        What another one of the channel is about is told by that. Returns the same.
        """
        rules = await self._store.subscriptions.of_project(build.pipeline.project_slug)
        others = {(one.channel_id, one.scope) for one in rules if one.mark not in marks and one.seen(build)}
        return await self._each(
            build,
            self._knows_it_was_there,
            lambda rule, _: rule.mark in marks and (rule.channel_id, rule.scope) not in others,
        )

    async def _knows_it_was_there(self, news: _News) -> bool:
        await self._note(news, Why.WAS_THERE)
        state = await self._known(news)
        if (now := was_there(state, news.build)) != state and not ref_named(news.branch).is_tag:
            await self._know(news, now)
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

    async def _told_of_repair(self, news: _News) -> bool:
        news = news._replace(build=await news.whole())
        return has_repaired(news.build, await self._known(news)) and await self._told(news)

    async def _each(
        self,
        build: Build,
        tell: Callable[[_News], Awaitable[bool]],
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
                    pauses.append(await self._tell(_News(seen, str(ref), earlier, channel_id, rules), tell))
                except CircleCIError as error:
                    errors.append(error)
        if errors:
            raise errors[0]
        return max((pause for pause in pauses if pause is not None), default=None)

    async def _all_told(self, news: _News) -> bool:
        """Tell a channel how the branch stands by now, and what else the build is news of."""
        if await self._is_about_to_hear(news):
            raise _NotYet
        is_said = await (self._told_of_tag(news) if ref_named(news.branch).is_tag else self._told(news))
        return await self._occasions.ended(news) or is_said

    async def _told_of_tag(self, news: _News) -> bool:
        await self._tags.rewritten(news)
        if await self._hears_otherwise(news, Event.BROKE):
            await self._note(news, Why.OTHERWISE)
            return False
        if not (is_said := await self._tags.ended(news)):
            await self._note(news, Why.NOT_ASKED)
        return is_said

    async def shows(self, state: Branch) -> None:
        """Let the message about a red branch say how that stands, at once; raises what Slack and CircleCI refuse."""
        rules = await self.rules_about(state)
        if state.root_ts is None or not state.is_red or not rules:
            return
        build = rules[0].seen(await self._as_judged(state))
        if build and build.fingerprint == state.fingerprint:  # else what became of it is about to be told
            branch = named_in(state.branch)
            earlier = Earlier(self._sources.reports, build, branch)
            news = _News(build, branch, earlier, state.channel_id, rules)
            seen = red.Seen(build, await self.evidence.of(build), news.title, self._links)
            await self._is_rewritten(news, state, state, seen)

    async def rules_about(self, state: Branch) -> Sequence[Subscription]:
        """Return the rules by which a channel is told of a branch now."""
        rules = await self._store.subscriptions.of_project(state.project_slug)
        return [rule for rule in rules if rule.channel_id == state.channel_id and rule.hears(state.branch)]

    async def _as_judged(self, state: Branch) -> Build:
        """Return the newest build that was judged, as it was then, where that is kept: it may run again by now."""
        with suppress(Unreadable):
            ended = await self._store.past.ended(state.pipeline_id)
            if ended is not None and ended.build.fingerprint == state.fingerprint:
                return ended.build
        return await self._sources.reports.build(state.pipeline_id)

    async def _tell(self, news: _News, tell: Callable[[_News], Awaitable[bool]]) -> timedelta | None:
        """Tell one channel; returns the pause before another try, where it takes nothing for now, or is being told."""
        allowed = [await self._pausing.may_be_told(rule, news.build) for rule in news.rules]
        if None in allowed:
            await self._note(news, Why.UNSURE)
            return LATER
        rules = [rule for rule, is_allowed in zip(news.rules, allowed, strict=True) if is_allowed]
        if not rules:
            await self._note(news, Why.HIDDEN)
            return None
        news = news._replace(rules=rules)
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
            await self._note(news, Why.TOLD)
            await self._pausing.resume(rules)
        return None

    async def _is_still_heard(self, news: _News) -> None:
        """Let what was just told of a branch end where its last rule was ended meanwhile: who ended it saw none."""
        state = await self._known(news)
        if not await self.rules_about(state):
            await self._forsaking.end(state, news.title)

    async def _told(self, news: _News) -> bool:
        """Tell the channel, if it is news to it; says whether anything was said."""
        return await self._told_from(news, await self._caught_up(news))

    async def _told_from(self, news: _News, state: Branch) -> bool:
        """Tell it how the branch stands, which stood so before."""
        found = decide(state, news.build, news.wanted)
        if found.happened is None or (found.is_late and not found.is_told):
            if found.state != state:
                await self._know(news, found.state)
            await self._note(news, no_news(state, news.build), newest=state.number)
            return False
        seen = red.Seen(news.build, await self._report(found, news.build), news.title, self._links)
        after = found.state
        if after.is_red and not found.is_late:
            signature = seen.report.signature if seen.report else ""
            after = after.model_copy(update={"failing": red.failing(seen.report), "failure": signature})
        if found.happened is Event.BROKE and (found.is_told or Event.STILL_RED in news.wanted):  # which says it later
            is_sure = state.number == news.number or await news.earlier.begins_with(state.number)
            is_sure = is_sure and was_green(state)
            after = after.model_copy(update={"or_before": not is_sure})
        is_said, root_ts = said_key(news.build) in state.told, state.root_ts
        silent = None if is_said else await self._silent(news, found, state)
        if silent is not None:
            await self._note(news, silent, happened=found.happened)
        elif not is_said:
            state, is_said = await self._say(news, found, state, after, seen), True
        if found.is_late:
            await self._know(news, after.model_copy(update={"root_ts": state.root_ts}))
            return is_said
        if is_said and found.happened is Event.FIXED:
            await self._has_heard_of_repair(news)
        if root_ts is not None and root_ts == state.root_ts and not await self._is_rewritten(news, state, after, seen):
            state = state.model_copy(update={"root_ts": None})
        await self._know(news, after.model_copy(update={"root_ts": state.root_ts if after.is_red else None}))
        return is_said

    async def _caught_up(self, news: _News) -> Branch:
        """Return how the branch stands before this build; a repair that the channel has missed is told first.

        It may have been told nothing for a while: another build that failed is no news then, but one that broke it, and
        another one that passed has repaired nothing.
        """
        state = await self._known(news)
        if state.posting is not None:
            state = await self._gone_on_with(news, state, state.posting)
        is_news = state.is_red and is_red(news.build) is not None and not is_judged(news.build, state)
        if not (is_news and news.number >= state.number and await self._may_have_missed(news, state)):
            return state
        if repair := await news.earlier.repair(state, news.rules[0]):
            await self._told_from(news._replace(build=repair), state)
            return await self._known(news)
        return state

    async def _gone_on_with(self, news: _News, state: Branch, posting: Branch) -> Branch:
        """Return how the branch stands where a run was about to post its message, and may have died over that.

        What judges the same build again finds the message by itself; before another build is judged it is looked for.
        """
        if (said := said_of(posting)) != said_key(news.build):
            place, name = Place(channel_id=news.channel_id), _name(news, said)
            if ts := await posted(self._messenger, self._store.claims, place, kind=KIND, name=name):
                return await self._know(news, posting.model_copy(update={"root_ts": ts}))
        return state.model_copy(update={"posting": None})

    async def _may_have_missed(self, news: _News, state: Branch) -> bool:
        """Say whether a build between was judged without this channel, or by nobody as too many came at once.

        Or whether the one that it knows was, when that ran again.
        """
        newest = await self._store.news.newest_judged(news.slug, news.branch)
        skipped = (await self._store.news.read_up_to(news.slug)).skipped
        if state.number < max(skipped, min(newest, news.number - 1)):
            return True
        judged = (await self._store.news.get(state.pipeline_id)).judged.removesuffix("+")
        is_other = bool(judged) and not news.scope  # a part of a build has a name of its own
        return is_other and state.number < news.number and not is_known(state, judged)

    async def _say(self, news: _News, found: Decision, state: Branch, after: Branch, seen: red.Seen) -> Branch:
        """Post what happened, and keep that it was: the message about a red branch, or one below or beside that."""
        happened = found.happened or Event.FAILED
        if after.is_red and state.root_ts is None and not found.is_late:
            mentioned = await self._pinged(news) if happened is Event.BROKE else ()
            await self._know(news, state.model_copy(update={"posting": after}))
            ts = await self._post(news, Place(channel_id=news.channel_id), red.root(after, seen, mentioned))
            await self._pings.note(news.build, mentioned)
            return await self._know(news, _said(state, news.build, root_ts=ts))
        is_about_it = news.number >= state.red_since  # what is older than what broke it has nothing to do with that
        thread_ts = state.root_ts if news.has_threads and is_about_it else None
        for place in (Place(channel_id=news.channel_id, thread_ts=thread_ts), Place(channel_id=news.channel_id)):
            word = red.message(happened, state, after, seen, is_apart=place.thread_ts is None, is_late=found.is_late)
            try:
                await self._post(news, place, word)
            except SlackError as error:
                if error.code not in THREAD_GONE or place.thread_ts is None:
                    raise
            else:
                break
        return await self._know(news, _said(state, news.build, root_ts=state.root_ts))

    async def _pinged(self, news: _News) -> tuple[str, ...]:
        """Return whom the first message mentions, each once: those whom the rules name, and who pushed it."""
        author = await self._pings.of_author(news.build, Place(channel_id=news.channel_id), news.key)
        return tuple(dict.fromkeys((*news.mentioned, *author)))

    async def _is_rewritten(self, news: _News, state: Branch, after: Branch, seen: red.Seen) -> bool:
        """Let the message about a red branch say how that stands by now; False where it is gone."""
        is_snoozed = await self._is_snoozed(after)
        word = (
            red.root(after, seen, news.mentioned, is_snoozed=is_snoozed)
            if after.is_red
            else red.repaired_root(state, seen)
        )
        try:
            await self._messenger.update(news.channel_id, state.root_ts or "", word, urgent=not after.is_red)
        except SlackError as error:
            if error.code not in MESSAGE_GONE:
                raise
            return False
        return True

    async def _post(self, news: _News, place: Place, word: Message) -> str:
        name = _name(news, said_key(news.build))
        ts = await post_once(self._messenger, self._store.claims, place, word, kind=KIND, name=name)
        await self._note(news, Why.TOLD, ts=ts)
        return ts

    async def _note(self, news: _News, why: Why, **more: object) -> None:
        """Keep why the channel is told of a build, or is not: that it was, by whatever rules, is the last word."""
        pipeline_id = news.build.pipeline.id
        kept = await self._store.told.get(pipeline_id, channel_id=news.channel_id)
        if why is not Why.COUNTED and not (kept and kept.why is Why.TOLD and "ts" not in more):
            found = {"why": why, "at": utc_now(), "state": news.build.state, **more}
            await self._store.told.note(pipeline_id, Reason.model_validate(found), channel_id=news.channel_id)

    async def _silent(self, news: _News, found: Decision, state: Branch) -> Why | None:
        """Return why nothing is posted of what happened; None where it is."""
        if found.happened is None or not found.is_told:
            return Why.NOT_ASKED
        if found.happened is not Event.FIXED and await self._is_snoozed(state):
            return Why.SNOOZED
        return Why.OTHERWISE if await self._hears_otherwise(news, found.happened) else None

    async def _hears_otherwise(self, news: _News, happened: Event) -> bool:
        """Say whether the channel itself was told this end, by a thread that said it aloud, and nobody is to be called.

        What else a thread says of the build is read there alone, and is no word about the branch.
        """
        if happened is Event.BROKE and news.mentioned:
            return False
        heard = await self._heard(news)
        return heard is not None and (heard.number, heard.fingerprint) == (news.number, news.build.fingerprint)

    async def _is_about_to_hear(self, news: _News) -> bool:
        """Say whether a thread of the channel will say this end aloud, for as long as that may take."""
        if news.scope:
            return False
        build, projects = news.build, self._sources.projects
        watches = await self._store.watches.of(build.pipeline.id)
        mine = [watch for watch in watches if watch.thread.channel_id == news.channel_id]
        is_awaited = any(is_wanted_aloud(one, build, projects) and final_key(build) not in one.told for one in mine)
        if not is_awaited or not await self._store.watches.watched([build.pipeline.id]):
            return False
        once = f"aloud-first:{news.channel_id}:{said_key(build)}:{build.pipeline.id}"
        return await self._store.claims.count(once, COUNTED) <= MOST_WAITS

    async def _heard(self, news: _News) -> Heard | None:
        """Return which end of the branch the channel has heard aloud (`aloud.py`)."""
        return await self._store.ends.heard(news.channel_id, news.slug, ref_named(news.branch))

    async def _has_heard_of_repair(self, news: _News) -> None:
        """Keep for those who tell things aloud that the channel knows it repaired."""
        heard = await self._heard(news)
        if not news.scope and heard is not None and heard.is_red and heard.number <= news.number:
            repaired = Heard(number=news.number, fingerprint=news.build.fingerprint, is_red=False)
            await self._store.ends.note(news.channel_id, news.slug, ref_named(news.branch), repaired)

    async def _is_snoozed(self, state: Branch) -> bool:
        return state.snoozed_until is not None and state.is_snoozed(await self._store.now())

    async def _report(self, found: Decision, build: Build) -> Report | None:
        is_shown = found.is_told or found.state.root_ts is not None
        return await self.evidence.of(build) if build.state in (State.FAILED, State.ON_HOLD) and is_shown else None

    async def _known(self, news: _News) -> Branch:
        known = await self._store.subscriptions.known(news.channel_id, news.slug, news.key)
        return known or Branch(channel_id=news.channel_id, project_slug=news.slug, branch=news.key)

    async def _know(self, news: _News, state: Branch) -> Branch:
        """Keep how a branch stands; who looks at it, or has snoozed it, meanwhile is kept until it is green."""

        def change(kept: Branch) -> Branch:
            of_people = {name: getattr(kept, name) for name in ("looking", "snoozed_until", "snoozed_by")}
            return state.model_copy(update=of_people if state.is_red else {})

        return await self._store.subscriptions.know(news.channel_id, news.slug, news.key, change)

    async def _refused(self, news: _News, error: SlackError) -> timedelta | None:
        """Return when Slack may take what it does not take now; what it does not take for good pauses the rules."""
        log.warning("branch_not_told", channel=news.channel_id, method=error.method, code=error.code)
        await self._note(news, Why.PUT_OFF, code=error.code)
        if isinstance(error, SlackLimited):
            return error.retry_after
        what = f"branch-refused:{news.channel_id}:{news.slug}:{said_key(news.build)}"
        pause = again_after(error, await self._store.claims.count(what, COUNTED))
        if pause is None:
            for rule in news.rules:
                await self._pausing.pause(rule, error.code)
            await self._pings.let_go(news.build, Place(channel_id=news.channel_id), news.key)
            await self._note(news, Why.REFUSED, code=error.code)
        return pause


def _is_news_at_its_end(rule: Subscription, build: Build) -> bool:
    """Say whether a build that is over may be news to a rule; what was cancelled may have been deployed before."""
    return is_red(build) is not None or not WITHOUT_A_VERDICT.isdisjoint(rule.events)


class _NotYet(Exception):  # nothing is wrong
    """A thread of the channel says it first."""


def _name(news: _News, said: str) -> str:
    return f"{news.slug}:{news.key}:{said}"


def _said(state: Branch, build: Build, *, root_ts: str | None) -> Branch:
    return state.model_copy(update={"told": state.told | {said_key(build)}, "root_ts": root_ts})
