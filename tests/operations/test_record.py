"""Stories of the record: one entry for each act, done, refused or failed, and never a value that somebody typed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.actions import ApproveJob, CancelJob, CancelPipeline, RerunAll, TakeLock, Unlock, VariableForm
from bot.watching.engine import HANDLE, PRESS
from playground.slack import payloads
from playground.slack.delivery import INTERACTIVE
from tests.operations.scene import (
    FRONTEND,
    ON_HOLD,
    OVER,
    RUNNING,
    button,
    fills_in,
    opens,
    presses,
    pushed,
    record,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team

TOKEN = "ghp_" + "a1B2" * 9
POLICY = """
[[rules]]
name = "everybody reads"
words = ["read"]

[[rules]]
name = "members work"
roles = ["members"]
words = ["deploy", "rerun", "cancel", "approve"]

[[rules]]
name = "not the backend"
effect = "deny"
roles = ["members"]
words = ["deploy", "rerun"]
projects = ["acme/backend"]

[[rules]]
name = "main needs two"
effect = "demand"
words = ["deploy", "approve"]
branches = ["main", "hold/*"]
second_person = true

[[rules]]
name = "admins keep the secrets"
roles = ["admins"]
words = ["*"]
"""


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


async def test_each_act_is_one_entry_with_all_that_is_known_of_it(team: Team) -> None:
    running, failed = pushed(team, "try/slow", RUNNING), pushed(team, "try/parallel", OVER)
    await types(team, team.ada, "deploy acme/frontend try/green env=prod note=s3cr3t-value")
    await presses(team, team.grace, somewhere(team), CancelPipeline(pipeline_id=running.id))
    team.circleci.faults.add("POST", "*/rerun", status=403, body={"message": "Permission denied"})
    await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=failed.id))
    await types(team, team.grace, "lock acme/frontend:try/green hotfix")
    await types(team, team.ada, "deploy acme/frontend try/green")
    await types(team, team.ada, "deploy acme/backend try/green")
    await types(team, team.slack.person("guest"), "deploy acme/frontend try/green")
    await types(team, team.ada, "status acme/frontend try/green")
    entries = await record(team)
    assert [(one.user_name, one.word, one.outcome, one.rule) for one in entries] == [
        ("ada", "deploy", "done", "members work"),
        ("grace", "cancel", "done", "members work"),
        ("ada", "rerun", "failed", "members work"),
        ("grace", "deploy", "done", "members work"),
        ("ada", "deploy", "refused", "members work"),
        ("ada", "deploy", "refused", "not the backend"),
        ("guest", "deploy", "refused", "no rule allows it"),
    ]
    assert [one.pipeline_number for one in entries] == [2419, running.number, failed.number, None, None, None, None]
    assert [one.ref for one in entries[:5]] == ["try/green", "try/slow", "try/parallel", "try/green", "try/green"]
    assert [one.about for one in entries[:6]] == [
        "acme/frontend try/green",
        "acme/frontend try/slow",
        "acme/frontend try/parallel",
        "acme/frontend try/green",
        "acme/frontend try/green",
        "acme/backend try/green",
    ]
    assert entries[0].parameters == ("env", "note")
    assert "CircleCI refused this" in entries[2].result
    assert entries[4].result == "acme/frontend try/green is locked by grace"  # the reason is somebody's own text
    assert "s3cr3t-value" not in str(entries)


async def test_who_asked_and_who_agreed_stand_in_one_entry(team: Team) -> None:
    await types(team, team.ada, "deploy acme/frontend main env=prod")
    asked = await team.reads("Somebody else must agree")
    assert await record(team) == []  # it is not over
    await types(team, team.slack.person("admin"), "lock acme/frontend:main incident")
    agree = asked.element("Agree and deploy")
    await presses(team, team.grace, asked, agree)
    await types(team, team.slack.person("admin"), "unlock acme/frontend:main")
    await presses(team, team.ada, asked, agree)
    await presses(team, team.slack.person("guest"), asked, agree)
    await presses(team, team.grace, asked, agree)
    deploys = [one for one in await record(team) if one.what.startswith("deploy")]
    assert [(one.user_name, one.agreed_name, one.outcome) for one in deploys] == [
        ("grace", "", "refused"),
        ("ada", "", "refused"),
        ("guest", "", "refused"),
        ("ada", "grace", "done"),
    ]
    assert {one.about for one in deploys} == {"acme/frontend main"}
    assert deploys[-1].agreed_id == team.grace.id
    assert deploys[-1].parameters == ("env",)


async def test_what_nobody_let_happen_is_the_askers_entry(team: Team) -> None:
    build = pushed(team, "hold/prod", ON_HOLD)
    run = build.runs[0]
    hold = ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=run.job_ids["hold-prod"])
    await presses(team, team.ada, somewhere(team), hold)
    asked = await team.reads("Somebody else must agree")
    window = await opens(team, team.grace, asked, "Decline")
    await team.grace.submit(window, {"reason": f"not with {TOKEN}. On Monday!"})
    assert "This seems to hold a secret" in window.visible
    await fills_in(team.grace, window, reason="not with that. On Monday!")
    (entry,) = await record(team)
    assert (entry.user_id, entry.word, entry.outcome, entry.about) == (
        team.ada.id,
        "approve",
        "refused",
        "acme/frontend hold/prod",
    )
    assert entry.pipeline_number == build.number
    assert entry.result == "grace declined: not with that. On Monday!"


async def test_refused_windows_and_presses_are_on_record(team: Team) -> None:
    form = VariableForm(project_slug=FRONTEND, name="DEPLOY_TOKEN")
    place = somewhere(team)
    await team.grace.click(place, button(form))
    await team.is_told(team.grace, "You may not look at or change secrets")
    admin = team.slack.person("admin")
    view = await opens(team, admin, place, form)
    workspace, state = (
        team.slack.workspace,
        {"values": {"value": {"value": {"type": "plain_text_input", "value": "hunter2"}}}},
    )
    sent = payloads.interaction(
        workspace,
        workspace.user("grace"),
        "view_submission",
        trigger_id="1.2.3",
        view=view.as_json(workspace, state),
        response_urls=[],
    )
    await team.slack.courier.deliver(INTERACTIVE, sent)
    await fills_in(admin, view, value="hunter2")
    entries = await record(team)
    assert [(one.user_id, one.word, one.outcome) for one in entries] == [
        (team.grace.id, "secrets", "refused"),
        (team.grace.id, "secrets", "refused"),
        (admin.id, "secrets", "done"),
    ]
    assert [one.about for one in entries] == ["acme/frontend", "", "acme/frontend"]  # of no window it is known
    assert entries[-1].parameters == ("DEPLOY_TOKEN",)
    assert "hunter2" not in str(entries)


async def test_what_is_refused_at_the_door_names_what_it_is_about(team: Team) -> None:
    guest = team.slack.person("guest")
    build = pushed(team, "hold/prod", ON_HOLD)
    run = build.runs[0]
    hold = ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=run.job_ids["hold-prod"])
    await types(team, team.ada, "watch acme/frontend hold/prod")
    await types(team, team.grace, "lock acme/frontend:try/green hotfix")
    before = len(await record(team))
    await presses(team, guest, somewhere(team), hold)
    await presses(team, guest, somewhere(team), Unlock(key=f"{FRONTEND} try/green"))
    await presses(team, guest, somewhere(team), CancelJob(project_slug=FRONTEND, job_number=7))
    await types(team, guest, "deploy acme/frontend main env=prod")
    await types(team, guest, "deploy ACME/frontend main what is this")
    await types(team, team.ada, "deploy acme/frontend main what is this")  # she may, and slips
    await types(team, team.slack.person("admin"), "env list acme/frontend NOTHING")  # which only asks
    await types(team, team.ada, "cancel acme/nothing")
    entries = (await record(team))[before:]
    assert [(one.what, one.about, one.pipeline_number) for one in entries] == [
        ("Approve", "acme/frontend hold/prod", build.number),
        ("unlock", "acme/frontend try/green", None),
        ("Cancel job 7", "acme/frontend", None),
        ("deploy", "acme/frontend main", None),
        ("deploy", "", None),
    ]
    assert {one.outcome for one in entries} == {"refused"}
    assert {one.project_slug for one in entries[:4]} == {FRONTEND}


async def test_who_held_a_lock_stands_in_the_entry_of_who_took_it(team: Team) -> None:
    await types(team, team.ada, "lock acme/frontend:try/green hotfix")
    key = f"{FRONTEND} try/green"
    await presses(team, team.grace, somewhere(team), TakeLock(key=key, holder_id=team.ada.id))
    await presses(team, team.ada, somewhere(team), Unlock(key=key, holder_id=team.grace.id))
    assert [one.result for one in await record(team)] == [
        "acme/frontend try/green is locked",
        "acme/frontend try/green is theirs now; ada held it",
        "acme/frontend try/green is unlocked; grace held it",
    ]


async def test_nothing_is_on_record_twice_however_often_it_is_delivered(team: Team) -> None:
    running = pushed(team, "try/slow", RUNNING)
    delivered = [
        await team.ada.command("deploys", "/ci", "deploy acme/frontend try/green"),
        await team.slack.person("guest").command("deploys", "/ci", "deploy acme/frontend try/green"),
        await team.ada.command("deploys", "/ci", "deploy acme/backend try/green"),
    ]
    await team.is_done()
    cancel = await team.grace.click(somewhere(team), button(CancelPipeline(pipeline_id=running.id)))
    await team.is_done()
    before = await record(team)
    for delivery in (*delivered, cancel):
        await team.ada.redeliver(delivery)
    await team.is_done()
    # A worker that dies after the act and before it has said so leaves the delivery to the next one.
    async with Redis.from_url(team.app.docket.url, decode_responses=True) as redis:
        done = [str(key) for key in await redis.keys("ci:done:*")]
        await redis.delete(*done)
    for delivery in delivered:
        await team.app.engine.add(HANDLE, str(delivery.payload["trigger_id"]))
    (press,) = [one.removeprefix("ci:done:") for one in done if "cancel_pipeline" in one]
    await team.app.engine.add(PRESS, press)
    await team.is_done()
    assert len(before) == 4
    assert await record(team) == before
    assert len(writes(team)) == 2
