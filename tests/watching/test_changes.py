"""What a thread has to hear of a look: also that what it was told as the end was none."""

import pytest

from bot.models.build import Build, ChangeKind
from bot.watching.changes import changes
from tests.watching.test_schedule import build


def late(told: tuple[str, ...], seen: Build) -> list[str]:
    return [one.workflow.name for one in changes(told, seen) if one.kind is ChangeKind.LATE]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), []),
        (("final:w0,w1",), []),
        (("final:w0",), ["w1"]),
        (("final:w0", "late:w1"), []),
        (("final:w0", "final:w0,w1"), []),
        (("final:no-workflow",), ["w0", "w1"]),
    ],
)
def test_a_workflow_that_no_end_was_told_of_is_news_after_one(told: tuple[str, ...], expected: list[str]) -> None:
    assert late(told, build(["success", "running"])) == expected


def test_a_rerun_is_no_late_workflow() -> None:
    seen = build(["running"])
    again = seen.runs[0].model_copy(update={"attempt": 2})
    assert late(("final:w9",), seen.model_copy(update={"runs": (again,)})) == []
