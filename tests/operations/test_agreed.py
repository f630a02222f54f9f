"""Stories of what is agreed to: it stands in the request whole, and nothing else is sent on that agreement."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions import ApproveJob, RerunFailed
from playground.circleci.pipelines import Pipeline
from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from playground.slack.conversations import Message
from tests.operations.scene import (
    FRONTEND,
    MOBILE,
    OVER,
    RUNNING,
    goes_by,
    presses,
    pushed,
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
name = "members do all this"
roles = ["members"]
words = ["read", "deploy", "rerun", "approve", "cancel"]

[[rules]]
name = "admins do all"
roles = ["admins"]
words = ["*"]

[[rules]]
name = "the release team looks into builds"
roles = ["release-team"]
words = ["ssh"]

[[rules]]
name = "two people"
effect = "demand"
words = ["*"]
branches = ["main", "hold/prod", "try/*"]
second_person = true

[[rules]]
name = "nothing over a red branch"
effect = "demand"
words = ["deploy"]
branches = ["release/*", "hold/prod"]
green = true
"""
FAILED = JobPlan("unit", ends="failed")
MIXED = Scenario(
    (
        WorkflowPlan("build", (FAILED, JobPlan("ship", requires=("unit",)), JobPlan("tell", requires=("ship",)))),
        WorkflowPlan("nightly", (JobPlan("sweep", seconds=90), JobPlan("report", requires=("sweep",)))),
    )
)
HOLD, SECOND_HOLD = (JobPlan(name, approval=True) for name in ("hold", "hold-again"))
CHAIN = Scenario(
    (
        WorkflowPlan(
            "ship",
            (
                HOLD,
                JobPlan("deploy-prod", requires=("hold",)),
                JobPlan("smoke", requires=("deploy-prod",)),
                JobPlan("hold-again", approval=True, requires=("smoke",)),
                JobPlan("announce", requires=("hold-again",)),
            ),
        ),
    )
)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


async def asked(team: Team, text: str) -> Message:
    await types(team, team.ada, text)
    return await team.reads("Somebody else must agree")


async def half_cancelled(team: Team) -> Pipeline:
    """Return a build of which one workflow failed and the other was cancelled while it ran."""
    team.circleci.world.set_scenario(FRONTEND, "main", MIXED)
    build = pushed(team, "main", 50)
    team.circleci.world.cancel(build.runs[1].id, by="barbara")
    goes_by(team, OVER)
    return build


@pytest.mark.parametrize("note", ["n" * 310, "a `tick` and, target=staging", "x" * 500 + "&" * 12])
async def test_every_parameter_stands_in_the_request(team: Team, note: str) -> None:
    request = await asked(team, f'deploy acme/frontend main note="{note}" dry=false target=production-eu')
    assert "target=production-eu" in request.visible
    assert "dry=false" in request.visible
    assert note.replace("`", "ˋ").replace("&", "&amp;") in request.visible.replace("&amp;", "&").replace("&", "&amp;")


async def test_an_unseen_letter_of_a_value_is_seen(team: Team) -> None:
    request = await asked(team, "deploy acme/frontend main target=prod\u200b")
    assert 'target="prod\\u200b"' in request.visible


async def test_many_parameters_are_shown_all(team: Team) -> None:
    given = " ".join(f"name{number}={'v' * 60}{number}" for number in range(50))
    request = await asked(team, f"deploy acme/frontend main {given}")
    assert [number for number in range(50) if f"name{number}={'v' * 60}{number}" not in request.visible] == []


async def test_what_does_not_fit_into_the_request_is_refused_before_anything_is_asked(team: Team) -> None:
    jobs = tuple(JobPlan(f"a-job-with-a-long-name-{'x' * 100}-{number}", ends="failed") for number in range(120))
    team.circleci.world.set_scenario(FRONTEND, "main", Scenario((WorkflowPlan("build", jobs),)))
    build = pushed(team, "main", OVER)
    told = said(await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id)))
    assert "does not fit into a message" in told
    assert team.count("must agree") == 0
    assert writes(team) == []


async def test_more_jobs_than_ten_are_shown_all(team: Team) -> None:
    build = pushed(team, "try/ninety-failures", OVER * 5)
    failed = [job.name for run in build.runs for job in run.plan.jobs if job.ends == "failed"]
    await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id))
    request = await team.reads("Somebody else must agree")
    assert len(failed) > 10
    assert [name for name in failed if name not in request.visible] == []


async def test_a_cancelled_workflow_that_would_run_whole_stands_in_the_request(team: Team) -> None:
    build = await half_cancelled(team)
    await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=build.id))
    request = await team.reads("Somebody else must agree")
    assert "What runs again: unit, sweep, report." in request.visible
    assert "Behind them, as far as they pass: ship, tell." in request.visible
    told = said(await presses(team, team.grace, request, "Agree and rerun"))
    assert "unit, nightly" in told
    assert len(writes(team)) == 2


async def test_all_that_an_approval_lets_run_stands_in_the_request(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "main", CHAIN)
    build = pushed(team, "main", RUNNING)
    run = build.runs[0]
    hold = ApproveJob(pipeline_id=build.id, workflow_id=run.id, approval_request_id=run.job_ids["hold"])
    await presses(team, team.ada, somewhere(team), hold)
    request = await team.reads("Somebody else must agree")
    assert "It would start: deploy-prod, smoke." in request.visible
    assert "waits for another approval: hold-again." in request.visible
    assert "announce" not in request.visible


async def test_what_reruns_with_ssh_says_so_and_takes_two_who_may(team: Team) -> None:
    team.slack.workspace.usergroups["S0RELEASE"].users.append(team.ada.id)
    build = pushed(team, "try/parallel", OVER)
    request = await asked(team, f"rerun acme/frontend #{build.number} ssh")
    assert "ada wants to rerun with SSH the failed jobs of" in request.visible
    agree = request.element("Agree and rerun")
    assert "may not open builds to SSH" in said(await presses(team, team.grace, request, agree))
    assert writes(team) == []
    await presses(team, team.slack.person("admin"), request, agree)
    assert len(writes(team)) == 1


async def test_the_request_names_the_pipeline_definition(team: Team) -> None:
    (which,) = await types(team, team.ada, f"deploy {MOBILE} main")
    await presses(team, team.ada, which, "nightly")
    assert "Pipeline definition: nightly." in (await team.reads("Somebody else must agree")).visible


async def test_builds_that_say_nothing_do_not_make_a_branch_green(team: Team) -> None:
    pushed(team, "release/v2.0", OVER)
    team.circleci.world.set_scenario(FRONTEND, "release/v2.0", "slow")
    for number in range(7):
        build = pushed(team, "release/v2.0", 20)
        if number % 2:
            team.circleci.world.cancel(build.runs[0].id, by="barbara")
    (told,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert "#2417, is red: unit-tests" in told.visible
    assert writes(team) == []


async def test_where_no_build_has_ended_the_branch_is_not_green(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "release/v2.0", "slow")
    pushed(team, "release/v2.0", 20)
    (told,) = await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert "No build of acme/frontend release/v2.0 has lately passed or failed" in told.visible
    await presses(team, team.ada, told, "Deploy all the same")
    assert len(writes(team)) == 1


async def test_behind_many_that_say_nothing_a_green_one_is_found(team: Team) -> None:
    for scenario, times in (("green", 1), ("slow", 8)):
        team.circleci.world.set_scenario(FRONTEND, "release/v2.0", scenario)
        for _ in range(times):
            pushed(team, "release/v2.0", OVER if scenario == "green" else 2)
    assert await types(team, team.ada, "deploy acme/frontend release/v2.0") == []
    assert len(writes(team)) == 1
