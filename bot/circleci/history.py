"""Earlier builds and their test results: what has ended is read once and kept in Redis, but each may be rerun."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple, ParamSpec, TypeVar

from bot.circleci.builds import SETTLED_STATES
from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Rejected, Unauthorized, Unavailable
from bot.models.build import Build, Run
from bot.models.circleci import ClassicBuild, Pipeline, PipelineId, ProjectSlug, TestResult
from bot.models.history import TESTED_STATUSES, Insight, JobResults, Lane, PastBuild
from bot.store.past import Past
from bot.together import together
from bot.triage.keeping import are_ours, results
from bot.triage.sightings import like, runs_of, workflows_of

AT_ONCE = 6  # so that a long history leaves the connections, and the turns, to others
STRIDES = (1, 2, 4, 8)  # pages of pipelines: further ones are read where those before do not tell enough
MOST_KEPT = 160  # pipelines of a branch
MOST_TEST_PAGES = 20
STEP_SAMPLES = 3

P = ParamSpec("P")
T = TypeVar("T")


class Tested(NamedTuple):
    """The results of job runs by their number, and how many could not be read."""

    results: dict[int, JobResults]
    unread: int = 0


class History:
    """Reads the past of a branch; raises a CircleCIError only where nothing of it can be read."""

    def __init__(self, circleci: Reads, past: Past) -> None:
        self._circleci = circleci
        self._past = past
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def builds(
        self, slug: ProjectSlug, branch: str, last: int, *, before: int | None = None
    ) -> tuple[PastBuild, ...]:
        """Return the newest builds of a branch that have ended, newest first, at most `last`.

        With `before`, only those with a smaller number. Pipelines without a workflow are none, however many: with path
        filters most may be so.
        """
        found: list[PastBuild] = []
        looked_at = set[PipelineId]()
        for pages in STRIDES if last > 0 else ():
            listed = await self._listed(slug, branch, pages)
            older = [one for one in listed if one.id not in looked_at and (before is None or one.number < before)]
            looked_at |= {one.id for one in listed}
            while older and len(found) < last:
                missing = last - len(found)
                chunk, older = older[:missing], older[missing:]
                read = await together(*(self._in_turn(self.build, pipeline) for pipeline in chunk))
                found += [one for one in read if one is not None and one.runs]
            if len(found) >= last:
                break
        return tuple(found[:last])

    async def _listed(self, slug: ProjectSlug, branch: str, pages: int) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of a branch: so many pages are read, and what is behind them may be kept."""
        newest, kept = await self._circleci.pipelines(slug, branch, pages), await self._past.listed(slug, branch)
        listed = goes_on(newest, kept)
        # What is on one page is read all the same.
        if (pages > 1 or len(listed) > len(newest)) and (old := settled(listed)[:MOST_KEPT]) != kept:
            await self._past.save_listed(slug, branch, old)
        return listed

    async def build(self, pipeline: Pipeline, seen: Build | None = None) -> PastBuild | None:
        """Return a pipeline with every attempt of its workflows; None while one of them runs, or is not readable.

        One that is kept costs a request too, for the list of its workflows: what passed may be rerun and break. Where
        that list cannot be read, it is what it was. What was `seen` of it just now is not read again.
        """
        known = await self._past.build(pipeline.id)
        try:
            attempts = await self._attempts(pipeline, known.runs if known else (), seen)
        except Unauthorized:
            raise
        except CircleCIError:
            return known
        if known and not attempts:
            return known  # CircleCI has forgotten them
        if not all(run.workflow.is_finished for run in attempts):
            return None
        runs = tuple(run for run in attempts if not run.workflow.is_setup)
        build = PastBuild(pipeline=pipeline, runs=runs)
        whole = not any(run.jobs_unread for run in runs)
        if runs and whole and pipeline.state in SETTLED_STATES and build != known:
            await self._past.save_build(build)
        return build

    async def _attempts(self, pipeline: Pipeline, known: Sequence[Run], seen: Build | None) -> tuple[Run, ...]:
        if seen and all(run.attempt == 1 for run in seen.runs):
            return seen.runs  # there are no others
        return await self._circleci.attempts(pipeline.id, (*known, *(seen.runs if seen else ())))

    async def tests(
        self,
        slug: ProjectSlug,
        builds: Iterable[PastBuild],
        names: Iterable[str] | None = None,
        *,
        if_failed: Iterable[str] = (),
    ) -> Tested:
        """Return the results of the builds' jobs: a request for each that is not kept yet.

        With `names`, those of the jobs so named, and of those named in `if_failed` where they failed.
        """
        wanted, failed = None if names is None else set(names), set(if_failed)
        numbers = [
            job.job_number
            for build in builds
            for job in build.jobs
            if job.job_number is not None
            and job.status in TESTED_STATUSES
            and (wanted is None or job.name in wanted or (job.is_failed and job.name in failed))
        ]
        kept = {number: one for number, one in (await self._past.job_results(slug, numbers)).items() if are_ours(one)}
        missing = [number for number in dict.fromkeys(numbers) if number not in kept]
        read = await together(*(self._in_turn(self._results, slug, number) for number in missing))
        fresh = {number: one for number, one in zip(missing, read, strict=True) if one is not None}
        return Tested({**kept, **fresh}, unread=len(missing) - len(fresh))

    async def _results(self, slug: ProjectSlug, number: int) -> JobResults | None:
        try:
            tests, more = await self._circleci.some_tests(slug, number, MOST_TEST_PAGES)
        except Rejected as error:
            # They have expired, or the token may not see them just now: that is nothing to keep.
            return JobResults(is_whole=False) if error.is_gone else None
        except CircleCIError:
            return None
        return await keep_results(self._past, slug, number, tests, is_whole=not more)

    async def usual_step_time(
        self, slug: ProjectSlug, lane: Lane, step: str, builds: Sequence[PastBuild]
    ) -> timedelta | None:
        """Return how long a step of a job took in the newest runs that passed; None where that is not known."""
        known = like(lane, workflows_of(builds))
        numbers = [
            job.job_number
            for build in builds
            for job in runs_of(build, known)
            if job.status == "success" and job.job_number is not None
        ]
        steps = await together(*(self._in_turn(self._steps, slug, number) for number in numbers[:STEP_SAMPLES]))
        times = sorted(times[step] for times in steps if step in times)
        return timedelta(seconds=times[len(times) // 2]) if times else None

    async def _steps(self, slug: ProjectSlug, number: int) -> dict[str, float]:
        """Return the seconds that each step of a job took."""
        kept = await self._past.step_times(slug, number)
        if kept is not None:
            return kept
        try:
            times = step_times(await self._circleci.job_steps(slug, number))
        except CircleCIError:
            return {}
        await self._past.save_step_times(slug, number, times)
        return times

    async def insight(self, slug: ProjectSlug) -> tuple[Insight, ...] | None:
        """Return what CircleCI itself calls flaky; None where it does not say."""
        try:
            return await self._circleci.flaky_tests(slug)
        except (Rejected, Unavailable):
            return None

    async def _in_turn(self, read: Callable[P, Awaitable[T]], *what: P.args, **more: P.kwargs) -> T:
        """Read it when it is its turn; what is cut off before that has not begun."""
        async with self._turns:
            return await read(*what, **more)


async def keep_results(
    past: Past, slug: ProjectSlug, number: int, tests: Sequence[TestResult], *, is_whole: bool
) -> JobResults:
    """Keep the test results of a job, for whoever compares with it, and return them as they are kept."""
    # Thousands of tests take a while, and others wait for the loop.
    made = await asyncio.to_thread(results, tests, is_whole=is_whole)
    await past.save_job_results(slug, number, made)
    return made


def goes_on(newest: Sequence[Pipeline], kept: Sequence[Pipeline]) -> tuple[Pipeline, ...]:
    """Return the newest pipelines, and those behind them as they are kept, where surely nothing lies in between."""
    places = {one.id: place for place, one in enumerate(kept)}
    last = places.get(newest[-1].id) if newest else None
    return tuple(newest) if last is None else (*newest, *kept[last + 1 :])


def settled(listed: Sequence[Pipeline]) -> tuple[Pipeline, ...]:
    """Return the end of a list that will not change any more, without a gap."""
    young = [place for place, one in enumerate(listed) if one.state not in SETTLED_STATES]
    return tuple(listed[young[-1] + 1 :] if young else listed)


def step_times(build: ClassicBuild) -> dict[str, float]:
    """Return the seconds that each step took, in its slowest container; the first of two of one name."""
    found: dict[str, float] = {}
    for step in build.steps:
        times = [action.run_time.total_seconds() for action in step.actions if action.run_time is not None]
        if times:
            found.setdefault(step.name, max(times))
    return found
