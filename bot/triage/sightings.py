"""Where a test or a job was seen in earlier builds, and how it did there. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from bot.models.circleci import Job
from bot.models.history import JobResults, PastBuild, Seen
from bot.triage.infrastructure import cause_of
from bot.triage.keeping import failing, has_failed, has_passed

Results = Mapping[int, JobResults]  # by job number


def seen_test(test_key: str, job_name: str, builds: Iterable[PastBuild], results: Results) -> list[Seen]:
    """Return the builds that ran a test in a job of this name, in the order given; job runs without data are left out.

    A run in which very much failed at once counts for none of its tests.
    """
    found = []
    for build in builds:
        runs = [results[number] for number in numbers(build, job_name) if number in results]
        ran = [one for one in runs if not one.is_mass]
        failed = sum(has_failed(one, test_key) for one in ran)
        passed = sum(has_passed(one, test_key) for one in ran)
        if failed or passed:
            found.append(_seen(build, failed, passed))
    return found


def seen_job(job_name: str, builds: Iterable[PastBuild], results: Results) -> list[Seen]:
    """Return the builds that ran a job of this name, in the order given, and whether it failed without a failing test.

    One that its tests made fail, or that lost its machine, says nothing about its other steps, and is left out.
    """
    found = []
    for build in builds:
        ends = [job for job in build.jobs if job.name == job_name and not _by_other_means(job, results)]
        failed = sum(job.is_failed for job in ends)
        passed = sum(job.status == "success" for job in ends)
        if failed or passed:
            found.append(_seen(build, failed, passed))
    return found


def _by_other_means(job: Job, results: Results) -> bool:
    kept = results.get(job.job_number or 0)
    return bool(cause_of(job)) or (job.is_failed and kept is not None and bool(failing(kept)))


def numbers(build: PastBuild, job_name: str) -> list[int]:
    """Return the numbers of a build's jobs of this name, one for each attempt that ran it."""
    return [job.job_number for job in build.jobs if job.name == job_name and job.job_number is not None]


def with_data(builds: Sequence[PastBuild], results: Results) -> int:
    """Count the builds of which at least one job has test results."""
    return sum(
        any(kept.total > 0 for job in build.jobs if (kept := results.get(job.job_number or 0))) for build in builds
    )


def _seen(build: PastBuild, failed: int, passed: int) -> Seen:
    pipeline = build.pipeline
    return Seen(
        number=pipeline.number, revision=pipeline.revision, at=pipeline.created_at, failed=failed, passed=passed
    )
