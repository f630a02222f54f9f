"""Broke, still broken, fixed; and how long a rerun takes."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, Run
from bot.models.circleci import Job, Pipeline, Vcs, Workflow
from bot.models.history import Advice, Fewer, JobResults, PastBuild, Turn
from bot.triage.advice import advise, rerun_takes
from bot.triage.transitions import transition
from bot.triage.turning import fewer_tests
from bot.triage.verdicts import Kind, Verdict

NAMES = ["build", "unit", "e2e", "ship"]
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def pipeline(number: int) -> Pipeline:
    data = {"id": f"p{number}", "number": number, "project_slug": "gh/a/b", "created_at": NOW}
    return Pipeline.model_validate(data)


def run(status: str, *jobs: Job, name: str = "build") -> Run:
    data = {"id": f"{name}-{status}", "name": name, "status": status, "created_at": NOW}
    return Run(workflow=Workflow.model_validate(data), jobs=jobs)


def job(name: str, status: str, seconds: int = 0, *needs: str) -> Job:
    times = {"started_at": NOW, "stopped_at": NOW + timedelta(seconds=seconds)} if seconds else {}
    data = {"id": name, "name": name, "status": status, "job_number": NAMES.index(name) + 1, "dependencies": needs}
    return Job.model_validate({**data, **times})


def today(status: str, *jobs: Job) -> Build:
    return Build(pipeline=pipeline(50), runs=(run(status, *jobs),), read_at=NOW)


def past(*statuses: str) -> list[PastBuild]:
    return [PastBuild(pipeline=pipeline(49 - place), runs=(run(one),)) for place, one in enumerate(statuses)]


@pytest.mark.parametrize(
    ("now", "before", "turn", "times", "since"),
    [
        ("failed", ["success", "failed"], Turn.BROKE, 1, None),
        ("failed", ["failed", "failed", "success"], Turn.STILL_BROKEN, 3, 48),
        ("failed", ["canceled", "failed", "success"], Turn.STILL_BROKEN, 2, 48),
        ("success", ["failed", "canceled", "failed", "success"], Turn.FIXED, 2, 47),
        ("success", ["success"], Turn.STILL_GREEN, 0, None),
    ],
)
def test_a_build_stands_so_to_the_one_before(
    now: str, before: list[str], turn: Turn, times: int, since: int | None
) -> None:
    found = transition(today(now), past(*before))
    assert found
    assert (found.turn, found.times, found.since) == (turn, times, since)


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        # The build before failed, but in another workflow.
        ("A failed, B success", ["A success, B failed"], (Turn.BROKE, 1, None, "A")),
        ("A failed, B success", ["A failed, B failed", "A success, B failed"], (Turn.STILL_BROKEN, 2, 49, "A")),
        # Path filters: the build before ran something else, and passed.
        ("A failed", ["B success", "A failed", "A success"], (Turn.STILL_BROKEN, 2, 48, "A")),
        ("A success", ["B success", "A failed", "A success"], (Turn.FIXED, 1, 48, "A")),
        ("A failed", ["B failed", "A success"], (Turn.BROKE, 1, None, "A")),
        ("A success, B failed", ["A success, B failed"], (Turn.STILL_BROKEN, 2, 49, "")),
        ("A failed, B success", ["A success, B success"], (Turn.BROKE, 1, None, "")),
    ],
)
def test_a_workflow_is_named_where_the_builds_as_wholes_did_otherwise(
    now: str, before: list[str], told: tuple[Turn, int, int | None, str]
) -> None:
    def runs(text: str) -> tuple[Run, ...]:
        return tuple(run(one.split()[1], name=one.split()[0]) for one in text.split(", "))

    build = Build(pipeline=pipeline(50), runs=runs(now), read_at=NOW)
    found = transition(build, [PastBuild(pipeline=pipeline(49 - at), runs=runs(one)) for at, one in enumerate(before)])
    assert found
    assert (found.turn, found.times, found.since, found.workflow) == told


@pytest.mark.parametrize(
    ("now", "before", "same"),
    [
        ("failed", ["success", "failed"], 49),
        ("success", ["canceled", "failed"], 48),
        ("failed", ["failed", "success"], 49),
    ],
)
def test_the_build_before_may_be_of_the_same_commit(now: str, before: list[str], same: int) -> None:
    def of(commit: str, one: Pipeline) -> Pipeline:
        return one.model_copy(update={"vcs": Vcs(revision=commit)})

    build = today(now)
    build = build.model_copy(update={"pipeline": of("c0ffee", build.pipeline)})
    for commit, number in (("c0ffee", same), ("badcab", None), ("", None)):
        earlier = [one.model_copy(update={"pipeline": of(commit, one.pipeline)}) for one in past(*before)]
        found = transition(build, earlier)
        assert found
        assert found.same_commit_as == number


@pytest.mark.parametrize(
    ("failed", "passed", "fewer"),
    [
        (60, JobResults(total=0), [Fewer(job_name="unit", before=60, now=0)]),
        (60, JobResults(total=29), [Fewer(job_name="unit", before=60, now=29)]),
        (60, JobResults(total=57), []),
        (0, JobResults(total=0), []),
        (60, JobResults(total=0, is_whole=False), []),
        (60, None, []),
    ],
    ids=["none", "few", "nearly all", "never any", "not all read", "unread"],
)
@pytest.mark.parametrize("where", ["an earlier attempt", "the build before"])
def test_a_green_that_proves_less_than_the_red_is_seen(
    where: str, failed: int, passed: JobResults | None, fewer: list[Fewer]
) -> None:
    # C71
    red, green = run("failed", job("unit", "failed")), run("success", job("unit", "success"))
    green = green.model_copy(update={"jobs": (green.jobs[0].model_copy(update={"job_number": 9}),)})
    earlier = where == "an earlier attempt"
    now = PastBuild(pipeline=pipeline(50), runs=(red, green) if earlier else (green,))
    before = None if earlier else PastBuild(pipeline=pipeline(49), runs=(red,))
    known = {2: JobResults(total=failed), **({9: passed} if passed else {})}
    assert list(fewer_tests(now, before, known)) == fewer


def test_without_a_build_before_there_is_no_transition() -> None:
    assert transition(today("failed"), []) is None
    assert transition(today("canceled"), past("success")) is None
    assert transition(today("failed"), [PastBuild(pipeline=pipeline(1), runs=(run("failed", name="other"),))]) is None


@pytest.mark.parametrize(
    ("kinds", "advice"),
    [
        ([Kind.FLAKE, Kind.INFRASTRUCTURE], Advice.RERUN),
        ([Kind.FLAKE, Kind.NEW, Kind.RED_ON_BASE], Advice.OPEN_COMMIT),
        ([Kind.RED_ON_BASE, Kind.FLAKE], Advice.WAIT),
        ([Kind.FLAKE, Kind.NOT_SURE], Advice.LOOK),
        ([], Advice.LOOK),
    ],
)
def test_the_worst_verdict_decides_what_to_press(kinds: list[Kind], advice: Advice) -> None:
    assert advise([Verdict(kind=kind) for kind in kinds]) is advice


def test_a_rerun_takes_the_longest_way_through_what_runs_again() -> None:
    green = [
        job("build", "success", 60),
        job("unit", "success", 100),
        job("e2e", "success", 300),
        job("ship", "success", 20),
    ]
    before = [PastBuild(pipeline=pipeline(1), runs=(run("success", *green),))]
    failed = today(
        "failed",
        job("build", "success", 60),
        job("unit", "failed", 10, "build"),
        job("e2e", "success", 300, "build"),
        job("ship", "not_run", 0, "unit", "e2e"),
    )
    assert rerun_takes(failed, before) == timedelta(seconds=120)
    assert rerun_takes(failed, []) is None
