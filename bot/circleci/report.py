"""The evidence of a finished build, gathered with few requests; what cannot be read becomes a sentence."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from bot.circleci.history import keep_results
from bot.circleci.logs import tail
from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Elsewhere, Rejected, TooLarge
from bot.models.build import Build, FailingStep, JobReport, Report, Run, State
from bot.models.circleci import Action, Artifact, ClassicBuild, Job, ProjectSlug, Step, TestResult
from bot.store.past import Past
from bot.together import together
from bot.triage.attempts import settled
from bot.triage.infrastructure import OURS, Pattern, cause_in
from bot.triage.quoting import quote

MOST_REQUESTS = 8
MOST_PAGES = 5  # of test results, or of files, of one job; where there are several jobs, of each less
LOG_LINES, MOST_LINES = 30, 20_000
MOST_TESTS = 200  # failing ones of a job; those beyond are counted

T = TypeVar("T")


class _Listed(NamedTuple, Generic[T]):
    """What was read of a list, and whether there is more."""

    found: tuple[T, ...] = ()
    more: bool = False


async def report(
    circleci: Reads,
    build: Build,
    *,
    max_jobs: int = 4,
    with_log: bool = False,
    patterns: Sequence[Pattern] = OURS,
    past: Past | None = None,
) -> Report:
    """Return what failed and why, or what a passed build stored; never raises a CircleCIError.

    Only failed jobs are looked into, at most `max_jobs` of them, for three or four requests each. The log is read
    where there are no failing tests, and the lines of it that tell why; `with_log` asks for its end in any case.
    `patterns` are those of infrastructure. In the `past` test results that were read whole are kept, to compare with.
    """
    failed = [(run, job) for run in build.runs for job in run.failed_jobs]
    # A job without a number never started: there is less to find out about it.
    failed.sort(key=lambda pair: pair[1].job_number is None)
    if not failed:
        return await _stored(circleci, build) if build.state is State.PASSED else Report()
    chosen, left_out = failed[:max_jobs], failed[max_jobs:]
    pages = MOST_PAGES if len(chosen) == 1 else 2
    slug = build.pipeline.project_slug
    looks = [_Look(circleci, slug, run, job, patterns, past).report(pages, with_log=with_log) for run, job in chosen]
    return Report(jobs=tuple(await together(*looks)), jobs_left_out=tuple(job for _, job in left_out))


async def _stored(circleci: Reads, build: Build) -> Report:
    """Return the artifacts of a passed build's first jobs."""
    jobs = [job for run in build.real_runs for job in run.jobs if job.type != "approval"]
    numbers = {job.job_number: job.name for job in jobs if job.job_number is not None}
    slug, problems = build.pipeline.project_slug, list[str]()
    reads = [circleci.some_artifacts(slug, number, MOST_PAGES) for number in [*numbers][:MOST_REQUESTS]]
    read = await together(*(_or_problem(read, "artifacts could not be listed", problems) for read in reads))
    lists = [_Listed(_of_job(one[0], name), one[1]) for one, name in zip(read, numbers.values(), strict=False) if one]
    if len(numbers) > MOST_REQUESTS:
        problems.append(f"artifacts of {len(numbers) - MOST_REQUESTS} more jobs were not looked up")
    return Report(
        artifacts=tuple(artifact for one in lists for artifact in one.found),
        more_artifacts=any(one.more for one in lists),
        artifacts_problem="; ".join(dict.fromkeys(problems)),
    )


def _of_job(files: Iterable[Artifact], name: str) -> tuple[Artifact, ...]:
    return tuple(file.model_copy(update={"job_name": name}) for file in files)


class _Look:
    """One look into one failed job."""

    def __init__(  # all it asks, and whom
        self, circleci: Reads, slug: ProjectSlug, run: Run, job: Job, patterns: Sequence[Pattern], past: Past | None
    ) -> None:
        self._circleci, self._slug, self._past = circleci, slug, past
        self._run, self._job, self._patterns = run, job, patterns
        self._problems: list[str] = []

    async def report(self, pages: int, *, with_log: bool) -> JobReport:
        """Return what could be found out."""
        number = self._job.job_number
        if number is None:
            return JobReport(job=self._job, workflow_name=self._run.workflow.name, problems=("it never started",))
        tests, files, detail = await self._read(number, pages)
        results = await asyncio.to_thread(settled, tests.found)
        failed = results.failed
        step = await self._step(detail, read=with_log or not failed, whole_end=with_log) if detail else None
        return JobReport(
            job=self._job,
            workflow_name=self._run.workflow.name,
            failed_tests=failed[:MOST_TESTS],
            tests_failed=len(failed),
            tests_total=len(results.tests),
            more_tests=tests.more,
            flaky_tests=results.flaky[:MOST_TESTS],
            step=step,
            reasons=detail.reasons if detail and step is None else (),
            artifacts=_of_job(files.found, self._job.name),
            more_artifacts=files.more,
            problems=tuple(self._problems),
        )

    async def _read(
        self, number: int, pages: int
    ) -> tuple[_Listed[TestResult], _Listed[Artifact], ClassicBuild | None]:
        tests = self._circleci.some_tests(self._slug, number, pages)
        artifacts = self._circleci.some_artifacts(self._slug, number, pages)
        async with asyncio.TaskGroup() as group:
            tests_task = group.create_task(self._try(tests, "test results could not be read"))
            files_task = group.create_task(self._try(artifacts, "artifacts could not be listed"))
            detail = self._circleci.job_steps(self._slug, number)
            detail_task = group.create_task(self._try(detail, "the failing step could not be read"))
        found = _Listed(*(tests_task.result() or ()))
        if found.more:
            self._problems.append(f"only the first {len(found.found)} test results were read")
        elif self._past and tests_task.result() is not None:
            await keep_results(self._past, self._slug, number, found.found, is_whole=True)
        return found, _Listed(*(files_task.result() or ())), detail_task.result()

    async def _step(self, detail: ClassicBuild, *, read: bool, whole_end: bool) -> FailingStep | None:
        step = next((step for step in detail.steps if any(action.is_failed for action in step.actions)), None)
        if step is None:
            if not detail.reasons:
                listed = "names no failing step" if detail.steps else "lists no steps of it"
                self._problems.append(f"CircleCI {listed}, and gives no reason")
            return None
        found = failing_step(step, detail)
        first = next(action for action in step.actions if action.is_failed)
        return await self._with_log(found, first, whole_end=whole_end) if read and first.has_output else found

    async def _with_log(self, step: FailingStep, action: Action, *, whole_end: bool) -> FailingStep:
        if not action.output_url:
            self._problems.append("the log is not uploaded yet")
            return step
        output = await self._try(self._circleci.output(action.output_url), "the log could not be read")
        if output is None:
            return step
        if not output.complete:
            self._problems.append("the log could not be read to its end in time")
        lines, quoted, cause = await asyncio.to_thread(_understood, output.text, self._patterns)
        shown = lines[-LOG_LINES:] if whole_end else quoted
        shortened = output.shortened or not output.complete or shown != lines
        return step.model_copy(update={"lines": shown, "log_shortened": shortened, "cause": cause})

    async def _try(self, work: Coroutine[Any, Any, T], sentence: str) -> T | None:
        return await _or_problem(work, sentence, self._problems)


def _understood(text: str, patterns: Sequence[Pattern]) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return a log's lines, those that tell why, and what trouble with the infrastructure they speak of."""
    lines = tail(text, MOST_LINES)
    quoted = quote(lines)
    return lines, quoted, cause_in(quoted, patterns)


def failing_step(step: Step, detail: ClassicBuild) -> FailingStep:
    """Say where a step failed: in which of the job's containers, and how."""
    failed = [action for action in step.actions if action.is_failed]
    last = max(action.index for each in detail.steps for action in each.actions)
    return FailingStep(
        name=step.name or failed[0].name,
        status=failed[0].status or "failed",
        exit_code=failed[0].exit_code,
        run_time=failed[0].run_time,
        indexes=tuple(sorted({action.index for action in failed})),
        parallelism=last + 1,
    )


async def _or_problem(work: Coroutine[Any, Any, T], sentence: str, problems: list[str]) -> T | None:
    """Return the result of `work`, or nothing and say so in `problems`, with CircleCI's reason where it gave one."""
    try:
        return await work
    except Rejected as error:
        problems.append(f"{sentence}: {error.message}")
    except (Elsewhere, TooLarge) as error:
        problems.append(f"{sentence}: {error.reason}")
    except CircleCIError:
        problems.append(sentence)
    return None
