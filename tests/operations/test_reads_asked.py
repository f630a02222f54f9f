"""Whoever may not look at something sees nothing of it: not by any command, button or window, however they are led."""

from pathlib import Path

import pytest

from bot.actions import ButtonAction
from playground.circleci.pipelines import Pipeline
from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan
from playground.slack.people import Person
from tests.operations.scene import BACKEND, OVER, presses, pushed, somewhere, team_under, types
from tests.registry import table
from tests.stories.team import Team

# All that Grace may not read has one of these in its name; no id that is drawn by lot has.
MARKS = ("zquux", "f00dfeed")
BRANCH = "zquux-merger"
ZQ = Scenario(
    (
        WorkflowPlan(
            "zquux-flow",
            (
                JobPlan(
                    "zquux-unit",
                    ends="failed",
                    tests=(TestPlan("zquux_test", "zquux.py", "zquux broke"), TestPlan("zquux_other", "zquux.py")),
                    artifacts=("zquux.bin",),
                    step="zquux step",
                    log=("zquux log",),
                ),
            ),
        ),
        WorkflowPlan(
            "zquux-ship", (JobPlan("zquux-hold", approval=True), JobPlan("zquux-deploy", requires=("zquux-hold",)))
        ),
    )
)
POLICY = """
[[rules]]
name = "members may all this"
roles = ["members"]
words = ["read", "deploy", "rerun", "cancel", "approve", "secrets", "keys", "ssh"]

[[rules]]
name = "two people"
effect = "demand"
words = ["deploy", "rerun", "approve"]
branches = ["zquux-*"]
second_person = true

[[rules]]
name = "grace looks elsewhere"
effect = "deny"
words = ["read"]
roles = ["grace"]
projects = ["acme/backend"]
{branches}

[roles.grace]
users = ["U0GRACE"]
"""
WHOLE, ONE_BRANCH = "", 'branches = ["zquux-*"]'
NO_BUILD = ("help", "hello", "me", "doctor", "locks", "recent", "projects", "audit", "heroku-key add")


def commands(build: Pipeline) -> list[str]:
    """Return each command, in the ways in which it names what she may not see, none of which names more."""
    job = build.runs[0].job_numbers["zquux-unit"]
    rows: dict[str, tuple[str, ...]] = {name.split()[0]: (name,) for name in NO_BUILD}
    for row in table()["command"]:
        place = (f"{row.name} acme/backend #{build.number}", f"{row.name} acme/backend {job}")
        more = (f"{row.name} acme/backend", f"{row.name} acme/backend z-merger", f"{row.name} acme/backend main")
        rows.setdefault(row.name, (*place, *more))
    rows["deploy"] = ("deploy acme/backend z-merger",)
    rows["rerun"] += (f"rerun acme/backend #{build.number} ssh",)
    rows["artifacts"] += (f"artifacts get acme/backend #{build.number} bin",)
    rows["help"] += ("help all", "deploy --help")
    rows["why"] = ("why deploy acme/backend", "why read acme/backend")
    rows["env"] += ("env remove acme/backend NAME", "env set acme/backend NAME")
    rows["keys"] += ("keys add acme/backend deploy-key", "keys show acme/backend 00")
    rows |= {"ssh-key": ("ssh-key add acme/backend",), "cache": ("cache clear acme/backend",)}
    return [text for texts in rows.values() for text in texts]


def buttons(build: Pipeline, pending_id: str) -> list[ButtonAction]:
    """Return each button and each that opens a window, forged with ids of what she may not see."""
    run, held = build.runs
    ids = {
        "pipeline_id": build.id,
        "workflow_id": held.id,
        "approval_request_id": held.job_ids["zquux-hold"],
        "project_slug": BACKEND,
        "job_number": run.job_numbers["zquux-unit"],
        "attempt_id": pending_id,
        "invocation_id": pending_id,
        "key": BACKEND,
        "holder_id": "U0ADA",
        "kind": "deploy-key",
        "reruns": "0",
        "since": "1",
        "branch": BRANCH,
        "newer": "0",
        "changes": "0",
        "ssh": "false",
        "follow": "false",
        "until": "2100-01-01T09:00:00Z",
        "made_at": "2100-01-01T09:00:00Z",
        "own": "false",
        "words": ("read",),
        "workflows": ("build",),
        "days": 1,
    }
    rows = [row for kind in ("button", "form") for row in table()[kind]]
    return [
        row.asked.model_validate({name: ids.get(name, "x") for name in row.asked.model_fields if name != "word"})
        for row in rows
        if issubclass(row.asked, ButtonAction)
    ]


def sent_to(person: Person) -> list[str]:
    """Return all that one person alone is sent, with what their buttons carry; the window they have open too."""
    window = [str(person.modal.content)] if person.modal else []
    return [f"{one.text} {one.blocks}" for one in (*person.sees_only, *person.direct_messages)] + window


@pytest.mark.parametrize("branches", [WHOLE, ONE_BRANCH], ids=["a project", "a branch"])
async def test_what_somebody_may_not_read_is_in_nothing_that_they_are_sent(tmp_path: Path, branches: str) -> None:
    async with team_under(POLICY.format(branches=branches), tmp_path) as team:
        team.circleci.classic.secrets[BACKEND, "TOKEN" if branches else "ZQUUX_TOKEN"] = "value"  # of no branch
        led = await _led(team)
        shown = {how: said for how, said in led.items() if any(mark in str(said).lower() for mark in MARKS)}
        assert shown == {}
        assert sum(bool(said) for said in led.values()) > 80
        (told,) = await types(team, team.ada, f"status acme/backend {BRANCH}")
        assert "f00dfee" in str(told.blocks)  # there is something to see


async def _led(team: Team) -> dict[str, list[str]]:
    """Let Grace say and press everything that leads there; returns what she is sent, by how she was led."""
    team.circleci.world.set_scenario(BACKEND, BRANCH, ZQ)
    build = pushed(team, BRANCH, OVER, slug=BACKEND, revision="f00dfeed" * 5)
    await types(team, team.ada, f"watch acme/backend #{build.number}")
    thread = await team.reads("zquux-flow")
    await types(team, team.ada, f"lock acme/backend:{BRANCH}")
    await types(team, team.ada, f"deploy acme/backend {BRANCH}")
    request = await team.reads("Somebody else must agree")
    pending_id = request.element("Decline")["value"].split('"')[3]

    led = dict[str, list[str]]()
    for text in commands(build):
        before = len(sent_to(team.grace))
        await types(team, team.grace, text)
        led[text] = sent_to(team.grace)[before:]
    for row in table()["command"]:
        before = len(sent_to(team.grace))
        await team.grace.mention("deploys", row.name, thread_ts=thread.ts)
        await team.is_done()
        led[f"@ci {row.name}"] = sent_to(team.grace)[before:]
    for action in buttons(build, pending_id):
        before = len(sent_to(team.grace))
        await presses(team, team.grace, somewhere(team), action)
        led[repr(action)] = sent_to(team.grace)[before:]
    return led
