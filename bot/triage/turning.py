"""Which build made a branch red, and what turned in it. Pure."""

from collections.abc import Sequence

from bot.models.circleci import TestResult
from bot.models.history import Fewer, Lane, PastBuild, Turned
from bot.triage.keeping import failing, has_failed, has_passed, key
from bot.triage.sightings import Results, called, numbers, workflows_of


def turned(builds: Sequence[PastBuild]) -> Turned | None:
    """Return the first bad build of a branch's red row (newest first); None where its newest build is not red.

    Builds that were cancelled, or have no outcome, are passed over.
    """
    decided = [build for build in builds if build.is_red or build.is_green]
    red: list[PastBuild] = []
    for build in decided:
        if not build.is_red:
            return Turned(first=red[-1], newest=red[0], red=len(red), green=build) if red else None
        red.append(build)
    return Turned(first=red[-1], newest=red[0], red=len(red)) if red else None


def passed_with(build: PastBuild, builds: Sequence[PastBuild]) -> int:
    """Return the number of the newest of these builds that passed on the same commit, a rerun counts; 0 for none."""
    revision = build.pipeline.revision
    passed = [one.pipeline.number for one in builds if one.is_green and revision and one.pipeline.revision == revision]
    return max(passed, default=0)


def turned_tests(found: Turned, results: Results) -> tuple[tuple[TestResult, ...], tuple[TestResult, ...]]:
    """Return the tests that began to fail in the first bad build: those that fail still, and those that do not."""
    broke = {
        name: test for name, test in _failing(found.first, results).items() if not _failed(name, found.green, results)
    }
    today = _failing(found.newest, results)
    still = [test for name, test in broke.items() if name in today]
    gone = [test for name, test in broke.items() if name not in today]
    return tuple(still), tuple(gone)


def fewer_tests(today: PastBuild, before: PastBuild | None, results: Results) -> tuple[Fewer, ...]:
    """Return the jobs that passed with less than half of the test results that they had when they last failed.

    They failed in an earlier attempt of today's build, or in the build `before` it.
    """
    failed: dict[Lane, int] = {}
    for build in (before, today):
        for lane, job in build.ran if build else ():
            if job.is_failed and (kept := results.get(job.job_number or 0)):
                failed[lane] = kept.total
    passed = {
        Lane(run.workflow.name, job.name): results.get(job.job_number or 0)
        for run in today.newest
        for job in run.jobs
        if job.status == "success"
    }
    known = workflows_of([today])
    return tuple(
        Fewer(job_name=called(lane, known), before=total, now=now.total)
        for lane, total in failed.items()
        if (now := passed.get(lane)) is not None and now.is_whole and 2 * now.total < total
    )


def failed_jobs(build: PastBuild) -> tuple[str, ...]:
    """Return the names of the jobs that failed in the last attempt of each workflow."""
    return tuple(dict.fromkeys(job.name for run in build.newest for job in run.failed_jobs))


def _failing(build: PastBuild, results: Results) -> dict[tuple[Lane, str], TestResult]:
    """Return the tests that failed in the newest attempt of each job."""
    found: dict[tuple[Lane, str], TestResult] = {}
    for lane in {lane for lane, _ in build.ran}:
        last = [one for one in numbers(build, lane) if one in results][-1:]
        for number in last:
            found |= {(lane, key(test)): test for test in failing(results[number])}
    return found


def _failed(name: tuple[Lane, str], build: PastBuild | None, results: Results) -> bool:
    """Say whether a test failed in every attempt of a build that ran it."""
    lane, test_key = name
    runs = [results[one] for one in numbers(build, lane) if one in results] if build else []
    failed = any(has_failed(run, test_key) for run in runs)
    return failed and not any(has_passed(run, test_key) for run in runs)
