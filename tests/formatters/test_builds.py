"""Builds that somebody asked about, in full and on a line each."""

from datetime import timedelta

import pytest

from bot.actions import RunCommand
from bot.answers.builds import BuildShown, NewestBuilds
from bot.models.circleci import Vcs
from formatters import builds
from formatters.limits import violations
from formatters.links import Links
from formatters.stopped import stored_nothing
from tests.formatters.test_root import START, build


def test_of_ninety_jobs_those_that_failed_stand_first() -> None:
    statuses = [*["success"] * 87, *["failed"] * 3]
    message = builds.one(BuildShown(title="acme/frontend", build=build("failed", jobs=statuses)), Links())
    lines = [line for block in message.blocks if "text" in block for line in block["text"]["text"].splitlines()]
    assert [
        line.strip().replace(f"<{Links().job('gh/acme/frontend', 2417, 'w0', None)}|", "").rstrip(">")
        for line in lines[2:6]
    ] == ["❌ failed · job-87", "❌ failed · job-88", "❌ failed · job-89", "✅ passed · job-0"]
    assert violations(message) == []


@pytest.mark.parametrize(("status", "waits"), [("on_hold", True), ("running", False), ("success", False)])
def test_what_waits_has_the_button_that_shows_it(status: str, waits: bool) -> None:
    message = builds.one(BuildShown(title="acme/frontend", build=build(status)), Links())
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    assert [RunCommand.unpack(one["value"]).text for row in rows for one in row] == (
        ["approve gh/acme/frontend #2417"] if waits else []
    )


def test_a_setup_workflow_alone_is_not_listed_as_passed() -> None:
    # C47
    alone = build("success", jobs=[], tag="setup", minutes=60)
    message = builds.newest(NewestBuilds(title="acme/frontend", builds=(alone,)), Links())
    assert message.text == "acme/frontend release/v2.0: the newest is #2417, could not run."
    assert "Passed" not in str(message.blocks)


def test_what_a_tag_and_a_branch_built_of_one_commit_is_told_apart() -> None:
    ran = build("success")
    tagged = ran.model_copy(update={"pipeline": ran.pipeline.model_copy(update={"vcs": Vcs(tag="v2.0")})})
    message = builds.newest(NewestBuilds(title="acme/frontend", builds=(ran, tagged)), Links())
    heading, lines = (block["text"]["text"] for block in message.blocks[:2])
    assert heading == "*acme/frontend* · commit `38c6d84` · newest first"
    assert [" · release/v2.0 · " in line for line in lines.splitlines()] == [True, False]
    assert [" · tag v2.0 · " in line for line in lines.splitlines()] == [False, True]


def test_what_never_began_does_not_last() -> None:
    late = build(minutes=29)
    assert late.never_began
    assert not build(minutes=1).never_began
    assert "so far" not in str(builds.one(BuildShown(title="acme/frontend", build=late), Links()).blocks)
    listed = builds.newest(NewestBuilds(title="acme/frontend", builds=(late,)), Links())
    assert "could not run" in listed.text
    assert "Waiting" not in str(listed.blocks)
    assert stored_nothing("#2417", late, "artifacts").startswith("#2417 could not run: no workflow matched.")
    assert stored_nothing("#2417", build(minutes=1), "artifacts").startswith("#2417 waits for its turn: no artifacts")


def test_what_a_rerun_needs_may_have_ended_long_before_it() -> None:
    ran = build("success", jobs=["success", "success"])
    lint, ship = ran.runs[0].jobs
    lint = lint.model_copy(update={"started_at": START, "stopped_at": START})
    began = START + timedelta(hours=3)
    ship = ship.model_copy(update={"dependencies": (lint.id,), "started_at": began + timedelta(seconds=4)})
    workflow = ran.runs[0].workflow.model_copy(update={"created_at": began})
    again = ran.runs[0].model_copy(update={"workflow": workflow, "jobs": (lint, ship), "attempt": 2})
    assert builds.queue_time(ship, again) == timedelta(seconds=4)
