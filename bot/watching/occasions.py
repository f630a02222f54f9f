"""Tells channels what else a build is news of: that it waits for an approval, was deployed, is slow, or is flaky."""

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple, TypeVar

from bot.circleci.history import History
from bot.errors import SlackError
from bot.messenger import Messenger
from bot.models.build import Build, Change, Report, State, approval_claim
from bot.models.caller import Place
from bot.models.circleci import JobId
from bot.models.history import PastBuild
from bot.models.occasions import Failure, Hold
from bot.models.red import Branch
from bot.models.refusals import MESSAGE_GONE, THREAD_GONE
from bot.models.subscription import Event, ref_named
from bot.store import Store
from bot.watching import events
from bot.watching.about import About
from bot.watching.branches import is_red
from bot.watching.changes import decided, waits
from bot.watching.noting import Post, first_message, tell_once
from bot.watching.pings import Pings
from bot.watching.snoozed import snooze_of
from bot.watching.tags import message_about
from bot.watching.watcher import Sources
from formatters import red, told_events
from formatters.blocks import Message
from formatters.links import Links

T = TypeVar("T")
KEPT = timedelta(days=90)  # of what a channel was told: as long as of how its branches stand


class Occasions:
    """Each is told once for each build, below the message about its branch while that is red, or in the channel.

    What is told of a build of a tag stands below the message about that, if there is one.
    """

    def __init__(
        self,
        store: Store,
        messenger: Messenger,
        sources: Sources,
        links: Links,
        evidence: Callable[[Build], Awaitable[Report]],
        pings: Pings,
    ) -> None:
        """Tell of builds; `evidence` of one that failed is read once for all that tell of it."""
        self._pings = pings
        self._store = store
        self._messenger = messenger
        self._projects = sources.projects
        self._history = History(sources.reports, store.past)
        self._links = links
        self._evidence = evidence

    async def waits(self, news: About) -> bool:
        """Tell what waits for an approval, and let what was said of others say what became of them."""
        open_ones = await self._open(news)
        await self._rewrite(news, open_ones)
        if Event.WAITING not in news.wanted or await self._is_snoozed(news):
            return False
        told = await self._store.occasions.holds(news.build.pipeline.id)
        known = {one.job.id for hold in told if hold.channel_id == news.channel_id for one in hold.changes if one.job}
        before = "".join(sorted(f":{hold.ts}" for hold in told if _has_ended_for(news, hold)))
        once = {_waits_once(news, one, before): one for one in events.held(news.build, known)}
        for change in events.waited(news.build, known):  # a run may have said that it waits, and died over that
            if await self._store.claims.is_taken(_said_with(key := _waits_once(news, change, before))):
                once[key] = change
        for name, keys in (await self._posts(once)).items():
            found = tuple(once[key] for key in keys)
            now = decided(found, news.build)
            mentioned = news.called_to_approve if waits(now) else ()
            word = partial(told_events.waiting, news.key, found=now, mentioned=mentioned)
            where = await self._say(news, Event.WAITING, word, name)
            jobs = [one.job for one in found if one.job]
            place = Place(channel_id=news.channel_id)
            await self._pings.note_called(jobs, place, {*mentioned, *news.readers})
            about = {"project_slug": news.slug, "branch": news.key, "number": news.build.pipeline.number}
            hold = Hold(channel_id=news.channel_id, ts=where.ts, is_apart=where.is_apart, changes=found, **about)
            await self._store.occasions.save_hold(news.build.pipeline.id, hold)
            await self._rewrite(news, [hold])
        return bool(once)

    async def ended(self, news: About) -> bool:
        """Tell of a build that is over what its channel wants to hear; says whether anything was said."""
        if open_ones := await self._open(news):
            await self._rewrite(news, open_ones, build=await news.whole())
        tell = {Event.DEPLOYED: self._deployed, Event.FLAKY: self._flaky, Event.SLOW: self._slow}
        return any([await tell[event](news) for event in tell if event in news.wanted])

    async def _open(self, news: About) -> list[Hold]:
        """Return what the channel was told that waits; rules of some workflows alone see what became of these."""
        holds = await self._store.occasions.holds(news.build.pipeline.id)
        mine = [hold for hold in holds if hold.channel_id == news.channel_id and hold.is_open]
        seen = {run.workflow.name for run in news.build.runs}
        return [hold for hold in mine if not news.build.part_of or {one.workflow.name for one in hold.changes} <= seen]

    async def _rewrite(self, news: About, holds: Sequence[Hold], build: Build | None = None) -> None:
        build = build or news.build
        for hold in holds:
            now = decided(hold.changes, build)
            if now == hold.changes:
                continue
            by, seen = await self._approved_by(hold.changes, now), self._seen(news, build)
            word = told_events.waiting(news.key, seen=seen, found=now, is_apart=hold.is_apart, by=by)
            try:
                await self._messenger.update(hold.channel_id, hold.ts, word, urgent=True)
            except SlackError as error:
                if error.code not in MESSAGE_GONE:
                    raise
            await self._store.occasions.save_hold(build.pipeline.id, hold.model_copy(update={"changes": now}))

    async def _approved_by(self, told: Sequence[Change], now: Sequence[Change]) -> dict[JobId, str]:
        """Return what those are called who approved these jobs, as far as that was done here."""
        names = dict[JobId, str]()
        for before, one in zip(told, now, strict=True):
            if before.job and one.job and one.job.status == "success":
                asked = approval_claim(one.workflow.id, before.job.approval_request_id)
                _, _, person_id = (await self._store.claims.holder(asked) or "").partition("|")
                name = await self._messenger.user_name(person_id.partition("|")[0]) if person_id else ""
                names |= {one.job.id: name} if name else {}
        return names

    async def _deployed(self, news: About) -> bool:
        """Tell of the jobs that deploy, each run once: a rerun of others lists them again."""
        build = await news.whole()
        jobs = events.deployed(build, self._projects.deploy_jobs(news.slug))
        once = {f"deployed:{news.channel_id}:{build.pipeline.id}:{job.job_number or job.id}": job for job in jobs}
        new = {name: job for name, job in once.items() if await self._is_new(news, name)}
        if not new:
            return False
        return await self._are_told(news, Event.DEPLOYED, new, lambda jobs: partial(told_events.deployed, jobs=jobs))

    async def _slow(self, news: About) -> bool:
        build = news.build if news.build.state is not State.PASSED else await news.whole()
        if not events.is_whole(build):
            return False
        number = build.pipeline.number
        found = events.slow(build, await self._store.occasions.took(news.slug, news.key, number))
        await self._store.occasions.note_took(news.slug, news.key, number, events.took(build))
        once = f"slow:{news.channel_id}:{build.pipeline.id}"
        if found is None or not await self._is_new(news, once):
            return False
        word = partial(told_events.slow, found=found)
        return await self._are_told(news, Event.SLOW, {once: found}, lambda _: word)

    async def _flaky(self, news: About) -> bool:
        """Tell of tests that failed and passed on one commit, each once for its branch."""
        once = {f"flaky:{news.channel_id}:{news.slug}:{news.key}:{one.key}": one for one in await self._flaked(news)}
        new = {name: one for name, one in once.items() if await self._is_new(news, name)}
        if not new:
            return False
        return await self._are_told(news, Event.FLAKY, new, lambda tests: partial(told_events.flaky, tests=tests))

    async def _flaked(self, news: About) -> list[Failure]:
        pipeline, found = news.build.pipeline, list[Failure]()
        if not pipeline.revision or is_red(news.build) is None:
            return []
        failed = await self._store.occasions.failures(news.slug, news.key, pipeline.revision)
        if failed:
            build = await news.whole()
            past = PastBuild(pipeline=pipeline, runs=build.real_runs)
            tested = await self._history.tests(news.slug, [past], {one.job for one in failed})
            found += events.flaky(failed, build, tested.results)
        if is_red(news.build) and news.build.runs:
            report = await self._evidence(news.build)
            found += events.retried(news.build, report)
            if now := events.failures(news.build, report):
                await self._store.occasions.note_failures(news.slug, news.key, pipeline.revision, now)
        return found

    async def _is_new(self, news: About, name: str) -> bool:
        names = (name, _left_out(news, name))
        return not any([await self._store.claims.is_taken(one) for one in names])

    async def _are_told(
        self, news: About, event: Event, once: Mapping[str, T], word: Callable[[list[T]], Callable[..., Message]]
    ) -> bool:
        """Say them, and keep by these names that they were; False where the channel has snoozed its branch."""
        if await self._is_snoozed(news):
            for key in once if event is not Event.FLAKY else ():  # of this build alone: also where it runs again later
                await self._store.claims.first(_left_out(news, key), KEPT)
            return False
        for name, keys in (await self._posts(once)).items():
            await self._say(news, event, partial(word([once[key] for key in keys]), news.key), name)
            for key in keys:
                await self._store.claims.first(key, KEPT)
        return True

    async def _posts(self, once: Collection[str]) -> dict[str, list[str]]:
        """Return what is said together, by the name of its post: what a run before may have said, and died, stays so.

        By the next look there may be more to say: that is another post.
        """
        posts, mine = defaultdict[str, list[str]](list), _short(once)
        for key in once:
            posts[await self._store.claims.claim(_said_with(key), mine, KEPT)].append(key)
        return posts

    async def _say(self, news: About, event: Event, word: Callable[..., Message], name: str) -> "_Said":
        """Say it once, whoever died over it."""
        post = partial(self._post, news, event, name=f"{news.slug}:{news.number}:{news.key}:{event}:{name}")
        seen = self._seen(news, news.build)
        if thread_ts := await self._thread_of(news, event):
            below = Place(channel_id=news.channel_id, thread_ts=thread_ts)
            try:
                return _Said(await post(below, word(seen=seen, is_apart=False)), is_apart=False)
            except SlackError as error:
                if error.code not in THREAD_GONE:
                    raise
        return _Said(await post(Place(channel_id=news.channel_id), word(seen=seen, is_apart=True)), is_apart=True)

    async def _thread_of(self, news: About, event: Event) -> str:
        """Return below which message it stands: that about a branch that is red, or was until it; or about the build.

        What waits is for all to see once the branch is green, and what was deployed unless it repaired that.
        """
        if not news.has_threads:
            return ""
        if ref_named(news.branch).is_tag:
            return (await message_about(self._store.claims, news)).ts
        if (state := await self._known(news)) is not None and state.is_red:
            return state.root_ts or ""
        first = await first_message(self._store.claims, news)
        if not first or event is Event.WAITING:
            return ""
        has_repaired = await self._store.subscriptions.of_thread(news.channel_id, first) is not None
        return first if has_repaired or event is not Event.DEPLOYED else ""

    async def _known(self, news: About) -> Branch | None:
        return await self._store.subscriptions.known(news.channel_id, news.slug, news.key)

    async def _is_snoozed(self, news: About) -> bool:
        return await snooze_of(self._store, news.channel_id, news.slug, news.key) is not None

    async def _post(self, news: About, event: Event, place: Place, word: Message, *, name: str) -> str:
        return await tell_once(self._store, self._messenger, news, place, word, Post("occasion", name, event))

    def _seen(self, news: About, build: Build) -> red.Seen:
        return red.Seen(build, None, news.title, self._links)


class _Said(NamedTuple):
    """Where it stands: `is_apart` from what is said of its branch."""

    ts: str
    is_apart: bool


def _has_ended_for(news: About, hold: Hold) -> bool:
    """Say whether a message ended with the last rule about it: what is told again stands apart from that."""
    return (hold.channel_id, hold.branch) == (news.channel_id, news.key) and not hold.changes


def _waits_once(news: About, change: Change, before: str) -> str:
    return f"waiting:{news.channel_id}:{change.key}{before}"


def _said_with(key: str) -> str:
    return f"said-with:{key}"


def _short(names: Iterable[str]) -> str:
    return hashlib.sha256(",".join(sorted(names)).encode()).hexdigest()[:12]


def _left_out(news: About, name: str) -> str:
    """Name what was left out in a snooze: of these builds alone, as other rules of the channel may say it."""
    return f"left-out:{news.key}:{name}"
