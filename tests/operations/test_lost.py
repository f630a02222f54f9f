"""What became of an act whose answer was lost: what is looked at, who is told, and what else then holds."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.actions import ApproveJob, RerunFailed
from bot.models.build import Build, Run
from bot.models.circleci import Job, Pipeline, PipelineId, ProjectSlug, Ref, Workflow
from bot.models.lost import Lost
from bot.operations.lost import became
from bot.watching.engine import LOOK_AFTER, LOOK_FOR
from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from tests.agents.asking import agent_of, asks, calls
from tests.operations.scene import (
    FRONTEND,
    ON_HOLD,
    OVER,
    RUNNING,
    again_until,
    goes_by,
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

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MEANT = {"a": "build", "b": "ship"}


def build(*runs: tuple[str, str, str]) -> Build:
    """Return a build of workflows: the id, the status of each, and that of its job `test`, whose number is that."""
    pipeline = {"id": "p", "number": 2417, "project_slug": "gh/acme/frontend", "state": "created", "created_at": START}
    found = [
        Run(
            workflow=Workflow.model_validate({"id": one, "name": one, "status": status, "created_at": START}),
            jobs=(Job(id=f"job-{one}", name="test", type="build", status=job, job_number=ord(one)),),
        )
        for one, status, job in runs
    ]
    return Build(pipeline=Pipeline.model_validate(pipeline), runs=tuple(found), read_at=START)


def told(act: str, now: Build, *, is_last: bool, **more: object) -> tuple[str, bool, str] | None:
    known = {"id": "Ev1", "act": act, "pipeline_id": PipelineId("p"), "project_title": "acme/frontend"}
    found = became(Lost.model_validate({**known, "person_id": "U0ADA", **more}), now, is_last=is_last)
    return found and (found.told.text.partition("looked: ")[2], found.is_done, found.part)


RED, RUNS, OVER_NOW, GONE = ("failed", "failed"), ("running", "running"), ("success", "success"), ("canceled",) * 2


@pytest.mark.parametrize(
    ("act", "runs", "more", "words", "done", "part"),
    [
        # Another workflow that begins is no rerun; each that was sent counts by itself.
        ("rerun", {"a": RED, "b": RED, "z": RUNS}, {"workflows": MEANT}, "has not run again", False, ""),
        ("rerun", {"c": RUNS, "b": RED}, {"workflows": MEANT}, "build has run again, and ship has not", False, "build"),
        ("rerun", {"c": RUNS, "d": RUNS}, {"workflows": MEANT}, "#2417 has run again", True, ""),
        (
            "rerun",
            {"c": RUNS, "b": RED},
            {"workflows": {"a": "R&D", "b": "x<y"}},
            "R&amp;D has run again, and x&lt;y",
            False,
            "R&D",
        ),
        ("rerun", {"c": RUNS}, {"fingerprint": "a"}, "#2417 has run again", True, ""),  # of an earlier version
        # Nor does one that goes on mean that nothing was cancelled.
        ("cancel", {"a": GONE, "z": RUNS}, {"workflows": {"a": "build"}}, "what ran then has ended", True, ""),
        ("cancel", {"a": GONE, "b": RUNS}, {"workflows": MEANT}, "cancelled: a. What goes on: b. Press", False, "a"),
        ("cancel", {"a": RUNS, "b": RUNS}, {"workflows": MEANT}, "I could not see that it was cancelled.", False, ""),
        ("cancel", {"a": OVER_NOW, "b": RUNS}, {"workflows": MEANT}, "not see that it was cancelled. What", False, ""),
        ("cancel", {"a": OVER_NOW}, {"workflows": {"a": "build"}}, "#2417 passed.", False, ""),
        ("cancel_job", {"a": GONE, "z": RUNS}, {"job_number": ord("a")}, "does not run any more", True, ""),
        ("cancel_job", {"a": GONE, "z": RUNS}, {"job_number": ord("z")}, "has not ended", False, ""),
        ("cancel_job", {"a": GONE, "z": RUNS}, {"job_name": "test"}, "has not ended", False, "test"),
    ],
)
def test_what_was_sent_is_looked_at_and_nothing_else(
    act: str, runs: dict[str, tuple[str, str]], more: dict[str, object], words: str, done: bool, part: str
) -> None:
    now = build(*((one, *status) for one, status in runs.items()))
    found = told(act, now, is_last=True, **more)
    assert found is not None
    assert words in found[0]
    assert found[1:] == (done, part)


@pytest.mark.parametrize("act", ["rerun", "cancel"])
def test_what_shows_in_part_may_show_in_full_at_the_next_look(act: str) -> None:
    now = build(("c", *GONE), ("b", *RUNS))
    assert told(act, now, is_last=False, workflows=MEANT) is None


TWO = """
[[rules]]
name = "everybody"
words = ["*"]

[[rules]]
name = "two people"
effect = "demand"
words = ["approve"]
second_person = true
"""


async def test_who_asked_and_who_agreed_are_told_and_all_else_is_as_if_the_answer_had_come(tmp_path: Path) -> None:
    async with team_under(TWO, tmp_path) as team:
        waits = pushed(team, "hold/prod", ON_HOLD)
        run = waits.runs[0]
        hold = ApproveJob(pipeline_id=waits.id, workflow_id=run.id, approval_request_id=run.job_ids["hold-prod"])
        await presses(team, team.ada, somewhere(team), hold)
        asked = await team.reads("Somebody else must agree")
        team.circleci.faults.add("POST", "*/approve/*", drop="after", until=(lost := asyncio.Event()))
        await team.grace.click(asked, "Agree and approve")
        await team.until(lambda: writes(team))
        team.circleci.faults.add("GET", "/api/v2/*", status=503, times=None)  # no look is answered, so none shows it
        lost.set()
        await again_until(
            lambda: pulls_forward(team, LOOK_AFTER), lambda: "I go on looking, and tell you" in said(team.ada.sees_only)
        )
        team.circleci.faults.clear()
        for person in (team.ada, team.grace):
            await again_until(
                lambda: pulls_forward(team, LOOK_AFTER),
                lambda one=person: "looked: hold-prod is approved" in said(one.sees_only),  # type: ignore[misc]  # bound
            )
        assert "grace agreed: hold-prod of acme/frontend hold/prod #2417 is approved" in asked.visible
        root = await team.reads("watched by ada · approved by ada")
        assert root.visible.count("hold/prod") == 1
        done = [one for one in await record(team) if one.outcome == "done"]
        assert [(one.user_name, one.agreed_name, one.result) for one in done] == [
            ("ada", "grace", "#2417: hold-prod; its answer was lost, and it was done")
        ]


ALONE = TWO.replace('words = ["*"]', 'words = ["*"]\nagents_alone = true').replace('"approve"', '"deploy"')


async def test_the_request_and_the_agent_hear_that_it_is_looked_for_and_what_came_of_that(tmp_path: Path) -> None:
    async with team_under(ALONE, tmp_path) as team:
        agent = await agent_of(team)
        failed = pushed(team, "try/parallel", OVER)
        team.circleci.faults.add("POST", "*/rerun", drop="after", times=1)
        alone = await asks(team, agent, "rerun", project="acme/frontend", pipeline=failed.number)
        deploys = await asks(team, agent, "deploy", project="acme/frontend", branch="main")
        asked = await team.reads("must agree")
        team.circleci.faults.add("POST", "*/pipeline", drop="before", times=1)
        await presses(team, team.grace, asked, "Agree and deploy")
        assert (alone["state"], alone["finished"]) == ("looked for", False)
        assert "grace agreed" in asked.visible
        assert "is on its way" not in asked.visible
        await again_until(lambda: pulls_forward(team, LOOK_FOR), lambda: "shows no pipeline for main" in asked.visible)
        told = (await calls(team, agent, "follow", of=deploys["of"], wait=0)).data
        assert (told["state"], told["finished"]) == ("not found", True)
        await again_until(lambda: pulls_forward(team, LOOK_AFTER), lambda: "has run again" in said(team.ada.sees_only))
        again = await asks(team, agent, "rerun", project="acme/frontend", pipeline=failed.number)
        assert again["state"] in ("started", "running")
        assert len([one for one in writes(team) if one.endswith("rerun")]) == 1


async def test_what_was_done_in_part_is_told_so_to_the_agent_and_the_record(tmp_path: Path) -> None:
    both = Scenario(
        tuple(WorkflowPlan(name, (JobPlan("unit", seconds=90, ends="failed"),)) for name in ("alpha", "beta"))
    )
    async with team_under(ALONE, tmp_path) as team:
        agent, wanted = await agent_of(team), {"project": "acme/frontend"}
        team.circleci.world.set_scenario(FRONTEND, "try/both", both)
        failed = pushed(team, "try/both", OVER)
        team.circleci.faults.add("POST", "*/rerun", status=403, body={"message": "No."}, spare=1)
        for _ in range(2):  # the same again is no other one, and sends nothing
            told = await asks(team, agent, "rerun", **wanted, pipeline=failed.number)
            assert (told["state"], told["finished"], told["pipeline"]) == ("in part", True, failed.number)
            assert "Only a part of it was done: alpha." in told["quoted_end"]
        # What runs is followed, and counts beside a deploy.
        assert await team.app.store.watches.any(PipelineId(failed.id))
        (reran,) = await team.app.store.attempts.of_pipelines([PipelineId(failed.id)])
        assert await team.app.store.attempts.lately_of(ProjectSlug(FRONTEND), Ref(name="try/both")) == [reran]
        runs = pushed(team, "try/both", RUNNING)
        await types(team, team.grace, f"watch acme/frontend #{runs.number}")
        team.circleci.faults.add("POST", "*/cancel", drop="before", spare=1)
        stops = await asks(team, agent, "cancel", **wanted, pipeline=runs.number)
        assert (stops["state"], stops["finished"]) == ("looked for", False)
        goes_by(team, 5)
        await again_until(lambda: pulls_forward(team, LOOK_AFTER), lambda: "What goes on: beta" in said_to(team))
        told = (await calls(team, agent, "follow", of=stops["of"], wait=0)).data
        assert (told["state"], told["finished"]) == ("in part", True)
        assert "What was cancelled: alpha. What goes on: beta." in told["quoted_end"]
        assert [one.what for one in await record(team) if one.outcome == "done"] == [f"watch #{runs.number}"]
        await team.reads("CircleCI has accepted it for alpha; the outcome follows")
        assert (await record(team))[-1].result == "its answer was lost, and only a part of it was done: alpha"
        assert len(writes(team)) == 4  # one of each was taken


def said_to(team: Team) -> str:
    return said(team.ada.sees_only)


async def test_who_is_told_directly_hears_there_what_became_of_it(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        failed = pushed(team, "try/parallel", OVER)
        team.deploys.members.remove(team.slack.workspace.bot_user_id)
        (asked,) = await types(team, team.ada, f"rerun acme/frontend #{failed.number}")
        team.circleci.faults.add("POST", "*/rerun", drop="after", times=1)
        await presses(team, team.ada, asked, "Tell me in direct messages")
        await again_until(
            lambda: pulls_forward(team, LOOK_AFTER),
            lambda: "looked: acme/frontend #2417 has run again" in said(team.ada.direct_messages),
        )
        await team.slack.wait_for(lambda: "rerun by ada" in said(team.ada.direct_messages))


async def test_where_slack_does_not_take_it_in_the_channel_it_comes_in_direct_messages(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        failed = pushed(team, "try/parallel", OVER)
        team.circleci.faults.add("POST", "*/rerun", drop="before", times=1)
        await presses(team, team.ada, somewhere(team), RerunFailed(pipeline_id=failed.id))
        team.deploys.members.remove(team.slack.workspace.bot_user_id)
        await again_until(
            lambda: pulls_forward(team, LOOK_AFTER),
            lambda: "looked: acme/frontend #2417 has not run again" in said(team.ada.direct_messages),
        )
