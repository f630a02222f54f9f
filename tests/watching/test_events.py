"""What a build is news of beside how its branch stands: what waits, was deployed, is slow, or is flaky."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.models.build import Build, JobReport, Report
from bot.models.circleci import Job, TestResult
from bot.models.history import JobResults
from bot.triage import keeping
from bot.watching.events import FEWEST, MOST_FAILED, deployed, failures, flaky, held, retried, slow, took
from tests.watching.test_branches import START, build

MINUTE = timedelta(minutes=1)


def job(name: str, status: str = "success", number: int = 1, **more: object) -> Job:
    fields = {"id": f"{name}-{number}", "name": name, "status": status, "job_number": number, "type": "build"}
    return Job.model_validate({**fields, **more})


def with_jobs(one: Build, *jobs: Job) -> Build:
    (run,) = one.runs
    return one.model_copy(update={"runs": (run.model_copy(update={"jobs": jobs}),)})


@pytest.mark.parametrize(
    ("globs", "names"),
    [
        (["deploy*"], ["deploy-prod", "deploy"]),
        (["*-prod", "!deploy*"], ["migrate-prod"]),
        (["release"], []),
    ],
)
def test_what_is_deployed_is_told_by_the_names_of_jobs_that_passed(globs: Sequence[str], names: list[str]) -> None:
    jobs = [job("deploy-prod"), job("deploy"), job("migrate-prod"), job("deploy-staging", "failed")]
    approval = job("deploy-hold", type="approval")
    assert [one.name for one in deployed(with_jobs(build(1), *jobs, approval), globs)] == names


def in_minutes(number: int, minutes: float, status: str = "success", attempt: int = 1) -> Build:
    one = build(number, status, attempt)
    (run,) = one.runs
    workflow = run.workflow.model_copy(update={"created_at": START, "stopped_at": START + minutes * MINUTE})
    return one.model_copy(update={"runs": (run.model_copy(update={"workflow": workflow}),)})


@pytest.mark.parametrize(
    ("minutes", "before", "is_slow"),
    [
        (14, [6, 6, 6, 6, 6], True),
        (12, [6, 6, 6, 6, 6], False),  # just twice
        (14, [6] * (FEWEST - 1), False),  # too few to say
        (14, [1, 1, 6, 7, 30], True),  # the median, which one that hung does not move
        (14, [1, 1, 7, 7, 30], False),
        (1.2, [0.5] * 10, False),  # not a minute more
        (1.6, [0.5] * 10, True),
    ],
)
def test_what_takes_more_than_twice_as_long_as_half_of_the_others_is_slow(
    minutes: float, before: Sequence[float], is_slow: bool
) -> None:
    found = slow(in_minutes(20, minutes), [one * MINUTE for one in before])
    assert (found is not None) is is_slow
    assert found is None or (found.now, found.builds) == (minutes * MINUTE, len(before))


def test_what_failed_or_ran_in_part_is_not_compared() -> None:
    before = [MINUTE] * 10
    assert slow(in_minutes(20, 30), before)
    assert not slow(in_minutes(20, 30, "failed"), before)
    assert not slow(in_minutes(20, 30, attempt=2), before)


def test_what_waited_for_somebody_took_no_time() -> None:
    approved = START + 50 * MINUTE
    hold = job("hold", type="approval", stopped_at=approved, job_number=None, dependencies=["test-1"])
    behind = job("deploy", started_at=approved, stopped_at=START + 60 * MINUTE, dependencies=[hold.id])
    first = job("test", started_at=START, stopped_at=START + MINUTE)
    assert took(with_jobs(in_minutes(1, 60), first, hold, behind)) == 11 * MINUTE


def test_each_job_that_waits_is_told_once() -> None:
    waits = build(1, "on_hold")
    jobs = [
        job("hold", "on_hold", type="approval"),
        job("hold-2", "on_hold", 2, type="approval"),
        job("test", "running"),
    ]
    found = held(with_jobs(waits, *jobs), {jobs[1].id})
    assert [one.job and one.job.name for one in found] == ["hold"]


TOTAL, TAX = (
    TestResult(name=name, classname="cart", file="tests/cart.py", result="failure") for name in ("total", "tax")
)


def reported(number: int, *tests: TestResult, flaky: Sequence[TestResult] = (), many: int = 0) -> tuple[Build, Report]:
    failed = job("unit", "failed", number)
    one = JobReport(
        job=failed,
        workflow_name="build",
        failed_tests=tests,
        tests_failed=many or len(tests),
        flaky_tests=tuple(flaky),
    )
    return with_jobs(build(number), failed), Report(jobs=(one,))


def results(*passed: TestResult, failed: Sequence[TestResult] = ()) -> JobResults:
    tests = [one.model_copy(update={"result": "success"}) for one in passed]
    return keeping.results([*tests, *failed], is_whole=True)


@pytest.mark.parametrize(
    ("name", "workflow", "found", "names"),
    [
        ("unit", "build", results(TOTAL, TAX), ["total", "tax"]),
        ("unit", "build", results(TOTAL), ["total"]),  # the other was not run
        ("unit", "build", results(TAX, failed=[TOTAL]), ["tax"]),
        ("unit", "build", results(TOTAL, TAX, failed=[TOTAL]), ["tax"]),  # it did both again
        ("lint", "build", results(TOTAL), []),
        ("unit", "nightly", results(TOTAL), []),
    ],
)
def test_flaky_is_what_failed_and_passes_in_the_same_job_of_one_commit(
    name: str, workflow: str, found: JobResults, names: list[str]
) -> None:
    known = failures(*reported(1, TOTAL, TAX))
    again = with_jobs(build(1, "success", 2), job(name, number=9))
    (run,) = again.runs
    renamed = run.model_copy(update={"workflow": run.workflow.model_copy(update={"name": workflow})})
    again = again.model_copy(update={"runs": (renamed,)})
    assert [one.name for one in flaky(known, again, {9: found})] == names
    assert flaky(known, again, {}) == []


def test_what_passed_when_it_was_tried_again_in_its_job_is_flaky() -> None:
    assert [one.name for one in retried(*reported(1, TOTAL, flaky=[TAX]))] == ["tax"]


def test_where_very_much_failed_no_test_is_to_blame() -> None:
    assert failures(*reported(1, TOTAL, many=MOST_FAILED + 1)) == []
