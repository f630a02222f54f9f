"""What earlier builds tell about a finished one: a verdict on all that failed, the transition, what to press. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from pydantic import Field

from bot.models.build import Build, JobReport, Report
from bot.models.circleci import Job, TestResult
from bot.models.fields import Model
from bot.models.history import Advice, Extent, Fewer, JobResults, Lane, PastBuild, Seen, Transition, Turn
from bot.triage.advice import advise, rerun_takes
from bot.triage.infrastructure import cause_of
from bot.triage.keeping import failing, key
from bot.triage.sightings import Results, like, numbers, seen_job, seen_test, with_data, workflows_of
from bot.triage.transitions import same_failure, transition
from bot.triage.verdicts import Kind, Past, Verdict, judge

TOGETHER = 5  # tests of a job that fail with one message, before that is one cause and not chance in each


class Triage(Model):
    """What the earlier builds tell about a finished one.

    `tests` are the verdicts by test key, `jobs` those by job id; `usual` the usual time of each failing step, by job
    id. `rerun_takes` is how long the failed jobs and those behind them take as a rule. `wait_for` is the pipeline that
    broke the base. `fewer` are the jobs whose passing proves less than it seems. `problem` says why the earlier builds
    could not be read.
    """

    extent: Extent
    tests: dict[str, Verdict] = Field(default_factory=dict)
    jobs: dict[str, Verdict] = Field(default_factory=dict)
    usual: dict[str, timedelta] = Field(default_factory=dict)
    transition: Transition | None = None
    advice: Advice = Advice.LOOK
    rerun_takes: timedelta | None = None
    wait_for: int | None = None
    fewer: tuple[Fewer, ...] = ()
    reruns_itself: bool = False
    problem: str = ""

    @property
    def attempts(self) -> int:
        """In how many attempts of this build a job failed that looks like infrastructure; 1 for no reruns of it."""
        return max((one.attempts for one in self.jobs.values() if one.is_repeated), default=1)


class Looked(NamedTuple):
    """What was read: the earlier builds of the base and of this branch, newest first, `today`'s, and test results.

    Where today's build is on the base itself, `here` is empty. `unread` counts the job runs whose results were not.
    """

    base_name: str
    base: Sequence[PastBuild]
    here: Sequence[PastBuild]
    today: PastBuild
    results: Results
    on_base: bool = False
    unread: int = 0
    usual: Mapping[str, timedelta] = {}

    @property
    def before(self) -> Sequence[PastBuild]:
        """The builds before today's on the same branch."""
        return self.base if self.on_base else self.here


def diagnose(build: Build, report: Report, looked: Looked) -> Triage:
    """Return the verdict on each failing test and job, and what follows from all of them."""
    tests = {failure_id(one, test): verdict for one in report.jobs for test, verdict in _of_tests(one, looked)}
    jobs = {job.id: verdict for job, verdict in _of_jobs(build, report, looked, tests)}
    past = [*looked.base, *looked.here]
    verdicts = [*tests.values(), *jobs.values()]
    unauthorized = any(job.status == "unauthorized" for run in build.real_runs for job in run.failed_jobs)
    refused = unauthorized or any(one.is_refused for one in report.jobs)
    return Triage(
        extent=Extent(
            base=looked.base_name, builds=len(past), with_data=with_data(past, looked.results), unread=looked.unread
        ),
        tests=tests,
        jobs=jobs,
        usual=dict(looked.usual),
        transition=_transition(build, report, looked),
        advice=Advice.LOOK if refused else advise(verdicts),
        rerun_takes=rerun_takes(build, past),
        wait_for=min((one.since for one in verdicts if one.kind is Kind.RED_ON_BASE and one.since), default=None),
    )


def failure_id(report: JobReport, test: TestResult) -> str:
    """Return what names a failing test in a build: its job and its key."""
    return f"{report.job.id}:{key(test)}"


def _of_tests(report: JobReport, looked: Looked) -> Iterator[tuple[TestResult, Verdict]]:
    """Yield a verdict on each failing test, unless so many failed that the job as a whole is to blame."""
    lane = Lane(report.workflow_name, report.job.name)
    results = looked.results.get(report.job.job_number or 0)
    if report.tests_failed > len(report.failed_tests):
        return
    of_base = like(lane, workflows_of(looked.base))
    base_runs = sum(looked.results[one].total > 0 for build in looked.base for one in _known(build, of_base, looked))
    renamed = _may_be_renamed(of_base, results, looked)
    judged = list(_judged(report, lane, looked, base_runs, renamed=renamed))
    together = Counter(test.message.strip() for test, verdict in judged if _fails_in_spells(verdict))
    for test, verdict in judged:
        others = together[test.message.strip()] if test.message.strip() and _fails_in_spells(verdict) else 0
        yield test, verdict if others < TOGETHER else _doubted(verdict, others)


def _fails_in_spells(verdict: Verdict) -> bool:
    """Say whether a test is called flaky though nobody saw it fail and pass on the same code."""
    return verdict.kind is Kind.FLAKE and not verdict.flips


def _doubted(verdict: Verdict, tests: int) -> Verdict:
    """Return what is known of a test that fails as many others do: of one cause, not each by chance."""
    cause = f"{tests} tests fail with one message, and none has passed on the same code"
    return verdict.model_copy(update={"kind": Kind.NOT_SURE, "cause": cause})


def _judged(
    report: JobReport, lane: Lane, looked: Looked, base_runs: int, *, renamed: bool
) -> Iterator[tuple[TestResult, Verdict]]:
    of_base, of_branch = (like(lane, workflows_of(builds)) for builds in (looked.base, looked.here))
    for test in report.failed_tests:
        test_key = key(test)
        seen = seen_test(test_key, lane, [looked.today], looked.results)
        base = seen_test(test_key, of_base, looked.base, looked.results)
        here = seen_test(test_key, of_branch, looked.here, looked.results)
        now = _failed_now(seen, lane, looked.today)
        yield test, judge(Past(base, here, now, base_runs, renamed, _passed_since(base, looked)))


def _known(build: PastBuild, lane: Lane, looked: Looked) -> list[int]:
    return [number for number in numbers(build, lane) if number in looked.results]


def _failed_now(seen: Sequence[Seen], lane: Lane, today: PastBuild) -> Seen:
    pipeline = today.pipeline
    if seen and seen[0].failed:
        return seen[0]
    number, revision, at = pipeline.number, pipeline.revision, pipeline.created_at
    return Seen(number=number, workflow=lane.workflow, revision=revision, at=at, failed=1)


def _may_be_renamed(lane: Lane, results: JobResults | None, looked: Looked) -> bool:
    """Say whether tests that the base has are missing today; not knowing counts as yes."""
    newest = next((looked.results[one] for build in looked.base for one in _known(build, lane, looked)[-1:]), None)
    if results is None or newest is None or not (results.is_whole and newest.is_whole):
        return True
    return bool(_keys(newest) - _keys(results))


def _keys(results: JobResults) -> set[str]:
    return {*results.passed.split(), *(key(test) for test in results.failed)}


def _of_jobs(
    build: Build, report: Report, looked: Looked, tests: Mapping[str, Verdict]
) -> Iterator[tuple[Job, Verdict]]:
    """Yield a verdict on each failed job that its tests do not explain."""
    lanes = {job.id: Lane(run.workflow.name, job.name) for run in build.real_runs for job in run.jobs}
    for one in report.jobs:
        cause = cause_of(one.job) or (one.step.cause if one.step else "")
        explained = any(failure_id(one, test) in tests for test in one.failed_tests)
        if cause:
            yield one.job, _infrastructure(one.job, cause, looked)
        elif not explained and not one.is_refused:
            yield one.job, _of_job(one.job, Lane(one.workflow_name, one.job.name), looked)
    for job in report.jobs_left_out:
        cause = cause_of(job)
        yield job, _infrastructure(job, cause, looked) if cause else _of_job(job, lanes[job.id], looked)


def _infrastructure(job: Job, cause: str, looked: Looked) -> Verdict:
    """Return the verdict on a job that no change can be blamed for; and how often that came of it in today's build."""
    runs = looked.today.runs
    name = next((run.workflow.name for run in runs if any(one.id == job.id for one in run.jobs)), "")
    again = (one for run in runs if run.workflow.name == name for one in run.jobs if one.name == job.name)
    without_tests = {one.job_number for one in again if one.is_failed and not _failing(one, looked)}
    return Verdict(kind=Kind.INFRASTRUCTURE, cause=cause, attempts=max(len(without_tests), 1))


def _failing(job: Job, looked: Looked) -> tuple[TestResult, ...]:
    kept = looked.results.get(job.job_number or 0)
    return failing(kept) if kept else ()


def _of_job(job: Job, lane: Lane, looked: Looked) -> Verdict:
    if job.job_number is None:  # nor have earlier ones, so that it would be new each time
        return Verdict(kind=Kind.NOT_SURE, cause="CircleCI gives it no number, so there is nothing to compare")

    def seen(builds: Sequence[PastBuild]) -> list[Seen]:
        return seen_job(like(lane, workflows_of(builds)), builds, looked.results)

    now = _failed_now(seen([looked.today]), lane, looked.today)
    base, here = seen(looked.base), seen(looked.here)
    return judge(Past(base, here, now, len(looked.base), may_be_renamed=True, is_over=_passed_since(base, looked)))


def _passed_since(seen: Sequence[Seen], looked: Looked) -> bool:
    """Say whether the base passed in or after the last build of it that ran something."""
    return bool(seen) and any(one.is_green and one.pipeline.number >= seen[0].number for one in looked.base)


def _transition(build: Build, report: Report, looked: Looked) -> Transition | None:
    found = transition(build, looked.before)
    if found is None or found.turn is not Turn.STILL_BROKEN:
        return found
    before = looked.before[0]
    lanes = {Lane(job.workflow_name, job.job.name): job.failed_tests for job in report.jobs}
    now = {(lane, key(test)) for lane, tests in lanes.items() for test in tests}
    then = {
        (lane, key(test))
        for lane in lanes
        for number in _known(before, lane, looked)[-1:]
        for test in failing(looked.results[number])
    }
    if same_failure(now, then):
        return found.model_copy(update={"same_as": before.pipeline.number})
    is_another = now and then and not now & then and _all_by_tests(report, before, lanes)
    return found.model_copy(update={"unlike": before.pipeline.number}) if is_another else found


def _all_by_tests(report: Report, before: PastBuild, lanes: Collection[Lane]) -> bool:
    """Say whether all that failed today and before are tests that are known, in the same jobs."""
    whole = all(one.failed_tests and one.tests_failed == len(one.failed_tests) for one in report.jobs)
    then = {Lane(run.workflow.name, job.name) for run in before.newest for job in run.failed_jobs}
    return whole and not report.jobs_left_out and then <= set(lanes)
