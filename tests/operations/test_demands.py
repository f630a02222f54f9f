"""Stories of reruns and approvals that wait for a second person, or for their target to be typed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions import AgreeDeploy, ApproveJob, RerunAll, RerunFailed, TypeTarget
from bot.watching.engine import EXPIRE
from playground.circleci.pipelines import Pipeline
from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from playground.slack.conversations import Message
from tests.operations.scene import (
    FRONTEND,
    MOBILE,
    ON_HOLD,
    OVER,
    fills_in,
    opens,
    presses,
    pulls_forward,
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
[roles.release-team]
groups = ["S0RELEASE"]

[[rules]]
name = "everybody reads"
words = ["read"]

[[rules]]
name = "members"
roles = ["members"]
words = ["deploy", "rerun", "cancel", "approve"]
branches = ["!release/v2.0"]

[[rules]]
name = "the release team"
roles = ["release-team"]
words = ["deploy", "rerun", "approve"]

[[rules]]
name = "two people"
effect = "demand"
words = ["deploy", "rerun", "approve"]
branches = ["release/*", "try/on-hold", "main", "new/*"]
second_person = true

[[rules]]
name = "typed"
effect = "demand"
words = ["rerun", "approve"]
branches = ["hold/prod", "try/parallel"]
typed = true
"""


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


def hold_of(build: Pipeline) -> ApproveJob:
    run = build.runs[0]
    return ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=run.job_ids["hold-prod"])


async def asked_to_rerun(team: Team) -> tuple[Pipeline, Message]:
    build = pushed(team, "release/v2.0", OVER)
    await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id))
    return build, await team.reads("Somebody else must agree")


async def asked_to_approve(team: Team) -> tuple[Pipeline, Message]:
    build = pushed(team, "try/on-hold", ON_HOLD)
    await presses(team, team.ada, somewhere(team), hold_of(build))
    return build, await team.reads("Somebody else must agree")


async def test_a_second_person_reads_what_runs_again_and_lets_it(team: Team) -> None:
    build, asked = await asked_to_rerun(team)
    # Who may not decline is asked for no reason.
    assert "You may not rerun builds" in said(await presses(team, team.grace, asked, "Decline"))
    assert team.grace.modal is None
    team.slack.workspace.usergroups["S0RELEASE"].users.append(team.grace.id)
    team.app.permissions.forget()  # as after a minute
    assert "ada wants to rerun the failed jobs of acme/frontend release/v2.0 #2417" in asked.visible
    assert "What runs again: unit-tests." in asked.visible
    assert f"barbara · #{build.number}" in asked.visible
    assert writes(team) == []
    agree = asked.element("Agree and rerun")
    assert "somebody else must agree" in said(await presses(team, team.ada, asked, agree))
    assert "You may not rerun builds" in said(await presses(team, team.slack.person("guest"), asked, agree))
    assert writes(team) == []
    await presses(team, team.grace, asked, agree)
    assert writes(team) == [f"POST /api/v2/workflow/{build.runs[1].id}/rerun"]
    agreed = "grace agreed: the failed jobs of acme/frontend release/v2.0 #2417 run again, as ada asked."
    assert agreed in asked.visible
    assert asked.visible.count("#2417") == 1
    assert asked.buttons == []
    pushed(team, "release/v2.0", 5, revision="beef" * 10)  # what is decided is not asked anew
    assert "@grace was first" in said(await presses(team, team.slack.person("admin"), asked, agree))
    assert "grace agreed" in asked.visible
    assert len(writes(team)) == 1


async def test_a_second_person_reads_what_an_approval_would_start(team: Team) -> None:
    build, asked = await asked_to_approve(team)
    assert f"ada wants to approve hold-prod of acme/frontend try/on-hold #{build.number}" in asked.visible
    assert "It would start: deploy-prod." in asked.visible
    await presses(team, team.grace, asked, "Agree and approve")
    assert "grace agreed: hold-prod of acme/frontend try/on-hold #2417 is approved, as ada asked." in asked.visible
    assert [one for one in writes(team) if "/approve/" in one] == writes(team)
    assert len(writes(team)) == 1


async def test_nobody_is_asked_for_what_cannot_be(team: Team) -> None:
    held = pushed(team, "try/on-hold", ON_HOLD)
    press = hold_of(held)
    team.circleci.world.approve(press.workflow_id, press.approval_request_id)
    team.circleci.world.set_scenario(FRONTEND, "release/v9", "green")
    green = pushed(team, "release/v9", OVER)
    before = len(team.deploys.messages)
    assert "somebody else" not in said(await presses(team, team.ada, somewhere(team), press)).lower()
    team.slack.workspace.usergroups["S0RELEASE"].users.append(team.ada.id)
    told = said(await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=green.id)))
    assert "nothing of it failed" in told
    assert len(team.deploys.messages) == before + 2  # those that bear the buttons
    assert writes(team) == []


async def test_a_second_person_reads_of_which_workflow_a_job_is(team: Team) -> None:
    plans = [
        WorkflowPlan(name, (JobPlan("hold", approval=True), JobPlan("ship", requires=("hold",))))
        for name in ("staging", "production")
    ]
    team.circleci.world.set_scenario(FRONTEND, "try/on-hold", Scenario(tuple(plans)))
    build = pushed(team, "try/on-hold", ON_HOLD)
    run = build.runs[1]
    hold = ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=run.job_ids["hold"])
    await presses(team, team.ada, somewhere(team), hold)
    asked = await team.reads("Somebody else must agree")
    assert "wants to approve hold in production of acme/frontend try/on-hold" in asked.visible
    await presses(team, team.grace, asked, "Agree and approve")
    assert "grace agreed: hold in production of acme/frontend try/on-hold #2417 is approved" in asked.visible
    assert [one.result for one in await record(team)][-1] == "#2417: hold in production"
    other = build.runs[0]
    again = ApproveJob(pipeline_id=build.id, workflow_id=other.id, approval_request_id=other.job_ids["hold"])
    await presses(team, team.ada, somewhere(team), again)
    waits = await team.reads("wants to approve hold in staging of acme/frontend try/on-hold")
    await fills_in(team.grace, await opens(team, team.grace, waits, "Decline"), reason="Not before noon")
    assert "grace declined hold in staging of acme/frontend try/on-hold #2417: Not before noon." in waits.visible


async def test_a_declined_rerun_is_told_with_its_reason_and_sent_no_more(team: Team) -> None:
    build = pushed(team, "main", OVER)
    await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=build.id))
    asked = await team.reads("ada wants to rerun all of acme/frontend main")
    assert "nothing there since the green #2417" in asked.visible
    assert "the newest commit of the branch" not in asked.visible
    agree = asked.element("Agree and rerun")
    window = await opens(team, team.grace, asked, "Decline")
    assert "Declined" in await fills_in(team.grace, window, reason="The freeze lasts until Monday")
    told = await team.reads("@ada, grace declined it")
    assert "The freeze lasts until Monday" in told.visible
    assert "grace declined" in said(await presses(team, team.slack.person("admin"), asked, agree))
    assert writes(team) == []
    # Asked for again it is another request.
    await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=build.id))
    assert team.count("somebody else must agree") + team.count("Somebody else must agree") == 1
    again = await team.reads("ada wants to rerun all of acme/frontend main")
    window = await opens(team, team.ada, again, "Decline")
    assert "Taken back. Nothing is started." in await fills_in(team.ada, window, reason="wrong build")
    assert "ada took back the wish to rerun all of acme/frontend main" in again.visible
    assert (await record(team))[-1].result == "ada took it back: wrong build"


async def test_who_may_not_ask_for_it_any_more_takes_back_what_they_asked_for(team: Team) -> None:
    _, asked = await asked_to_rerun(team)
    team.slack.workspace.usergroups["S0RELEASE"].users.remove(team.ada.id)
    team.app.permissions.forget()
    window = await opens(team, team.ada, asked, "Decline")
    assert "Taken back. Nothing is started." in await fills_in(team.ada, window, reason="not mine any more")


async def test_an_approval_that_nobody_agreed_to_in_time_is_over(team: Team) -> None:
    build, asked = await asked_to_approve(team)
    agree = asked.element("Agree and approve")
    await pulls_forward(team, EXPIRE)
    told = await team.reads("nobody agreed in time")
    assert f"/ci approve gh/acme/frontend #{build.number}" in told.visible
    assert "Nobody decided" in asked.visible
    assert "Nobody decided" in said(await presses(team, team.grace, asked, agree))
    assert writes(team) == []


async def test_its_target_is_typed_by_who_asked(team: Team) -> None:
    held, failed = pushed(team, "hold/prod", ON_HOLD), pushed(team, "try/parallel", OVER)
    (to_approve,) = await presses(team, team.ada, somewhere(team), hold_of(held))
    assert "To approve hold-prod of acme/frontend hold/prod #2417, type its branch or tag" in to_approve.visible
    (to_rerun,) = await types(team, team.ada, f"rerun acme/frontend #{failed.number} all")
    assert "To rerun all of acme/frontend try/parallel #2418, type" in to_rerun.visible
    for asked, wrong, right, write in (
        (to_approve, "hold/pord", "hold/prod", "/approve/"),
        (to_rerun, "try/parallel #2418", " try/parallel ", "/rerun"),
    ):
        window = await opens(team, team.ada, asked, "Type it")
        assert window.content["submit"]["text"] == window.title == right_word(asked)
        await team.ada.submit(window, {"typed": wrong})
        assert "That is not " + right.strip() in window.visible
        button = TypeTarget.unpack(asked.element("Type it")["value"])
        assert "Only who asked for it types it" in said(await presses(team, team.grace, somewhere(team), button))
        assert not [one for one in writes(team) if write in one]
        assert "It goes on" in await fills_in(team.ada, window, typed=right)
        assert len([one for one in writes(team) if write in one]) == 1
        assert "You have typed it already" in said(await presses(team, team.ada, asked, "Type it"))


def right_word(asked: Message) -> str:
    return TypeTarget.unpack(asked.element("Type it")["value"]).word.capitalize()


@pytest.mark.parametrize("what", ["deploy", "rerun", "approve", "deploy of what was never built"])
async def test_a_push_after_the_request_is_shown_and_agreed_to_anew(team: Team, what: str) -> None:
    team.slack.workspace.usergroups["S0RELEASE"].users.append(team.grace.id)
    branch = {"rerun": "release/v2.0", "approve": "try/on-hold", "deploy": "main"}.get(what, "new/idea")
    team.circleci.world.set_scenario("gh/acme/frontend", "new/idea", "green")
    if what == "rerun":
        _, asked = await asked_to_rerun(team)
    elif what == "approve":
        _, asked = await asked_to_approve(team)
    else:
        if what == "deploy":
            pushed(team, branch, OVER)
        await types(team, team.ada, f"deploy acme/frontend {branch}")
        asked = await team.reads("Somebody else must agree")
    pushed(team, branch, 5, revision="beef" * 10)
    agree = asked.element(f"Agree and {what.partition(' ')[0]}")
    told = said(await presses(team, team.grace, asked, agree))
    assert "has changed since it was asked" in told
    assert "beefbee" in asked.visible
    assert writes(team) == []
    assert "has changed since it was asked" in said(await presses(team, team.grace, asked, agree))
    assert writes(team) == []
    await presses(team, team.grace, asked, f"Agree and {what.partition(' ')[0]}")
    assert "grace agreed" in asked.visible
    assert len(writes(team)) == 1
    if what.startswith("deploy"):  # of the pretend CircleCI's head: somebody pushed at that very moment
        await team.reads("not the `beefbee` that was agreed to")


async def test_who_lost_the_right_meanwhile_gets_nothing_by_anothers_agreement(team: Team) -> None:
    team.slack.workspace.usergroups["S0RELEASE"].users.append(team.grace.id)
    _, asked = await asked_to_rerun(team)
    team.slack.workspace.usergroups["S0RELEASE"].users.remove(team.ada.id)
    told = said(await presses(team, team.grace, asked, "Agree and rerun"))
    assert "@ada may not rerun builds" in told
    assert "@ada may not rerun builds" in asked.visible
    assert "nothing was started" in asked.visible
    assert writes(team) == []


async def test_what_may_have_been_sent_is_not_called_nothing(team: Team) -> None:
    _, asked = await asked_to_approve(team)
    team.circleci.faults.add("POST", "*/approve/*", drop="after")
    told = said(await presses(team, team.grace, asked, "Agree and approve"))
    assert "I cannot tell whether it took the request" in told
    assert "was lost: I look what became of it" in asked.visible
    assert "nothing was started" not in asked.visible


GREEN = """
[[rules]]
name = "green"
effect = "demand"
words = ["deploy"]
branches = ["try/infrastructure"]
green = true
"""


async def test_a_question_ends_when_its_time_is_up(tmp_path: Path) -> None:
    async with team_under(POLICY + GREEN, tmp_path, approval_minutes=0.0001) as team:
        build = pushed(team, "try/parallel", OVER)
        pushed(team, "try/infrastructure", OVER)
        for text, answer in (
            (f"rerun acme/frontend #{build.number}", "Type it"),
            ("deploy acme/frontend try/infrastructure", "Deploy all the same"),
            (f"deploy {MOBILE} try/green", "nightly"),
        ):
            (asked,) = await types(team, team.ada, text)
            assert "Open until" in asked.visible
            assert "The time to answer this is up" in said(await presses(team, team.ada, asked, answer))
        assert writes(team) == []
        assert "too old" in said(await presses(team, team.grace, asked, AgreeDeploy(attempt_id="nobody-asked")))
        assert [one.outcome for one in await record(team) if one.word == "rerun"] in ([], ["refused"])


@pytest.mark.parametrize(("project", "asks"), [("acme/frontend", "Agree and deploy"), (MOBILE, "nightly on new/mian")])
async def test_nobody_is_asked_about_a_slip_in_a_branch_before_it_is_meant(team: Team, project: str, asks: str) -> None:
    slug = FRONTEND if project == "acme/frontend" else MOBILE
    team.circleci.world.set_scenario(slug, "new/main", "green")
    pushed(team, "new/main", OVER, slug=slug)
    (slip,) = await types(team, team.ada, f"deploy {project} new/mian env=prod")
    assert "built nothing of a branch new/mian" in slip.visible.replace("`", "")
    assert "which may be there all the same. Nothing was started." in slip.visible
    assert list(slip.buttons) == ["Deploy new/main", "Deploy it anyway"]
    assert team.deploys.messages == []
    told = await presses(team, team.ada, slip, "Deploy it anyway")
    assert asks in said([*told, *team.deploys.messages])
    assert "env=prod" in said([*told, *team.deploys.messages]) or slug == MOBILE
    assert writes(team) == []
