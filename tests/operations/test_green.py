"""Which build of a branch says whether it is green."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.models.build import Build, Run, State
from bot.models.circleci import Pipeline, Workflow
from bot.operations.seen import decides

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def build(*statuses: str, state: str = "created", hours: int = 0) -> Build:
    told = {"id": "p", "number": 7, "project_slug": "gh/acme/frontend", "created_at": NOW, "state": state}
    runs = [
        Run(workflow=Workflow.model_validate({"id": name, "name": name, "status": name, "created_at": NOW}))
        for name in statuses
    ]
    return Build(pipeline=Pipeline.model_validate(told), runs=tuple(runs), read_at=NOW + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("statuses", "says"),
    [
        (("success",), True),
        (("success", "not_run"), True),
        (("failed",), False),
        (("failed", "success"), False),
        (("failed", "canceled"), False),
        (("error",), False),
        (("unauthorized",), False),
        # Not over, and yet nothing can make it green.
        (("failed", "on_hold"), False),
        (("failed", "running"), False),
        (("failed", "queued"), False),
        (("failing",), False),
        ((), None),
        (("running",), None),
        (("queued",), None),
        (("on_hold",), None),
        (("success", "on_hold"), None),
        (("success", "running"), None),
        (("canceled",), None),
        (("success", "canceled"), None),
        (("some_new_state",), None),
    ],
    ids=str,
)
def test_a_build_says_that_its_branch_is_green_or_red_or_nothing(statuses: tuple[str, ...], says: bool | None) -> None:
    one = build(*statuses)
    assert decides(one) is (says is not None)
    assert (one.state is State.PASSED) is (says is True)


def test_a_build_that_could_not_run_is_red() -> None:
    assert decides(build(state="errored"))
    assert build(state="errored").state is State.COULD_NOT_RUN


def test_a_build_that_no_workflow_matched_says_nothing_of_its_branch() -> None:
    late = build(hours=5)
    assert late.state is State.COULD_NOT_RUN
    assert not decides(late)
