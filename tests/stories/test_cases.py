"""Inputs that broke other tools, as somebody would meet them in Slack."""

import json
import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from redis.asyncio import Redis

from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan, of_workflow_statuses
from tests.operations.scene import presses
from tests.stories.team import Team

SLUG = "gh/acme/frontend"


async def test_a_hash_in_a_branch_is_lost_nowhere(team: Team) -> None:
    # C01
    branch = "fix/#1234-some-fix"
    team.circleci.world.set_scenario(SLUG, branch, "failing-tests")
    await team.deploys_branch(branch)
    final = await team.reads("Failed after")
    assert team.posts("/pipeline") == [{"branch": branch}]
    assert branch in team.root.visible
    links = re.findall(r"<(https?://[^|>]+)\|", json.dumps([team.root.blocks, final.blocks]))
    assert links
    assert all("#" not in link for link in links)
    assert any(unquote(link).endswith("login page #1.png") for link in links)


@pytest.mark.parametrize(
    ("typed", "branch"),
    [
        ("deploy acme/frontend “release/v2.0” env=prod", "release/v2.0"),
        ("deploy acme/frontend\u00a0release/v2.0", "release/v2.0"),
        ("deploy acme/frontend ‘feat/a b’", "feat/a b"),
        ("deploy https://app.circleci.com/pipelines/github/acme/frontend?branch=main", "main"),
    ],
)
async def test_what_phones_make_of_typing_is_understood(team: Team, typed: str, branch: str) -> None:
    # C40
    team.circleci.world.set_scenario(SLUG, branch, "green")
    await team.ada.command("deploys", "/ci", typed)
    await team.reads("Passed in")
    (body,) = team.posts("/pipeline")
    assert isinstance(body, dict)
    assert body["branch"] == branch


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        (["success", "failed"], "Failed after"),
        (["success", "running"], "Running"),
        (["failed", "running"], "Running, red so far"),
        (["success", "unauthorized"], "Could not run"),
        (["success", "not_run"], "Passed in"),
        (["success", "on_hold"], "Waiting for approval"),
        (["success", "some_new_state"], "I do not know: some_new_state"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
async def test_all_workflows_decide(team: Team, statuses: list[str], words: str) -> None:
    # C22
    named = [(f"flow-{number}", status) for number, status in enumerate(statuses)]
    team.circleci.world.set_scenario(SLUG, "main", of_workflow_statuses(*named))
    await team.deploys_branch("main")
    await team.reads(words)
    if words != "Passed in":
        assert team.count("Passed in") == 0


async def test_a_rerun_on_circlecis_own_page_makes_it_green(team: Team) -> None:
    # C21
    await team.deploys_branch("release/v2.0")
    await team.reads("Failed after")
    (failed,) = [run for run in team.circleci.world.pipelines[0].runs if run.plan.name == "build-test-deploy"]
    team.circleci.world.rerun(failed.id)
    await team.pull_forward()
    await team.reads("attempt 2")
    await team.reads("Passed in")
    assert "Passed" in team.root.visible


async def test_a_commits_backticks_close_nothing(team: Team) -> None:
    # C04
    hostile = "Use `a|b` ```in``` \\d+ <!channel> *bold* & more"
    job = JobPlan(hostile, ends="failed", seconds=5, step=hostile, log=(f"```{hostile}", "<!here> the end"))
    team.circleci.world.set_scenario(SLUG, "main", Scenario((WorkflowPlan(hostile, (job,)),)))
    await team.deploys_branch("main")
    final = await team.reads("Failed after")
    shown = json.dumps([final.text, *(block for block in final.blocks if block["type"] != "actions")])
    assert "<!" not in shown
    assert shown.count("```") == 2


async def test_two_threads_on_one_pipeline_cost_one_poll(team: Team) -> None:
    await team.runs()
    await team.reads("Running")
    pipeline = team.circleci.world.pipelines[0]
    (watch,) = await team.app.store.watches.of(pipeline.id)  # type: ignore[arg-type]  # the playground's ids are plain text
    releases = team.slack.workspace.channel("releases")
    thread = watch.thread.model_copy(update={"channel_id": releases.id})
    fresh = {"id": "second", "thread": thread, "root_ts": None, "root_digest": "", "told": ()}
    await team.app.store.watches.add(watch.model_copy(update=fresh))
    team.time_flies()
    await team.slack.wait_for(lambda: [one for one in releases.messages if "Passed in" in one.visible], timeout=30)
    polls = [seen for seen in team.circleci.requests if seen.path.endswith(f"{pipeline.id}/workflow")]
    jobs = [seen for seen in team.circleci.requests if seen.path.endswith("/job")]
    assert len(jobs) <= len(polls)
    await team.reads("Passed in")


async def test_a_report_on_two_failed_jobs_of_twenty_costs_eight_requests(team: Team) -> None:
    await team.deploys_branch("try/big")
    await team.reads("Failed after")
    beyond = [seen for seen in team.circleci.requests if re.search(r"/\d+(/tests|/artifacts)?$|/output/", seen.path)]
    assert 1 <= len(beyond) <= 8


async def test_circleci_down_is_said_and_nothing_started(team: Team) -> None:
    team.circleci.faults.add("GET", "/api/v2/project/*", status=503, times=None)
    await team.deploys_branch("main")
    await team.is_told(team.ada, "CircleCI does not answer properly")
    assert team.posts("/pipeline") == []


async def test_a_rate_limit_is_said_with_its_seconds(team: Team) -> None:
    team.circleci.faults.add("GET", "/api/v2/project/*", status=429, headers={"Retry-After": "40"}, body={})
    await team.ada.command("deploys", "/ci", "status acme/frontend")
    await team.is_told(team.ada, "Try again in 40 s")


async def test_what_was_refused_for_want_of_a_turn_can_be_pressed_once_that_is_over(team: Team) -> None:
    team.circleci.faults.add("GET", "/api/v2/project/*", status=429, headers={"Retry-After": "400"}, body={})
    await team.deploys_branch("main")
    told = await team.is_told(team.ada, "Try again in 6 min 40 s")
    (told,) = await presses(team, team.ada, told, "Try again")  # too early
    assert "Try again in 6 min" in told.visible
    async with Redis.from_url(team.app.docket.url) as redis:
        await redis.delete("ci:pause:circleci")  # they have gone by
    for _ in range(2):
        await team.ada.click(told, "Try again")
    await team.is_told(team.ada, " this already")  # it may be under way, or begun
    await team.reads("asked by ada")
    assert team.posts("/pipeline") == [{"branch": "main"}]


async def test_blocks_that_slack_refuses_become_text_in_place(team: Team) -> None:
    team.slack.refuse("chat.postMessage", "invalid_blocks")
    await team.runs("main")
    await team.slack.wait_for(lambda: team.deploys.roots)
    team.time_flies()
    await team.reads("Passed in")
    assert team.root.edited_ts is not None


async def test_skip_ci_is_told_with_its_reason(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy acme/frontend try/skip-ci")
    told = await team.is_told(team.ada, "started nothing")
    assert "The commit says [skip ci]" in told.visible
    assert team.circleci.world.pipelines == []


async def test_the_evidence_buttons_answer_the_one_who_asks(team: Team) -> None:
    await team.deploys_branch("release/v2.0")
    final = await team.reads("Failed after")
    await team.grace.click(final, final.element("Show log"))
    told = await team.is_told(team.grace, "3 failed, 57 passed")
    assert "\x1b" not in told.visible
    await team.ada.click(final, final.element("Rerun all"))
    await team.reads("Passed in")
    await team.grace.click(team.root, team.root.element("Artifacts"))
    await team.is_told(team.grace, "coverage (117 files)")


async def test_a_log_is_that_of_its_messages_attempt_and_a_green_without_tests_says_so(team: Team) -> None:
    # C71
    tests = tuple(TestPlan(f"test_{number}", "tests/test_cart.py", "no" if number < 3 else "") for number in range(60))
    first = JobPlan("unit-tests", seconds=5, ends="failed", tests=tests, log=("the first attempt",))
    second = replace(first, log=("the second attempt",))
    third = replace(first, ends="success", tests=())
    course = Scenario((WorkflowPlan("build", (first,)),), rerun=(WorkflowPlan("build", (second,)),))
    team.circleci.world.set_scenario(SLUG, "main", course)
    await team.deploys_branch("main")
    one = await team.reads("Failed after")
    of_one = one.element("Show log")
    await team.ada.click(one, one.element("Rerun failed"))
    other = await team.reads("Exactly as the attempt before it")
    of_other = other.element("Show log")
    team.circleci.world.pipelines[0].scenario = replace(course, rerun=(WorkflowPlan("build", (third,)),))
    await team.ada.click(other, other.element("Rerun failed"))
    await team.reads("unit-tests passed, but stored no test results this time; it stored 60 when it failed")
    await team.grace.click(one, of_one)
    await team.is_told(team.grace, "the first attempt")
    await team.grace.click(other, of_other)
    await team.is_told(team.grace, "the second attempt")


async def test_why_a_job_never_ran_is_quoted_and_a_rerun_not_advised(team: Team) -> None:
    # C49
    why = "Resource class docker for xlarge is not available for your project."
    job = JobPlan("build", seconds=1, ends="failed", refused=why)
    team.circleci.world.set_scenario(SLUG, "main", Scenario((WorkflowPlan("build", (job,)),)))
    await team.deploys_branch("main")
    final = await team.reads("no earlier builds to compare with")
    assert f"CircleCI says: {why}" in final.visible
    assert "rerun" not in final.visible.lower().replace("[ rerun failed ]", "").replace("[ rerun all ]", "")
    number = next(iter(team.circleci.world.pipelines[0].runs[0].job_numbers.values()))
    await team.ada.command("deploys", "/ci", f"build acme/frontend {number}")
    await team.is_told(team.ada, f"CircleCI says: {why}")


async def test_an_old_button_is_answered(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    other = {**team.root.element("Artifacts"), "action_id": "from_another_time"}
    await team.ada.click(team.root, other)
    await team.is_told(team.ada, "I do not know this button any more")
