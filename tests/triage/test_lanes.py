"""Two workflows of one build may have a job of the same name each: one's run tells nothing of the other's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, JobReport, Report, Run
from bot.models.circleci import Job, Pipeline, TestResult, Workflow
from bot.models.history import Advice, Fewer, JobResults, Lane, PastBuild, Turned
from bot.triage.advice import rerun_takes
from bot.triage.diagnosis import Looked, diagnose
from bot.triage.flakiness import flaky
from bot.triage.keeping import results
from bot.triage.sightings import called, like, workflows_of
from bot.triage.turning import fewer_tests, turned_tests
from bot.triage.verdicts import Kind

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TEST = "test_total"


def ran(number: int, name: str, status: str, seconds: int = 60) -> Run:
    """Return a run of a workflow with one job, `t`."""
    at = {"created_at": NOW, "stopped_at": NOW}
    job = {"id": f"j{number}", "name": "t", "status": status, "job_number": number}
    times = {"started_at": NOW, "stopped_at": NOW + timedelta(seconds=seconds)}
    made = Workflow.model_validate({"id": f"w{number}", "name": name, "status": status, **at})
    return Run(workflow=made, jobs=(Job.model_validate({**job, **times}),))


def past(number: int, *runs: Run) -> PastBuild:
    data = {"id": f"p{number}", "number": number, "project_slug": "gh/a/b", "created_at": NOW}
    return PastBuild(pipeline=Pipeline.model_validate({**data, "vcs": {"revision": f"{number:07}"}}), runs=runs)


def stored(status: str, *, without: bool = False) -> JobResults:
    result = "failure" if status == "failed" else "success"
    tests = [TestResult(name="other", result="success"), TestResult(name=TEST, result=result)]
    return results(tests[:1] if without else tests, is_whole=True)


def builds(rows: Sequence[dict[str, str]], first: int = 49) -> tuple[list[PastBuild], dict[int, JobResults]]:
    """Return builds newest first, a row for each: how the job `t` ended in each workflow; and their results."""
    found, known = [], dict[int, JobResults]()
    for place, row in enumerate(rows):
        number = first - place
        runs = [ran(10 * number + at, name, status) for at, (name, status) in enumerate(row.items())]
        known |= {10 * number + at: stored(status) for at, status in enumerate(row.values())}
        found.append(past(number, *runs))
    return found, known


def judged(today: dict[str, str], before: Sequence[dict[str, str]], *, tests: bool) -> tuple[set[Kind], Advice]:
    base, known = builds(before)
    (now,), newest = builds([today], first=50)
    known = {**known, **newest} if tests else {}
    failed = (TestResult(name=TEST, result="failure"),) if tests else ()
    jobs = tuple(
        JobReport(job=run.jobs[0], workflow_name=run.workflow.name, failed_tests=failed, tests_failed=len(failed))
        for run in now.runs
        if run.failed_jobs
    )
    build = Build(pipeline=now.pipeline, runs=now.runs, read_at=NOW)
    found = diagnose(build, Report(jobs=jobs), Looked("main", base, (), now, known))
    return {one.kind for one in (*found.tests.values(), *found.jobs.values())}, found.advice


A_FAILS, BOTH_PASS = {"A": "failed", "B": "success"}, {"A": "success", "B": "success"}


@pytest.mark.parametrize("tests", [True, False], ids=["of tests", "of jobs"])
@pytest.mark.parametrize(
    ("today", "before", "kind", "advice"),
    [
        (A_FAILS, [], Kind.NOT_SURE, Advice.LOOK),
        (A_FAILS, [BOTH_PASS] * 8, Kind.NEW, Advice.OPEN_COMMIT),
        (A_FAILS, [A_FAILS] * 3 + [BOTH_PASS] * 8, Kind.RED_ON_BASE, Advice.WAIT),
        # The other workflow's of the name was red and repaired, twice: nothing of it is this one's.
        (A_FAILS, [{"A": "success", "B": "failed"}, BOTH_PASS] * 4, Kind.NEW, Advice.OPEN_COMMIT),
        # A branch of which the workflow is called otherwise than on the base is compared with the only one there ...
        ({"pull": "failed"}, [{"main": "success"}] * 8, Kind.NEW, Advice.OPEN_COMMIT),
        ({"pull": "failed"}, [{"main": "failed"}] + [{"main": "success"}] * 8, Kind.RED_ON_BASE, Advice.WAIT),
        # ... and with none where there are two.
        ({"pull": "failed"}, [A_FAILS] * 8, Kind.NOT_SURE, Advice.LOOK),
    ],
)
def test_another_workflows_job_of_the_same_name_is_no_other_attempt(
    today: dict[str, str], before: list[dict[str, str]], kind: Kind, advice: Advice, *, tests: bool
) -> None:
    assert judged(today, before, tests=tests) == ({kind}, advice)


@pytest.mark.parametrize("tests", [True, False], ids=["of tests", "of jobs"])
@pytest.mark.parametrize(
    ("rows", "kind", "advice"),
    [
        # Path filters: the newest builds of main ran something else, and passed.
        ([{"docs": "success"}] * 5 + [{"A": "failed"}] * 2 + [{"A": "success"}] * 8, Kind.NOT_SURE, Advice.LOOK),
        ([{"docs": "failed"}] + [{"A": "failed"}] * 2 + [{"A": "success"}] * 8, Kind.RED_ON_BASE, Advice.WAIT),
        ([{"docs": "canceled"}] + [{"A": "failed"}] * 2 + [{"A": "success"}] * 8, Kind.RED_ON_BASE, Advice.WAIT),
    ],
)
def test_the_base_is_red_only_where_its_newest_build_is(
    rows: list[dict[str, str]], kind: Kind, advice: Advice, *, tests: bool
) -> None:
    assert judged({"A": "failed"}, rows, tests=tests) == ({kind}, advice)


def test_a_test_that_the_base_has_no_more_is_not_red_there() -> None:
    base, known = builds([{"A": "success"}] * 5 + [{"A": "failed"}] * 2 + [{"A": "success"}] * 8)
    known |= {10 * build.pipeline.number: stored("success", without=True) for build in base[:5]}
    (now,), newest = builds([{"A": "failed"}], first=50)
    failed = TestResult(name=TEST, result="failure")
    report = JobReport(job=now.runs[0].jobs[0], workflow_name="A", failed_tests=(failed,), tests_failed=1)
    build = Build(pipeline=now.pipeline, runs=now.runs, read_at=NOW)
    found = diagnose(build, Report(jobs=(report,)), Looked("main", base, (), now, {**known, **newest}))
    (verdict,) = found.tests.values()
    assert (verdict.kind, verdict.since, found.wait_for) == (Kind.NOT_SURE, None, None)
    assert "in #44" in verdict.cause


def test_flaky_tests_are_counted_for_each_workflow() -> None:
    rows, known = builds([A_FAILS, BOTH_PASS, A_FAILS, A_FAILS])
    (only,) = flaky(rows, known, over=1)
    assert (only.job_name, only.failed, only.flips) == ("t of A", 3, 0)
    rows, known = builds([{"A": "failed"}, {"A": "success"}, {"A": "failed"}])
    assert [one.job_name for one in flaky(rows, known, over=1)] == ["t"]


def test_fewer_tests_are_those_of_the_same_workflow() -> None:
    today = past(50, ran(1, "A", "failed"), ran(2, "A", "success"), ran(3, "B", "success"))
    many, few = JobResults(total=50), JobResults(total=1)
    assert fewer_tests(today, None, {1: many, 2: many, 3: few}) == ()
    assert fewer_tests(today, None, {1: many, 2: few, 3: many}) == (Fewer(job_name="t of A", before=50, now=1),)


def test_what_turned_is_asked_of_the_same_workflow() -> None:
    (newest, green), known = builds([A_FAILS, {"A": "success", "B": "failed"}])
    still, gone = turned_tests(Turned(first=newest, newest=newest, red=1, green=green), known)
    assert ([test.name for test in still], gone) == ([TEST], ())


def test_a_rerun_takes_as_long_as_its_own_workflow() -> None:
    before = [past(1, ran(1, "A", "success", seconds=60), ran(2, "B", "success", seconds=600))]
    build = Build(pipeline=past(2).pipeline, runs=(ran(3, "A", "failed"),), read_at=NOW)
    assert rerun_takes(build, before) == timedelta(seconds=60)


def test_a_job_is_named_with_its_workflow_where_its_name_alone_is_not_enough() -> None:
    known = workflows_of([past(1, ran(1, "A", "success"), ran(2, "B", "success"))])
    assert called(Lane("A", "t"), known) == "t of A"
    assert called(Lane("A", "lint"), known) == "lint"
    assert like(Lane("C", "t"), known) == Lane("C", "t")
    assert like(Lane("C", "t"), {"t": {"A"}}) == Lane("A", "t")
