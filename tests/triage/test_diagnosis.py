"""What is said of a whole build: many failures of one cause, reruns that did not help, a red row of other failures."""

from datetime import UTC, datetime

import pytest

from bot.models.build import Build, FailingStep, JobReport, Report, Run
from bot.models.circleci import Job, Pipeline, TestResult, Workflow
from bot.models.history import Advice, PastBuild
from bot.triage.diagnosis import Looked, diagnose
from bot.triage.keeping import results
from bot.triage.verdicts import Kind

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SUITE = [f"test_{number:02}" for number in range(40)]


def pipeline(number: int) -> Pipeline:
    data = {"id": f"p{number}", "number": number, "project_slug": "gh/a/b", "created_at": NOW}
    return Pipeline.model_validate({**data, "vcs": {"revision": f"{number:07}"}})


def ran(number: int, status: str, attempt: int = 1, name: str = "test") -> Run:
    workflow = {"id": f"w{number}", "name": "build", "status": "success" if status == "success" else "failed"}
    job = {"id": f"j{number}", "name": name, "status": status, "job_number": number}
    made = Workflow.model_validate({**workflow, "created_at": NOW})
    return Run(workflow=made, jobs=(Job.model_validate(job),), attempt=attempt)


def suite(failed: int, message: str = "refused") -> list[TestResult]:
    return [
        TestResult(name=name, classname="s", result="failure" if place < failed else "success", message=message)
        for place, name in enumerate(SUITE)
    ]


def report_of(run: Run, tests: list[TestResult], cause: str = "") -> Report:
    failed = tuple(test for test in tests if test.is_failed)
    step = FailingStep(name="Run", cause=cause) if cause else None
    job = JobReport(job=run.jobs[0], workflow_name="build", failed_tests=failed, tests_failed=len(failed), step=step)
    return Report(jobs=(job,))


@pytest.mark.parametrize(
    ("failed", "message", "kind"),
    [
        (10, "refused", Kind.NOT_SURE),
        (5, "refused", Kind.NOT_SURE),
        (4, "refused", Kind.FLAKE),
        (10, "", Kind.FLAKE),  # nothing says that it is one cause
    ],
)
def test_many_that_fail_with_one_message_are_one_cause_and_no_flakes(failed: int, message: str, kind: Kind) -> None:
    base = [
        PastBuild(pipeline=pipeline(number), runs=(ran(number, "failed" if number % 2 else "success"),))
        for number in range(48, 38, -1)
    ]
    known = {
        one.pipeline.number: results(suite(failed if one.pipeline.number % 2 else 0, message), is_whole=True)
        for one in base
    }
    run, tests = ran(50, "failed"), suite(failed, message)
    known[50] = results(tests, is_whole=True)
    today = PastBuild(pipeline=pipeline(50), runs=(run,))
    build = Build(pipeline=today.pipeline, runs=(run,), read_at=NOW)
    found = diagnose(build, report_of(run, tests), Looked("main", base, (), today, known))
    assert {one.kind for one in found.tests.values()} == {kind}
    assert found.advice is (Advice.RERUN if kind is Kind.FLAKE else Advice.LOOK)


@pytest.mark.parametrize(
    ("earlier", "attempts", "advice"),
    [
        ([], 1, Advice.RERUN),
        ([("failed", 0)], 2, Advice.LOOK),
        ([("infrastructure_fail", 0), ("failed", 0)], 3, Advice.LOOK),
        ([("failed", 3)], 1, Advice.RERUN),  # its tests made that one fail
        ([("success", 0)], 1, Advice.RERUN),
    ],
)
def test_what_a_rerun_did_not_help_is_not_called_worth_one(
    earlier: list[tuple[str, int]], attempts: int, advice: Advice
) -> None:
    before = [ran(40 + place, status, place + 1) for place, (status, _) in enumerate(earlier)]
    known = {40 + place: results(suite(failed), is_whole=True) for place, (_, failed) in enumerate(earlier) if failed}
    run = ran(50, "failed", len(before) + 1)
    today = PastBuild(pipeline=pipeline(50), runs=(*before, run))
    build = Build(pipeline=today.pipeline, runs=(run,), read_at=NOW)
    found = diagnose(build, report_of(run, [], "connection lost"), Looked("main", (), (), today, known))
    assert (found.attempts, found.advice) == (attempts, advice)


@pytest.mark.parametrize(
    ("then", "job", "unlike", "same_as"),
    [
        ((0, 3), "test", None, 49),
        ((2, 3), "test", None, None),
        ((3, 6), "test", 49, None),
        ((3, 6), "lint", None, None),  # of another job nobody looked at what failed
    ],
)
def test_a_red_row_by_other_failures_is_told_as_that(
    then: tuple[int, int], job: str, unlike: int | None, same_as: int | None
) -> None:
    def of(first: int, last: int) -> list[TestResult]:
        return [
            TestResult(name=name, result="failure" if first <= place < last else "success")
            for place, name in enumerate(SUITE)
        ]

    run, past = ran(50, "failed"), ran(49, "failed", name=job)
    known = {50: results(of(0, 3), is_whole=True), 49: results(of(*then), is_whole=True)}
    today = PastBuild(pipeline=pipeline(50), runs=(run,))
    build = Build(pipeline=today.pipeline, runs=(run,), read_at=NOW)
    before = PastBuild(pipeline=pipeline(49), runs=(past,))
    found = diagnose(build, report_of(run, of(0, 3)), Looked("main", (), (before,), today, known)).transition
    assert found
    assert (found.unlike, found.same_as) == (unlike, same_as)
