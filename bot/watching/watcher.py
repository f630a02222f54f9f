"""One look at one pipeline: read it, compare, tell each thread, say when to look again."""

import time
from collections.abc import Set
from datetime import datetime, timedelta
from typing import NamedTuple

from bot import metrics
from bot.circleci.reads import Reads
from bot.circleci.report import report
from bot.errors import CircleCIError, Spent, StoreError
from bot.models.build import Build, Ended, Report, Snapshot, State
from bot.models.circleci import PipelineId
from bot.models.slack import Watch, utc_now
from bot.settings import Projects, Settings
from bot.store import Store
from bot.store.watches import Known
from bot.triage.infrastructure import Pattern
from bot.watching import aloud
from bot.watching.changes import changes
from bot.watching.elsewhere import Elsewhere
from bot.watching.engine import TRIAGE, Engine
from bot.watching.hearing import Hearing, is_news
from bot.watching.inbox import Inbox
from bot.watching.line import in_line, standing
from bot.watching.operator import Operator
from bot.watching.reading import read
from bot.watching.schedule import Ending, ending, is_forgotten, next_delay
from bot.watching.teller import Teller
from bot.watching.threads import Threads, Told
from bot.watching.triager import JUDGED, final_key, waiting
from bot.watching.trouble import OUTAGE, OUTAGE_AFTER, Trouble
from formatters import final, replies
from formatters.closing import closing
from formatters.links import Links
from formatters.words import MARKS

LINGER_INTERVALS = 60


class Sources(NamedTuple):
    """Where it reads: looks leave the others their share of requests, reports are read like commands.

    `patterns` tell of trouble with the infrastructure, `projects` what the file says of each.
    """

    looks: Reads
    reports: Reads
    patterns: tuple[Pattern, ...]
    projects: Projects


class _Kept(NamedTuple):
    """What is known of a build from now on, and why not all of it could be written down."""

    snapshot: Snapshot
    error: Exception | None = None


class Watcher:
    """Follows pipelines; one look at a time for each, over all processes."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sources: Sources,
        teller: Teller,
        links: Links,
        operator: Operator,
        engine: Engine,
    ) -> None:
        self._engine = engine
        self._inbox = Inbox(store, engine, settings.settle)
        self._settings = settings
        self._store = store
        self._sources = sources
        self._teller = teller
        self._links = links
        self._threads = Threads(store.watches, teller, operator, settings.poll_interval)
        self._trouble = Trouble(settings, store.watches, teller, operator, self._threads)
        self._hearing = Hearing(settings, store.hooks)
        self._aloud = aloud.Aloud(sources.projects, store.ends)
        self._elsewhere = Elsewhere(self._aloud, teller, links)
        self._keep = timedelta(days=settings.retention_days)

    async def look(self, pipeline_id: PipelineId, known: Known) -> timedelta | None:
        """Look once; returns the pause before the next look, None when nothing is left to follow.

        Whoever looks has the pipeline to themselves (`bot/watching/rounds.py`).
        """
        try:
            return await self._look_if_due(pipeline_id, known)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  # it is counted and logged there
            return await self._trouble.broke(pipeline_id, known.snapshot, error)

    async def _look_if_due(self, pipeline_id: PipelineId, known: Known) -> timedelta | None:
        """Look, unless webhooks alone asked for it, of what a look has seen that was under way when they came."""
        has_news = is_news(known.asked, known.snapshot.build)
        if known.asked and not has_news and known.due:
            return known.due
        if (late := await self._begun(known)) is not None:
            return late
        return await self._look(pipeline_id, known, has_news=has_news)

    async def _begun(self, known: Known) -> timedelta | None:
        """Let threads that asked for it see that it began, before CircleCI is asked how it stands.

        Returns the pause before another try where Slack does not take that yet.
        """
        if known.snapshot.build is not None:
            return None

        async def show(watch: Watch) -> None:
            await self._teller.root(watch, None)

        told = await self._threads.each((one for one in known.watches if one.has_begun_it and not one.root_ts), show)
        return told.late

    async def _look(self, pipeline_id: PipelineId, known: Known, *, has_news: bool) -> timedelta | None:
        snapshot = known.snapshot
        if has_news:
            snapshot = snapshot.model_copy(update={"has_news": True})
        try:
            with standing(in_line(pipeline_id, snapshot, known, self._settings)):
                build = await read(self._sources.looks, pipeline_id, snapshot, is_young=known.is_young)
        except Spent as error:
            return await self._trouble.make_room(pipeline_id, snapshot, error)
        except CircleCIError as error:
            return await self._trouble.unread(pipeline_id, snapshot, error)
        began = time.monotonic()
        delay = await self._seen(pipeline_id, known, build)
        if (lag := _lag(snapshot, build)) is not None:
            await self._note_lag(lag + timedelta(seconds=time.monotonic() - began))
        return delay

    async def _note_lag(self, lag: timedelta) -> None:
        metrics.RESULT_LAG.observe(lag.total_seconds())
        await self._store.pulse.note_lag(lag)

    async def _seen(self, pipeline_id: PipelineId, known: Known, build: Build) -> timedelta | None:
        snapshot = known.snapshot
        watches = known.watches
        if not all(watch.root_ts for watch in watches) or not watches:  # they may have one by now
            watches = await self._store.watches.of(pipeline_id)
        is_past = any(watch.known_end == build.fingerprint for watch in watches)
        finished_since = _finished_since(snapshot, build, is_past=is_past)
        end = ending(build, finished_since, self._settings)
        if not watches and await self._store.watches.stop(pipeline_id, ()):
            return None
        told = await self._tell_all(watches, build, end, bare=snapshot.broken >= OUTAGE_AFTER)
        now = Snapshot(build=build, fingerprint=build.fingerprint, finished_since=finished_since)
        kept = await self._remember(pipeline_id, snapshot, now)
        if (error := told.error or (kept.error if not end.is_final else None)) is not None:
            trouble = snapshot.model_dump(include={"failures", "unread_since", "broken"})
            broke = told.broke if told.error is not None else None
            return await self._trouble.broke(pipeline_id, kept.snapshot.model_copy(update=trouble), error, broke)
        await self._trouble.over(pipeline_id, snapshot)
        if told.late is not None:
            return told.late
        if not end.is_final:
            if known.is_noticed:
                await self._inbox.goes_on(build)
            is_told = bool(watches) and await self._hearing.is_told(watches[0].project_slug, build)
            return self._next(build, end, is_young=known.is_young, is_told=is_told)
        await self._elsewhere.tell(watches, build)
        await self._inbox.ended(build)
        if self._is_compared(build) and waiting(await self._store.watches.of(pipeline_id), build):
            await self._engine.add(TRIAGE, pipeline_id, build.fingerprint)
        if known.is_young and watches and all(final_key(build) in watch.told for watch in watches):
            return self._settings.poll_interval  # what the act began does not show yet
        if {one.id for one in await self._store.watches.of(pipeline_id)} - {watch.id for watch in watches}:
            return self._settings.poll_interval  # whoever began to follow meanwhile hears the end
        since = build.read_at - (finished_since or build.pipeline.created_at)
        return await self._after_the_end(build, since, {watch.id for watch in watches}, known.unread)

    async def _remember(self, pipeline_id: PipelineId, before: Snapshot, now: Snapshot) -> "_Kept":
        """Keep what was seen; what cannot be written down is no reason to forget when the build ended."""
        try:
            if not _nothing_new(before, now):
                await self._store.watches.save_snapshot(pipeline_id, now)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  # it is counted and logged by who asked
            return _Kept(now.model_copy(update={"build": None}), error)
        return _Kept(now)

    async def _tell_all(self, watches: list[Watch], build: Build, end: Ending, *, bare: bool) -> Told:
        """Tell each thread; `bare`, the end alone, where the evidence for it has kept it from them too often."""
        over = end.is_final or build.workflows_finished
        forgotten = [watch for watch in watches if not over and is_forgotten(build, watch, self._keep, utc_now())]
        if forgotten:
            state = MARKS[build.state].partition(" ")[2].lower()
            left = await self._threads.let_go(
                forgotten, lambda watch: replies.let_go_of_quiet(watch, state, build.quiet)
            )
            watches = [watch for watch in watches if watch not in forgotten]
            if left.late is not None or left.error is not None:
                return left
        evidence = None
        if end.is_final and not bare and any(final_key(build) not in watch.told for watch in watches):
            past, patterns = self._store.past, self._sources.patterns
            evidence = await report(self._sources.reports, build, patterns=patterns, past=past)
            await self._store.past.save_ended(Ended(build=build, report=evidence))

        speakers = aloud.speakers(watches, build)

        async def tell(watch: Watch) -> None:
            await self._tell(watch, build, end, evidence, speaks=watch.id in speakers)

        return await self._threads.each(watches, tell)

    async def _tell(self, watch: Watch, build: Build, end: Ending, evidence: Report | None, *, speaks: bool) -> None:
        if end.is_final and final_key(build) not in watch.told:
            watch = await self._teller.closing(watch, closing(build, evidence))
        watch = await self._teller.root(watch, build, final=end.is_final)
        if OUTAGE in watch.told:
            watch = await self._teller.over(watch, OUTAGE, replies.outage_over())
        watch = await self._teller.changes(watch, build, changes(watch.told, build))
        watch = await self._teller.decided(watch, build)
        if end.is_final and final_key(build) not in watch.told:
            watch = await self._tell_the_end(watch, build, evidence, speaks=speaks)
        if end.is_final:  # where Slack's limit kept the root back, the word that pings has not waited for it
            await self._teller.root(watch, build, final=True, urgent=True)

    async def _tell_the_end(self, watch: Watch, build: Build, evidence: Report | None, *, speaks: bool) -> Watch:
        """Post the final reply; all threads of a channel know what it has heard, one of them `speaks` to it."""
        shown = watch.model_copy(update={"failure_before": watch.failure})
        is_for_all = await self._aloud.is_news(shown, build, evidence)
        about = final.for_the_channel(build, watch, self._links) if is_for_all else None
        comparing = evidence is not None and self._is_compared(build)
        word = final.final(build, evidence, shown, self._links, comparing=comparing, about=about)
        signature, also = evidence.signature if evidence else "", (aloud.key(build),) if is_for_all else ()
        is_aloud = is_for_all and speaks
        return await self._teller.final(watch, final_key(build), word, signature, *also, aloud=is_aloud)

    def _is_compared(self, build: Build) -> bool:
        return self._settings.history_builds > 0 and build.state in JUDGED

    def _next(self, build: Build, end: Ending, *, is_young: bool, is_told: bool) -> timedelta:
        delay = next_delay(build, 0, self._settings, is_young=is_young, is_told=is_told)
        return delay if end.wait is None else min(delay, max(end.wait, self._settings.pace))

    async def _after_the_end(
        self, build: Build, since: timedelta, seen: Set[str], unread: Set[str]
    ) -> timedelta | None:
        """Look now and then at what has ended: somebody may rerun it on CircleCI's own page, or a workflow come late.

        What passed is looked at for a shorter time. The threads that another version alone can read must hear the end
        too, as long as anything is kept.
        """
        linger = self._settings.linger / 4 if build.state is State.PASSED else self._settings.linger
        lingers = build.runs and since < linger
        told = seen if since < self._keep else seen | unread
        if not lingers and await self._store.watches.stop(build.pipeline.id, told):
            return None
        return self._settings.poll_interval * LINGER_INTERVALS


def _finished_since(snapshot: Snapshot, build: Build, *, is_past: bool) -> datetime | None:
    """Return when this attempt was first seen finished; what `is_past` was over before anybody had it followed."""
    if not build.workflows_finished:
        return None
    same = snapshot.fingerprint == build.fingerprint
    first = build.stopped_at if is_past and build.stopped_at else build.read_at
    return snapshot.finished_since if same and snapshot.finished_since else first


def _nothing_new(before: Snapshot, now: Snapshot) -> bool:
    """Say whether a look saw what the one before saw: most do, and need not be written down."""
    if before.build is None or now.build is None:
        return False
    return now.model_copy(update={"build": now.build.model_copy(update={"read_at": before.build.read_at})}) == before


def _lag(snapshot: Snapshot, build: Build) -> timedelta | None:
    """Return how old the end of a build was when it was first seen, on CircleCI's clock; None at any other look."""
    seen_before = snapshot.finished_since is not None and snapshot.fingerprint == build.fingerprint
    if snapshot.build is None or build.stopped_at is None or seen_before:
        return None
    return max(build.read_at - build.stopped_at, timedelta(0))
