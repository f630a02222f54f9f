"""One look at one pipeline: read it, compare, tell each thread, say when to look again."""

import time
from collections.abc import Awaitable, Set
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from bot import metrics
from bot.circleci.reads import Reads
from bot.circleci.report import report
from bot.errors import CircleCIError, RateLimited, SlackError, SlackLimited, Spent, Unauthorized
from bot.models.build import Build, Ended, Report, Snapshot, State
from bot.models.circleci import PipelineId
from bot.models.slack import Watch
from bot.settings import Settings
from bot.store import Store
from bot.store.watches import Known
from bot.triage.infrastructure import Pattern
from bot.watching.changes import changes
from bot.watching.engine import TRIAGE, Engine
from bot.watching.operator import Operator
from bot.watching.schedule import LATE, MOST_SLOWED, Ending, ending, next_delay
from bot.watching.teller import Teller
from bot.watching.triager import JUDGED, final_key, waiting
from formatters import final, replies, root
from formatters.blocks import Message
from formatters.links import Links

log = structlog.get_logger(__name__)

OUTAGE, LATE_TOLD = "outage", "late"
OUTAGE_AFTER = 3  # failed looks in a row before the threads are told
LINGER_INTERVALS = 60


class Sources(NamedTuple):
    """Where it reads: looks leave the others their share of requests, reports are read like commands."""

    looks: Reads
    reports: Reads
    patterns: tuple[Pattern, ...]


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
        self._settings = settings
        self._store = store
        self._sources = sources
        self._teller = teller
        self._links = links
        self._operator = operator

    async def look(self, pipeline_id: PipelineId) -> timedelta | None:
        """Look once; returns the pause before the next look, None when nothing is left to follow."""
        async with self._store.watches.try_fence(pipeline_id, self._settings.lease) as alone:
            if not alone:
                return self._settings.poll_interval
            known = await self._store.watches.known(pipeline_id)
            snapshot = known.snapshot
            try:
                build = await self._read(pipeline_id, snapshot.build)
                read = time.monotonic()
            except Spent as error:
                return await self._make_room(pipeline_id, snapshot, error)
            except CircleCIError as error:
                return await self._failed(pipeline_id, snapshot, error)
            delay = await self._seen(pipeline_id, known, build)
            if (lag := _lag(snapshot, build)) is not None:
                await self._note_lag(lag + timedelta(seconds=time.monotonic() - read))
            return delay

    async def _note_lag(self, lag: timedelta) -> None:
        metrics.RESULT_LAG.observe(lag.total_seconds())
        await self._store.pulse.note_lag(lag)

    async def _read(self, pipeline_id: PipelineId, known: Build | None) -> Build:
        build = await self._sources.looks.build(pipeline_id, known)
        cancelled_by_nobody = any(
            run.workflow.status == "canceled" and not run.workflow.canceled_by for run in build.real_runs
        )
        if build.state is not State.CANCELED or not cancelled_by_nobody:
            return build
        newer = await self._sources.looks.newer_pipeline(build)
        return build if newer is None else build.model_copy(update={"superseded_by": newer.number})

    async def _seen(self, pipeline_id: PipelineId, known: Known, build: Build) -> timedelta | None:
        snapshot = known.snapshot
        finished_since = _finished_since(snapshot, build)
        end = ending(build, finished_since, self._settings)
        watches = known.watches or await self._store.watches.of(pipeline_id)
        if not watches and await self._store.watches.stop(pipeline_id, ()):
            return None
        late = await self._tell_all(watches, build, end)
        slowed = max(snapshot.slowed - 1, 0)
        now = Snapshot(build=build, fingerprint=build.fingerprint, finished_since=finished_since, slowed=slowed)
        if not _nothing_new(snapshot, now):
            await self._store.watches.save_snapshot(pipeline_id, now)
        if late is not None:
            return late
        if not end.is_final:
            return self._next(build, end, slowed=slowed)
        if self._is_compared(build) and waiting(await self._store.watches.of(pipeline_id), build):
            await self._engine.add(TRIAGE, pipeline_id, build.fingerprint)
        since = build.read_at - (finished_since or build.pipeline.created_at)
        return await self._after_the_end(build, since, {watch.id for watch in watches}, known.unread)

    async def _tell_all(self, watches: list[Watch], build: Build, end: Ending) -> timedelta | None:
        """Tell each thread; returns the pause before another try when Slack would not take all of it."""
        evidence = None
        if end.is_final and any(final_key(build) not in watch.told for watch in watches):
            patterns = self._sources.patterns
            evidence = await report(self._sources.reports, build, patterns=patterns)
            await self._store.past.save_ended(Ended(build=build, report=evidence))
        late: timedelta | None = None
        for watch in watches:
            try:
                await self._tell(watch, build, end, evidence)
            except SlackLimited as error:
                late = max(late or error.retry_after, error.retry_after)
            except SlackError as error:
                log.warning("thread_not_told", pipeline=build.pipeline.id, method=error.method, code=error.code)
                late = late or self._settings.poll_interval * (1 if error.lost else LINGER_INTERVALS)
        return late

    async def _tell(self, watch: Watch, build: Build, end: Ending, evidence: Report | None) -> None:
        note = root.no_workflow() if end.is_final and not build.runs and build.state is State.WAITING else ""
        watch = await self._teller.root(watch, build, note=note, final=end.is_final)
        watch = await self._teller.over(watch, OUTAGE, replies.outage_over())
        watch = await self._teller.changes(watch, build, changes(watch.told, build))
        if end.is_final and final_key(build) not in watch.told:
            shown = watch.model_copy(update={"failure_before": watch.failure})
            word = final.final(build, evidence, shown, self._links, comparing=self._is_compared(build))
            await self._teller.final(watch, final_key(build), word, evidence.signature if evidence else "")

    def _is_compared(self, build: Build) -> bool:
        return self._settings.history_builds > 0 and build.state in JUDGED

    async def _make_room(self, pipeline_id: PipelineId, snapshot: Snapshot, error: Spent) -> timedelta:
        """Look again later, and more rarely from now on: what people ask for goes first."""
        slowed = min(snapshot.slowed + 1, MOST_SLOWED)
        delay = max(next_delay(snapshot.build, 0, self._settings, slowed=slowed), error.retry_after)
        if delay >= self._settings.poll_interval * LATE:
            log.info("news_late", pipeline=pipeline_id, seconds=delay.total_seconds())
            for watch in await self._store.watches.of(pipeline_id):
                await self._quietly(self._tell_late(watch, snapshot.build, replies.late()))
        await self._store.watches.save_snapshot(pipeline_id, snapshot.model_copy(update={"slowed": slowed}))
        return delay

    async def _tell_late(self, watch: Watch, build: Build | None, word: Message) -> None:
        watch = await self._teller.root(watch, build) if watch.root_ts is None else watch
        await self._teller.once(watch, LATE_TOLD, word)

    async def _failed(self, pipeline_id: PipelineId, snapshot: Snapshot, error: CircleCIError) -> timedelta | None:
        """Keep the watch through an outage: the log and the threads hear of its beginning, and of its end.

        Where nobody waits for it any more, it is not looked for any more.
        """
        if not await self._store.watches.any(pipeline_id) and await self._store.watches.stop(pipeline_id, ()):
            return None
        failures = snapshot.failures + 1
        if failures == 1:
            log.info("circleci_unreadable", pipeline=pipeline_id, error=repr(error))
        if isinstance(error, Unauthorized):
            await self._operator.token_refused(error.token)
        for watch in await self._store.watches.of(pipeline_id):
            await self._quietly(self._tell_outage(watch, snapshot.build, failures, error))
        await self._store.watches.save_snapshot(pipeline_id, snapshot.model_copy(update={"failures": failures}))
        delay = next_delay(snapshot.build, failures, self._settings)
        return max(delay, error.retry_after) if isinstance(error, RateLimited) else delay

    async def _tell_outage(self, watch: Watch, build: Build | None, failures: int, error: CircleCIError) -> None:
        if watch.root_ts is None:
            watch = await self._teller.root(watch, build)
        if failures >= OUTAGE_AFTER:
            await self._teller.once(watch, OUTAGE, replies.outage(error))

    @staticmethod
    async def _quietly(telling: Awaitable[None]) -> None:
        try:
            await telling
        except SlackError as error:
            log.warning("thread_not_told", method=error.method, code=error.code)

    def _next(self, build: Build, end: Ending, *, slowed: int) -> timedelta:
        delay = next_delay(build, 0, self._settings, slowed=slowed)
        return delay if end.wait is None else min(delay, max(end.wait, self._settings.poll_interval / 5))

    async def _after_the_end(
        self, build: Build, since: timedelta, seen: Set[str], unread: Set[str]
    ) -> timedelta | None:
        """Look now and then at what did not pass: somebody may rerun it on CircleCI's own page.

        The threads that another version alone can read must hear the end too, as long as anything is kept.
        """
        lingers = build.runs and build.state is not State.PASSED and since < self._settings.linger
        told = seen if since < timedelta(days=self._settings.retention_days) else seen | unread
        if not lingers and await self._store.watches.stop(build.pipeline.id, told):
            return None
        return self._settings.poll_interval * LINGER_INTERVALS


def _finished_since(snapshot: Snapshot, build: Build) -> datetime | None:
    if not build.workflows_finished:
        return None
    same = snapshot.fingerprint == build.fingerprint
    return snapshot.finished_since if same and snapshot.finished_since else build.read_at


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
