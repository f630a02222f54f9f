"""When the jobs alone tell how a build stands, and when its workflows must be listed anew."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.circleci.glance import Jobs, goes_on, unfinished
from bot.models.build import Build, Run
from bot.models.circleci import Job, Pipeline, Workflow, WorkflowId

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ONE, TWO = WorkflowId("w1"), WorkflowId("w2")


def jobs(**statuses: str) -> tuple[Job, ...]:
    """Return jobs by name; one called hold is an approval."""
    kinds = {name: "approval" if name == "hold" else "build" for name in statuses}
    return tuple(
        Job.model_validate({"id": name, "name": name, "type": kinds[name], "status": status})
        for name, status in statuses.items()
    )


def build(status: str, before: tuple[Job, ...], *others: str, tag: str = "") -> Build:
    """Return a build whose first workflow has this status and these jobs, and others of one job each."""
    pipeline = {"id": "p", "number": 1, "project_slug": "gh/a/b", "state": "created", "created_at": START}
    rows = [("w1", status, before)] + [(f"w{n}", one, jobs(lint=one)) for n, one in enumerate(others, start=2)]
    of = {"created_at": START, "tag": tag}
    runs = tuple(
        Run(workflow=Workflow.model_validate({"id": name, "name": name, "status": how, **of}), jobs=found)
        for name, how, found in rows
    )
    return Build(pipeline=Pipeline.model_validate(pipeline), runs=runs, read_at=START, listed_at=START)


BEFORE = jobs(a="success", b="running", c="blocked")


@pytest.mark.parametrize(
    ("status", "before", "after", "is_enough"),
    [
        ("running", BEFORE, BEFORE, True),
        ("running", BEFORE, jobs(a="success", b="success", c="running"), True),
        ("running", BEFORE, jobs(a="success", b="success", c="queued"), True),
        ("failing", jobs(a="failed", b="running", c="blocked"), jobs(a="failed", b="running", c="queued"), True),
        ("on_hold", jobs(a="success", hold="on_hold"), jobs(a="success", hold="on_hold"), True),
        ("running", BEFORE, jobs(a="success", b="success", c="blocked"), False),  # it may have stopped there
        ("running", BEFORE, jobs(a="success", b="failed", c="running"), False),  # it is failing
        ("running", BEFORE, jobs(a="success", b="canceled", c="running"), False),
        ("running", BEFORE, jobs(a="success", b="success", c="success"), False),  # it has ended
        ("running", BEFORE, jobs(a="success", b="running", c="new-status"), False),
        ("running", BEFORE, jobs(a="success", b="running", c="blocked", d="running"), False),
        ("running", jobs(a="running", hold="blocked"), jobs(a="running", hold="on_hold"), False),
        ("running", jobs(a="success", hold="on_hold"), jobs(a="success", hold="on_hold"), False),  # its status is late
        ("on_hold", jobs(a="blocked", hold="on_hold"), jobs(a="running", hold="success"), False),
        ("queued", jobs(a="blocked"), jobs(a="blocked"), False),
        ("new-status", BEFORE, BEFORE, False),
    ],
)
def test_what_surely_goes_on_is_not_listed_again(
    status: str, before: tuple[Job, ...], after: tuple[Job, ...], is_enough: bool
) -> None:
    known, later = build(status, before), START + timedelta(seconds=30)
    seen = goes_on(known, {ONE: Jobs(after, later)})
    assert (seen is not None) == is_enough
    if seen is not None:
        assert (seen.runs[0].jobs, seen.read_at, seen.listed_at, seen.state) == (after, later, START, known.state)


@pytest.mark.parametrize(
    ("others", "minutes", "is_enough"),
    [((), 9, True), ((), 11, False), (("success",), 0.9, True), (("failed",), 2, False)],
)
def test_a_list_grows_old_and_sooner_where_something_may_be_run_again(
    others: tuple[str, ...], minutes: float, is_enough: bool
) -> None:
    known = build("running", BEFORE, *others)
    read = {ONE: Jobs(BEFORE, START + timedelta(minutes=minutes))}
    assert (goes_on(known, read) is not None) == is_enough


def test_only_what_is_known_and_goes_on_is_glanced_at() -> None:
    assert unfinished(build("running", BEFORE, "success", "running")) == [ONE, WorkflowId("w3")]
    assert unfinished(build("success", BEFORE, "failed")) == []
    assert unfinished(build("running", ())) == []
    assert unfinished(build("running", BEFORE, tag="setup")) == []
    assert unfinished(build("running", BEFORE).model_copy(update={"listed_at": None})) == []
    assert goes_on(build("running", BEFORE), {}) is None
