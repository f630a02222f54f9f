"""Stories of who presses late: the button is taken away, or says what became of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions import CancelPipeline, RerunAll, RerunFailed, ShowLog
from bot.models.build import mark_of
from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from tests.operations.scene import (
    FRONTEND,
    ON_HOLD,
    OVER,
    followed,
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


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under("", tmp_path) as team:
        yield team


async def test_who_comes_to_a_green_build_too_late_reads_when_it_passed(team: Team) -> None:
    green = pushed(team, "main", OVER)
    goes_by(team, 7200)
    told = said(await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=green.id)))
    assert told.startswith("#2417 passed 2 h ")
    assert f"and nothing of it failed. `/ci rerun {FRONTEND} #2417 all` runs all of it again." in told
    assert writes(team) == []


def fails_otherwise_again(team: Team) -> None:
    """Let `unit` fail on the branch `main`, and `lint` in its place whenever it runs again."""

    def plan(fails: str) -> tuple[WorkflowPlan, ...]:
        ends = {name: "failed" if name == fails else "success" for name in ("unit", "lint")}
        return (WorkflowPlan("build", tuple(JobPlan(name, ends=end) for name, end in ends.items())),)

    team.circleci.world.set_scenario(FRONTEND, "main", Scenario(plan("unit"), rerun=plan("lint")))


@pytest.mark.parametrize("label", ["Rerun failed", "Rerun all"])
async def test_a_rerun_is_about_the_attempt_that_its_message_shows(team: Team, label: str) -> None:
    fails_otherwise_again(team)
    pipeline = pushed(team, "main", OVER)
    (final,) = await types(team, team.ada, f"triage {FRONTEND} #2417")
    button = final.element(label)
    team.circleci.world.rerun(pipeline.runs[0].id)  # on CircleCI's page
    goes_by(team, OVER)
    told = said(await presses(team, team.grace, final, button))
    assert told.startswith("#2417 has run again, and this message is about an attempt before: nothing was done. By now")
    assert f"`/ci rerun {FRONTEND} #2417` is about that." in told
    assert writes(team) == []
    # A button of an earlier version does not say which attempt it is about.
    await presses(team, team.grace, final, RerunFailed(pipeline_id=pipeline.id))
    assert len(writes(team)) == 1


async def test_a_button_of_some_workflows_leaves_the_others_alone(team: Team) -> None:
    """Also once one of the others has run again meanwhile."""
    plans = [
        WorkflowPlan(name, (JobPlan(f"{name}-it", ends=ends, log=(f"{name} broke",)),))
        for name, ends in (("publish", "failed"), ("lint", "success"), ("tests", "failed"), ("deploy", "failed"))
    ]
    team.circleci.world.set_scenario(FRONTEND, "main", Scenario(tuple(plans)))
    pipeline, place = pushed(team, "main", OVER), somewhere(team)
    first = {run.plan.name: run.id for run in pipeline.runs}

    def press(*names: str) -> RerunFailed:
        mark = mark_of(",".join(sorted(first[name] for name in names)))
        return RerunFailed(pipeline_id=pipeline.id, attempt=mark, workflows=names)

    log = ShowLog(pipeline_id=pipeline.id, workflows=("tests",))
    told = said(await presses(team, team.ada, place, log))
    assert ("tests broke" in told, "publish" in told) == (True, False)
    for names in (("tests",), ("deploy",)):
        await presses(team, team.ada, place, press(*names))
    assert [path.split("/")[-2] for path in writes(team)] == [first["tests"], first["deploy"]]
    goes_by(team, OVER)
    refused = said(await presses(team, team.grace, place, press("tests")))
    assert "#2417 has run again, and this message is about an attempt before" in refused
    assert "/ci rerun" not in refused
    assert len(writes(team)) == 2


async def test_of_a_job_that_passed_since_the_newest_run_is_shown(team: Team) -> None:
    held = (JobPlan("wait", approval=True), JobPlan("ship", requires=("wait",)))
    plans = (WorkflowPlan("build", (JobPlan("unit", ends="failed", log=("1 failed",)),)), WorkflowPlan("slow", held))
    team.circleci.world.set_scenario(FRONTEND, "main", Scenario(plans))
    pipeline = pushed(team, "main", OVER)
    (failed,) = pipeline.runs[0].job_numbers.values()
    rerun = team.circleci.world.rerun(pipeline.runs[0].id)
    goes_by(team, 1)
    assert f"unit {failed}" in said(await types(team, team.ada, f"job {FRONTEND} #2417"))  # as long as it runs
    goes_by(team, OVER)  # and another workflow is still open
    (passed,) = rerun.job_numbers.values()
    for word in ("job", "logs"):
        told = said(await types(team, team.ada, f"{word} {FRONTEND} #2417"))
        assert str(passed) in told
        assert "❌" not in told


async def test_what_passed_since_is_not_shipped_again_by_an_old_button(team: Team) -> None:
    team.circleci.world.set_scenario(FRONTEND, "main", "failing-tests")  # the rerun passes
    pipeline = pushed(team, "main", OVER)
    (final,) = await types(team, team.ada, f"triage {FRONTEND} #2417")
    team.circleci.world.rerun(pipeline.runs[-1].id)  # the workflow that failed
    goes_by(team, OVER)
    told = said(await presses(team, team.grace, final, final.element("Rerun all")))
    assert "By now #2417 passed" in told
    assert f"`/ci rerun {FRONTEND} #2417 all` is about that." in told
    assert writes(team) == []


async def test_cancel_is_about_the_attempt_that_its_message_shows(team: Team) -> None:
    fails_otherwise_again(team)
    pipeline = pushed(team, "main", 10)
    (offer,) = await types(team, team.ada, f"cancel {FRONTEND} #2417")
    button = offer.element("Cancel #2417")
    goes_by(team, OVER)
    team.circleci.world.rerun(pipeline.runs[0].id)
    goes_by(team, 1)
    told = said(await presses(team, team.ada, offer, button))
    assert "By now #2417 is running." in told
    assert writes(team) == []
    (offer,) = await types(team, team.ada, f"cancel {FRONTEND} #2417")
    await presses(team, team.ada, offer, "Cancel #2417")
    assert len(writes(team)) == 1


async def test_where_no_thread_has_the_news_it_is_not_said_that_one_has(team: Team) -> None:
    # A build that is followed no more is rerun by the buttons that its thread still has.
    await followed(team, "release/v2.0", OVER, "Finishing, red so far")
    failed = team.circleci.world.pipelines[-1]
    await team.ada.mention("deploys", "unwatch", thread_ts=team.root.ts)
    await team.reads("#2417 is no longer followed here.")
    assert await presses(team, team.grace, somewhere(team), RerunAll(pipeline_id=failed.id)) == []
    await team.reads("rerun by grace")
    goes_by(team, 1)
    assert "no longer followed" in said(await types(team, team.grace, f"unwatch {FRONTEND} #2417"))
    late = said(await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=failed.id)))
    assert "@grace was first to rerun it: #2417" in late
    assert f"No thread has the news of it: `/ci watch {FRONTEND} #2417` follows it here." in late


async def test_a_hold_that_was_approved_elsewhere_keeps_no_button(team: Team) -> None:
    hold = await followed(team, "hold/prod", ON_HOLD, "Waiting for approval")
    approve = hold.element("Approve hold-prod")
    run = team.circleci.world.pipelines[-1].runs[0]
    team.circleci.world.approve(run.id, run.job_ids["hold-prod"])
    goes_by(team, 1)
    await team.reads("hold-prod waited for an approval, and was approved (release).")
    assert hold.buttons == []
    assert "@ada" not in hold.visible
    late = said(await presses(team, team.grace, hold, approve))
    assert late == "It was approved on CircleCI: #2417 is running."


async def test_a_hold_that_was_cancelled_keeps_no_button(team: Team) -> None:
    hold = await followed(team, "hold/prod", ON_HOLD, "Waiting for approval")
    approve = hold.element("Approve hold-prod")
    await presses(team, team.ada, team.root, "Cancel #2417")
    goes_by(team, 30)
    await team.pull_forward()
    await team.reads("hold-prod waits for no approval any more (release).")
    assert hold.buttons == []
    assert "#2417 was cancelled" in said(await presses(team, team.grace, hold, approve))


async def test_a_hold_whose_thread_is_followed_no_more_keeps_no_button(team: Team) -> None:
    hold = await followed(team, "hold/prod", ON_HOLD, "Waiting for approval")
    await team.grace.mention("deploys", "unwatch", thread_ts=team.root.ts)
    await team.is_told(team.grace, "#2417 is followed here for @ada, and goes on to be: only they end that")
    assert "Approve hold-prod" in hold.buttons
    await team.ada.mention("deploys", "unwatch", thread_ts=team.root.ts)
    await team.reads("#2417 is no longer followed here.")
    root = await team.reads("ada had me stop following it.")
    assert "Ship v2.0" in root.visible
    assert "Approve" not in hold.visible + root.visible
    assert f"`@ci approve {FRONTEND} #2417` shows what waits." in hold.visible


@pytest.mark.parametrize("typed", [True, False])
async def test_who_cancels_too_early_is_given_the_button_that_tries_again(team: Team, typed: bool) -> None:
    late = pushed(team, "try/late-workflow", 5)
    line, press = f"cancel acme/frontend #{late.number}", CancelPipeline(pipeline_id=late.id)
    (told,) = await types(team, team.ada, line) if typed else await presses(team, team.ada, somewhere(team), press)
    assert "If one begins, try again." in told.visible
    assert writes(team) == []
    goes_by(team, 20)
    await presses(team, team.ada, told, f"Cancel #{late.number}")
    assert len(writes(team)) == 1
