"""Stories of what is asked for twice: one question, which ends when the same is done without it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions import ApproveJob, RerunAll, RerunFailed, RunCommand, TypeTarget
from bot.models.circleci import ProjectSlug, Ref
from bot.models.pending import Deployment
from bot.operations.standing import about
from playground.slack.conversations import Message
from tests.agents.asking import agent_of, asks
from tests.operations.scene import (
    FRONTEND,
    MOBILE,
    ON_HOLD,
    OVER,
    fills_in,
    opens,
    presses,
    pushed,
    record,
    said,
    somewhere,
    team_under,
    types,
    writes,
)
from tests.stories.team import Team

POLICY = """
[roles.team]
users = ["U0ADA", "U0GRACE"]

[[rules]]
name = "members do all this"
roles = ["members"]
words = ["*"]

[[rules]]
name = "two people"
effect = "demand"
roles = ["team"]
words = ["deploy", "rerun", "approve"]
branches = ["main", "try/on-hold", "try/parallel"]
second_person = true

[[rules]]
name = "typed"
effect = "demand"
roles = ["team"]
words = ["deploy", "rerun", "approve"]
branches = ["hold/prod"]
typed = true

[[rules]]
name = "nothing over a red branch"
effect = "demand"
roles = ["team"]
words = ["deploy"]
branches = ["release/*"]
green = true
"""
MAIN = "deploy acme/frontend main env=prod"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


def requests(team: Team) -> list[Message]:
    return [one for one in team.deploys.messages if "somebody else must agree" in one.text]


async def test_a_deploy_that_waits_for_a_second_person_is_asked_for_once(team: Team) -> None:
    await asyncio.gather(team.ada.command("deploys", "/ci", MAIN), team.grace.command("deploys", "/ci", MAIN))
    await team.is_done()
    (request,) = requests(team)
    asker, other = (team.ada, team.grace) if "ada wants" in request.visible else (team.grace, team.ada)
    for person in (asker, other):
        (told,) = await types(team, person, MAIN)
        who = "You" if person is asker else f"@{asker.user.name}"
        assert f"{who} asked for this at" in told.visible
        assert f"p{request.ts.replace('.', '')}" in str(told.blocks)
    await types(team, other, "deploy acme/frontend main env=staging")
    await types(team, asker, "deploy acme/frontend main")
    assert len(requests(team)) == 3
    await presses(team, other, request, "Agree and deploy")
    assert len(writes(team)) == 1
    assert len(requests(team)) == 2
    (beside,) = await types(team, asker, MAIN)  # what was agreed to is no open request, and runs
    await presses(team, asker, beside, "Deploy it all the same")
    assert len(requests(team)) == 3
    for person, who in ((asker, "You"), (other, f"@{asker.user.name}")):
        again = said(await presses(team, person, somewhere(team), beside.element("Deploy it all the same")))
        assert f"{who} answered this. acme/frontend main waits for somebody else to agree." in again


async def test_a_second_press_points_at_the_request_that_stands(team: Team) -> None:
    failed, held = pushed(team, "try/parallel", OVER), pushed(team, "try/on-hold", ON_HOLD)
    run, place = held.runs[0], somewhere(team)
    hold = ApproveJob(pipeline_id=held.id, workflow_id=run.id, approval_request_id=run.job_ids["hold-prod"])
    reruns = RerunFailed(pipeline_id=failed.id), RerunAll(pipeline_id=failed.id)
    for number, action in enumerate((*reruns, hold, RunCommand(text=MAIN)), 1):
        assert await presses(team, team.ada, place, action) == []
        assert "@ada asked for this at" in said(await presses(team, team.grace, place, action))
        assert len(requests(team)) == number
    assert writes(team) == []


async def test_a_request_is_over_when_the_same_is_done_without_it(team: Team) -> None:
    admin, place = team.slack.person("admin"), somewhere(team)
    failed = pushed(team, "try/parallel", OVER)
    await presses(team, team.ada, place, RerunFailed(pipeline_id=failed.id))
    await types(team, team.ada, MAIN)
    rerun, deploy = requests(team)
    agree = deploy.element("Agree and deploy")
    await presses(team, admin, place, RerunFailed(pipeline_id=failed.id))
    await types(team, admin, MAIN)
    for request, thread in ((rerun, rerun.ts), (deploy, deploy.ts)):
        assert "admin did the same meanwhile" in request.visible
        assert request.buttons == []
        assert any(
            one.thread_ts == thread and "@ada, admin did the same" in one.visible for one in team.deploys.messages
        )
    assert "admin did the same meanwhile" in said(await presses(team, team.grace, deploy, agree))
    assert len(writes(team)) == 2
    refused = [one.result for one in await record(team) if one.user_name == "ada"]
    assert len(refused) == 2
    assert all("did the same meanwhile" in one for one in refused)


async def test_what_one_person_is_to_answer_is_shown_again_and_answered_once(team: Team) -> None:
    pushed(team, "release/v2.0", OVER)
    for text, button in (
        ("deploy acme/frontend hold/prod", "Type it"),
        ("deploy acme/frontend release/v2.0", "Deploy all the same"),
        (f"deploy {MOBILE} try/green", "nightly"),
    ):
        (first,) = await types(team, team.ada, text)
        (again,) = await types(team, team.ada, text)
        assert first.element(button)["value"] == again.element(button)["value"]
        (of_grace,) = await types(team, team.grace, text)
        assert of_grace.element(button)["value"] != first.element(button)["value"]
    assert writes(team) == []


async def test_what_somebody_else_typed_need_not_be_typed_any_more(team: Team) -> None:
    text = "deploy acme/frontend hold/prod"
    (of_ada,), (of_grace,) = await types(team, team.ada, text), await types(team, team.grace, text)
    await fills_in(team.grace, await opens(team, team.grace, of_grace, "Type it"), typed="hold/prod")
    assert "grace did the same meanwhile" in said(await presses(team, team.ada, of_ada, "Type it"))
    assert len(writes(team)) == 1


async def test_asked_in_another_place_it_is_answered_there(team: Team) -> None:
    text = "deploy acme/frontend hold/prod"
    (first,) = await types(team, team.ada, text)
    await team.ada.command("releases", "/ci", text)
    await team.is_done()
    there = team.ada.sees_only[-1]
    assert there.channel.name == "releases"
    late = said(await presses(team, team.ada, first, TypeTarget.unpack(first.element("Type it")["value"])))
    assert "This was asked for again in #releases since: the newer question counts." in late
    await fills_in(team.ada, await opens(team, team.ada, there, "Type it"), typed="hold/prod")
    assert len(writes(team)) == 1


async def test_a_request_whose_answer_was_lost_is_found_where_it_stands(team: Team) -> None:
    team.slack.faults.add("POST", "/api/chat.postMessage", drop="after")
    assert await types(team, team.ada, MAIN) == []
    (asked,) = requests(team)
    await presses(team, team.grace, asked, "Agree and deploy")
    assert "grace agreed" in asked.visible
    assert len(writes(team)) == 1


async def test_a_request_that_could_not_be_posted_stands_in_nobodys_way(team: Team) -> None:
    team.slack.refuse("chat.postMessage", "is_archived")
    assert "Slack did not take my request" in said(await types(team, team.ada, MAIN))
    assert await team.app.store.pending.waiting() == []
    assert await types(team, team.grace, MAIN) == []
    assert len(requests(team)) == 1


async def test_nor_does_one_whose_asker_has_left_or_whose_run_died(team: Team) -> None:
    store, ada = team.app.store.pending, team.slack.workspace.user("ada")
    await types(team, team.ada, MAIN)
    (first,) = requests(team)
    ada.deleted = True
    assert await types(team, team.grace, MAIN) == []
    assert "Nobody can agree to acme/frontend main any more. @ada may not deploy" in first.visible
    assert "has left the workspace" in first.visible
    (waits,) = await store.waiting()
    await store.save(waits.model_copy(update={"request_ts": None, "asking_until": waits.asked_at}))
    ada.deleted = False
    team.app.permissions.forget()
    assert await types(team, team.ada, MAIN) == []
    assert len(requests(team)) == 2  # nobody knows of the one that was posted by a run that died
    (kept,) = await store.waiting()
    assert kept.asker.name == "ada"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("pull/12", "pull/12/head", True),
        ("pull/12/merge", "pull/12", True),
        ("merge-requests/12/head", "pull/12", True),
        ("pull/12", "pull/13", False),
        ("main", "Main", False),
    ],
)
def test_a_pull_request_is_the_same_under_each_of_its_names(one: str, other: str, is_same: bool) -> None:
    wishes = [
        Deployment(project_slug=ProjectSlug(FRONTEND), project_title="acme/frontend", ref=Ref(name=name))
        for name in (one, other)
    ]
    assert (about(wishes[0]) == about(wishes[1])) is is_same


async def test_what_stands_in_direct_messages_is_in_nobody_elses_way_and_ends_when_it_is_done(team: Team) -> None:
    failed = pushed(team, "try/parallel", OVER)
    alone = team.slack.workspace.open_im("U0ADMIN")
    agent = await agent_of(team, "laptop", "admin", channel_id=alone.id)
    asked = await asks(team, agent, "rerun", project="acme/frontend", pipeline=failed.number)
    assert asked["who"] == ["admin"]
    await types(team, team.grace, f"rerun acme/frontend #{failed.number}")
    request = await team.reads("grace wants to rerun")
    await presses(team, team.ada, request, "Agree and rerun")
    await team.slack.wait_for(lambda: "did the same meanwhile" in said(alone.messages))
    assert len(writes(team)) == 1
