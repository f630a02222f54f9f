"""Where a test or a job was seen in earlier builds, and how it did there. Pure.

A job is known by its name and its workflow's: another workflow's of the same name is no other attempt of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.models.circleci import Job
from bot.models.history import JobResults, Lane, PastBuild, Seen
from bot.triage.infrastructure import cause_of
from bot.triage.keeping import failing, has_failed, has_passed

Results = Mapping[int, JobResults]  # by job number


def seen_test(test_key: str, lane: Lane, builds: Iterable[PastBuild], results: Results) -> list[Seen]:
    """Return the builds that ran a test in this job, in the order given; job runs without data are left out.

    A run in which very much failed at once counts for none of its tests.
    """
    found = []
    for build in builds:
        runs = [results[number] for number in numbers(build, lane) if number in results]
        ran = [one for one in runs if not one.is_mass]
        failed = sum(has_failed(one, test_key) for one in ran)
        passed = sum(has_passed(one, test_key) for one in ran)
        if failed or passed:
            found.append(_seen(build, lane, failed, passed))
    return found


def seen_job(lane: Lane, builds: Iterable[PastBuild], results: Results) -> list[Seen]:
    """Return the builds that ran this job, in the order given, and whether it failed without a failing test.

    One that its tests made fail, or that lost its machine, says nothing about its other steps, and is left out.
    """
    found = []
    for build in builds:
        ends = [job for job in runs_of(build, lane) if not _by_other_means(job, results)]
        failed = sum(job.is_failed for job in ends)
        passed = sum(job.status == "success" for job in ends)
        if failed or passed:
            found.append(_seen(build, lane, failed, passed))
    return found


def _by_other_means(job: Job, results: Results) -> bool:
    kept = results.get(job.job_number or 0)
    return bool(cause_of(job)) or (job.is_failed and kept is not None and bool(failing(kept)))


def workflows_of(builds: Iterable[PastBuild]) -> dict[str, set[str]]:
    """Return in which workflows a job of each name ran."""
    found = defaultdict[str, set[str]](set)
    for build in builds:
        for lane, _ in build.ran:
            found[lane.job].add(lane.workflow)
    return found


def like(lane: Lane, known: Mapping[str, set[str]]) -> Lane:
    """Return the job as other builds know it: where their workflow is called otherwise, of the only one that has it."""
    workflows = known.get(lane.job, set())
    return lane if lane.workflow in workflows or len(workflows) != 1 else Lane(next(iter(workflows)), lane.job)


def called(lane: Lane, known: Mapping[str, set[str]]) -> str:
    """Return what tells a job from others: its name, and its workflow where the name alone does not."""
    return lane.job if len(known.get(lane.job, set()) | {lane.workflow}) == 1 else f"{lane.job} of {lane.workflow}"


def runs_of(build: PastBuild, lane: Lane) -> Iterator[Job]:
    """Return the attempts of a job in a build, oldest first."""
    return (job for one, job in build.ran if one == lane)


def numbers(build: PastBuild, lane: Lane) -> list[int]:
    """Return the numbers of a job in a build, one for each attempt that ran it."""
    return [job.job_number for job in runs_of(build, lane) if job.job_number is not None]


def with_data(builds: Sequence[PastBuild], results: Results) -> int:
    """Count the builds of which at least one job has test results."""
    return sum(
        any(kept.total > 0 for job in build.jobs if (kept := results.get(job.job_number or 0))) for build in builds
    )


def _seen(build: PastBuild, lane: Lane, failed: int, passed: int) -> Seen:
    pipeline = build.pipeline
    return Seen(
        number=pipeline.number,
        workflow=lane.workflow,
        revision=pipeline.revision,
        at=pipeline.created_at,
        failed=failed,
        passed=passed,
    )
