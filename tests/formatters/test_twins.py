"""Two workflows of a build with jobs of one name: what is shown, pressed and recorded says which of them it is."""

import json

import pytest

from bot.answers.builds import OnHold
from bot.models.build import Build, Change, ChangeKind
from bot.models.circleci import PipelineId
from bot.models.pending import Rerun
from bot.operations.targets import rerunning, to_run_again, what_runs_again
from formatters import choices, replies
from formatters.blocks import Message
from formatters.links import Links
from formatters.root import root
from tests.formatters.test_counts import SLUG, build, job, watch

LINKS = Links()
WATCH = watch()


def twins(status: str, *names: str, ends: str = "failed") -> Build:
    """Return a build with two workflows, staging and production, each with all of these jobs."""
    runs = []
    for workflow in ("staging", "production"):
        jobs = [job(name, ends, id=f"{workflow}-{name}", type="approval" * (ends == "on_hold")) for name in names]
        (run,) = build(*jobs, status=status).runs
        named = run.workflow.model_copy(update={"id": workflow, "name": workflow})
        runs.append(run.model_copy(update={"workflow": named}))
    return build(status=status).model_copy(update={"runs": tuple(runs)})


def dialogs(message: Message) -> dict[str, str]:
    found = (one for block in message.blocks if block["type"] == "actions" for one in block["elements"])
    return {one["text"]["text"]: one["confirm"]["text"]["text"] for one in found if "Approve" in one["text"]["text"]}


HELD = twins("on_hold", "hold", ends="on_hold")
OFFERED = {
    "list": choices.on_hold(OnHold(title="acme/backend", build=HELD, waiting=(HELD,), looked_at=1)),
    "root": root(HELD, WATCH, LINKS),
    "thread": replies.changes(
        HELD,
        [Change(kind=ChangeKind.ON_HOLD, workflow=run.workflow, job=run.jobs[0]) for run in HELD.runs],
        WATCH,
        LINKS,
    ),
}


@pytest.mark.parametrize("message", OFFERED.values(), ids=OFFERED)
def test_an_approval_says_in_which_workflow(message: Message) -> None:
    found = dialogs(message)
    assert list(found) == ["Approve hold in staging", "Approve hold in production"]
    for label, dialog in found.items():
        assert dialog.startswith(f"{label.removeprefix('Approve ')} of acme/backend")


def test_a_name_that_one_workflow_has_stands_alone() -> None:
    alone = HELD.model_copy(update={"runs": HELD.runs[:1]})
    offered = choices.on_hold(OnHold(title="acme/backend", build=alone, waiting=(alone,), looked_at=1))
    assert list(dialogs(offered)) == ["Approve hold"]


def test_long_names_leave_the_workflow_on_the_button() -> None:
    held = twins("on_hold", "wait-for-a-release-manager-of-all-platforms-and-regions-to-agree", ends="on_hold")
    offered = choices.on_hold(OnHold(title="acme/backend", build=held, waiting=(held, held), looked_at=2))
    assert [one.partition(" of #")[0][-10:] for one in dialogs(offered)][:2] == ["in staging", "production"]


def test_what_runs_again_says_so_too() -> None:
    red = twins("failed", "test")
    said = what_runs_again(red, to_run_again(red, failed_only=True), failed_only=True)
    assert said == "test in staging, test in production"
    wish = Rerun(
        project_slug=SLUG,
        project_title="acme/backend",
        pipeline_id=PipelineId("p"),
        pipeline_number=2401,
        failed_only=True,
    )
    assert rerunning(red, wish).first == ("test in staging", "test in production")


def test_the_notification_says_which_failed() -> None:
    red = twins("failed", "test")
    (change, *_) = (Change(kind=ChangeKind.JOB_FAILED, workflow=run.workflow, job=run.jobs[0]) for run in red.runs)
    assert (
        json.dumps(replies.changes(red, [change], WATCH, LINKS).text) == '"acme/backend #2401: test in staging failed."'
    )
