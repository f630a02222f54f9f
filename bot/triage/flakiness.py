"""Which tests fail now and then, ranked: rate with its interval, flips on one commit, time wasted. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.models.circleci import Job, TestResult, WorkflowId
from bot.models.history import Flake, Lane, PastBuild
from bot.triage.keeping import has_failed, key
from bot.triage.sightings import Results, called, runs_of, seen_test, workflows_of
from bot.triage.verdicts import episodes, flipped, interval, streak


def flaky(builds: Sequence[PastBuild], results: Results, *, over: int) -> list[Flake]:
    """Return the tests that failed in more than `over` of the builds (newest first), the flakiest first.

    A build counts once, however often it was rerun. One that failed in every build since some pipeline, and never
    before, is at the end: it is broken, and bears `since`.
    """
    tests, known = _failing(builds, results, over), workflows_of(builds)
    found = [_flake(test, lane, called(lane, known), builds, results) for (_, lane), test in tests.items()]
    return sorted(
        found, key=lambda one: (one.since is not None, -one.flips, -one.failed / len(one.seen), one.test.name)
    )


def _failing(builds: Sequence[PastBuild], results: Results, over: int) -> dict[tuple[str, Lane], TestResult]:
    """Return the tests that failed in more than `over` builds, by key and job; with the newest message of each."""
    times, newest = Counter[tuple[str, Lane]](), dict[tuple[str, Lane], TestResult]()
    for build in builds:
        here: dict[tuple[str, Lane], TestResult] = {}
        for lane, job in build.ran:
            kept = results.get(job.job_number or 0)
            if kept and not kept.is_mass:
                here |= {(key(test), lane): test for test in kept.failed}
        times.update(here.keys())
        newest = here | newest
    return {name: test for name, test in newest.items() if times[name] > over}


def _flake(test: TestResult, lane: Lane, job_name: str, builds: Sequence[PastBuild], results: Results) -> Flake:
    seen = seen_test(key(test), lane, builds, results)
    failed_in = list(_failed_in(key(test), lane, builds, results))
    low, high = interval(sum(one.failed > 0 for one in seen), len(seen))
    red, flips = streak(seen), flipped(seen)
    broken = len(red) >= 2 and not flips and episodes(seen[len(red) :]) == 0
    last_build, last_job = failed_in[0]
    return Flake(
        test=test,
        job_name=job_name,
        seen=tuple(seen),
        flips=flips,
        low=low,
        high=high,
        last_pipeline_number=last_build.pipeline.number,
        last_workflow_id=_workflow_id(last_build, last_job),
        last_job_number=last_job.job_number or 0,
        wasted=sum((took(job) for _, job in failed_in), timedelta(0)),
        since=red[-1].number if broken else None,
    )


def _failed_in(
    test_key: str, lane: Lane, builds: Sequence[PastBuild], results: Results
) -> Iterator[tuple[PastBuild, Job]]:
    """Yield the job runs that the test made fail with their builds, newest build first."""
    for build in builds:
        for job in runs_of(build, lane):
            kept = results.get(job.job_number or 0)
            if kept and has_failed(kept, test_key):
                yield build, job


def _workflow_id(build: PastBuild, job: Job) -> WorkflowId:
    """Return the workflow in which a job ran: a rerun from failed lists those that had passed again."""
    return next(run.workflow.id for run in build.runs if any(one.job_number == job.job_number for one in run.jobs))


def took(job: Job) -> timedelta:
    """Return how long a job ran; nothing where CircleCI does not say."""
    return job.stopped_at - job.started_at if job.started_at and job.stopped_at else timedelta(0)
