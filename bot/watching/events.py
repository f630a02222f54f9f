"""What a build is news of beside how its branch stands: what waits, was deployed, is slow, or is flaky. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from statistics import median

from bot.models.build import Build, Change, ChangeKind, Report, State
from bot.models.circleci import Job, JobId, TestResult
from bot.models.globs import matches
from bot.models.history import JobResults
from bot.models.occasions import Failure, Slow
from bot.triage.keeping import has_failed, has_passed, key
from bot.watching.changes import noteworthy

FEWEST = 5  # builds that passed, before another one can be slow
TIMES, AT_LEAST = 2, timedelta(minutes=1)
MOST_FAILED = 50  # tests, of which each may be flaky: of more at once the cause is another one
LONGEST_NAME = 200


def held(build: Build, known: Collection[JobId]) -> tuple[Change, ...]:
    """Return the jobs that wait for an approval, but those that are known to."""
    found = (one for one in noteworthy(build) if one.kind is ChangeKind.ON_HOLD)
    return tuple(one for one in found if one.job is not None and one.job.id not in known)


def waited(build: Build, known: Collection[JobId]) -> list[Change]:
    """Return the jobs that have waited for an approval, and do no more, as they were then; but those known."""
    over = [(run.workflow, job) for run in build.runs for job in run.jobs if _has_waited(job)]
    then = {"status": "on_hold"}
    return [
        Change(kind=ChangeKind.ON_HOLD, workflow=workflow, job=job.model_copy(update=then))
        for workflow, job in over
        if job.id not in known
    ]


def _has_waited(job: Job) -> bool:
    return job.is_approval and not job.waits_for_approval and job.status != "blocked"


def deployed(build: Build, globs: Sequence[str]) -> list[Job]:
    """Return the jobs with such names that passed."""
    jobs = (job for run in build.real_runs for job in run.jobs if job.type != "approval")
    return [job for job in jobs if job.status == "success" and matches(globs, [job.name])]


def took(build: Build) -> timedelta:
    """Return how long a build took by itself: what waited for people is none of it."""
    return max(build.elapsed - build.on_hold, timedelta(0))


def is_whole(build: Build) -> bool:
    """Say whether how long it took can be compared: it passed, and no part of it ran twice."""
    return build.state is State.PASSED and not build.reruns


def slow(build: Build, before: Sequence[timedelta]) -> Slow | None:
    """Return that a build passed, but in more than twice the median of those before, and at least a minute more."""
    if not is_whole(build) or len(before) < FEWEST:
        return None
    found = Slow(
        now=took(build), usual=timedelta(seconds=median(one.total_seconds() for one in before)), builds=len(before)
    )
    return found if found.now > TIMES * found.usual and found.now - found.usual >= AT_LEAST else None


def failures(build: Build, report: Report) -> list[Failure]:
    """Return the tests that failed in a build, unless too many did for each to be looked at."""
    if report.tests_failed > MOST_FAILED:
        return []
    return [_failure(build, one.workflow_name, one.job, test) for one in report.jobs for test in one.failed_tests]


def retried(build: Build, report: Report) -> list[Failure]:
    """Return those that failed, and passed in the same job when they were tried again."""
    found = [_failure(build, one.workflow_name, one.job, test) for one in report.jobs for test in one.flaky_tests]
    return found if len(found) <= MOST_FAILED else []


def flaky(failed: Iterable[Failure], build: Build, results: Mapping[int, JobResults]) -> list[Failure]:
    """Return those of the tests that had failed on its commit and pass in a build, in the same job."""
    return [one for one in failed if any(_passes(one, found) for found in _results(one, build, results))]


def _results(one: Failure, build: Build, results: Mapping[int, JobResults]) -> Iterator[JobResults]:
    for run in build.real_runs:
        if run.workflow.name == one.workflow:
            yield from (results[job.job_number or 0] for job in run.jobs if _is_in(one, job, results))


def _is_in(one: Failure, job: Job, results: Mapping[int, JobResults]) -> bool:
    return job.name == one.job and (job.job_number or 0) in results


def _passes(one: Failure, found: JobResults) -> bool:
    return has_passed(found, one.key) and not has_failed(found, one.key)


def _failure(build: Build, workflow: str, job: Job, test: TestResult) -> Failure:
    name = (test.name or test.classname)[:LONGEST_NAME]
    return Failure(workflow=workflow, job=job.name, key=key(test), name=name, number=build.pipeline.number)
