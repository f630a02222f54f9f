"""Stories of what a failure is: new, flaky, red on main already, or nobody's fault."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.models.circleci import ProjectSlug
from bot.settings import ProjectEntry, Projects
from playground.circleci.past import SUITE, PastPlan, scenario_of
from playground.circleci.scenarios import JobPlan, Scenario, TestPlan, WorkflowPlan
from playground.circleci.world import write_frontend_past, write_past
from playground.slack.conversations import Message
from tests.stories.team import Team, Waits, team_at_work
from tests.stories.test_looking import asks

FRONTEND, BACKEND = "gh/acme/frontend", "gh/acme/backend"
NETWORK = ("$ npm ci", "npm error code ECONNRESET", "npm error network request to https://registry.example failed")
FLAKY = "test_charges_once"
ENDPOINTS = frozenset(f"test_endpoint_{number:02}" for number in range(10))


def red(*names: str, log: tuple[str, ...] = ()) -> Scenario:
    return scenario_of(PastPlan((frozenset(names),), log=log))


async def judged(team: Team, words: str = "Compared with") -> Message:
    """Wait until the final reply has been completed, and return it."""
    return await team.reads(words)


def primary(message: Message) -> list[str]:
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [one["text"]["text"] for row in rows for one in row if one.get("style") == "primary"]


async def test_each_failing_test_bears_its_verdict_and_the_commit_is_the_main_button(team: Team) -> None:
    write_frontend_past(team.circleci.world)
    await team.deploys_branch("release/v2.0")
    final = await judged(team)
    shown = final.visible
    assert "test_adds_item` · tests/test_cart.py · *new here*" in shown
    assert re.search(r"test_rejects_bad_password.* known flake, failed 5 of the last 30 builds", shown.replace("*", ""))
    assert "on code that also passed" in shown
    assert "*already red on main* since #1838" in shown
    assert "Compared with 30 earlier builds of `main`" in shown
    assert "30 of them had test data" in shown
    assert primary(final) == ["Open the commit"]
    assert team.count("Failed after") == 1
    assert final.edited_ts is not None
    (job,) = [run.job_numbers["unit-tests"] for run in team.circleci.world.pipelines[0].runs if len(run.plan.jobs) > 1]
    assert sum(seen.path.endswith(f"/{job}/tests") for seen in team.circleci.requests) == 1  # for both words


async def test_the_first_report_never_waits_for_history(team: Team) -> None:
    team.circleci.faults.add("GET", "/api/v2/project/gh/acme/frontend/pipeline*", status=503, times=None, spare=1)
    await team.deploys_branch("release/v2.0")
    final = await team.reads("Failed after")
    assert "test_adds_item" in final.visible
    assert "Not compared with earlier builds: CircleCI did not answer" in (await judged(team, "Not compared")).visible


async def test_what_nobody_expected_ends_the_waiting_too(team: Team) -> None:
    times: dict[str, Any] = {"Run tests": "soon"}  # what no version of us wrote
    for past in team.circleci.world.history:
        for number in [number for run in past.runs for number in run.job_numbers.values()]:
            await team.app.store.past.save_step_times(ProjectSlug(BACKEND), number, times)
    team.circleci.world.set_scenario(BACKEND, "main", red(FLAKY))
    await team.deploys_branch("main", "acme/backend")
    assert FLAKY in (await judged(team, "Not compared with earlier builds: something broke on my side.")).visible


async def test_a_known_flake_alone_makes_rerun_the_main_button(team: Team) -> None:
    team.circleci.world.set_scenario(BACKEND, "main", red(FLAKY))
    await team.deploys_branch("main", "acme/backend")
    final = await judged(team)
    assert "*known flake*, failed 4 of the last 10 builds, 3 times on code that also passed" in final.visible
    assert "*Worth a rerun*: all that failed is flaky." in final.visible
    assert "It takes about 2 min" in final.visible
    assert primary(final) == ["Rerun failed"]


async def test_what_is_new_stands_first_among_many(team: Team) -> None:
    write_past(team.circleci.world, BACKEND, "main", [PastPlan((ENDPOINTS,)), PastPlan()] * 2)
    team.circleci.world.set_scenario(BACKEND, "fix/cart", red(*ENDPOINTS, "test_session_expires"))
    await team.deploys_branch("fix/cart", "acme/backend")
    final = await judged(team)
    assert "Of the failing tests: 1 new here, 10 not sure." in final.visible
    assert final.visible.index("test_session_expires") < final.visible.index("test_endpoint_")


async def test_when_main_is_red_one_waits(team: Team) -> None:
    write_past(team.circleci.world, BACKEND, "main", [PastPlan((frozenset({"test_total_is_exact"}),))] * 2)
    team.circleci.world.set_scenario(BACKEND, "fix/cart", red("test_total_is_exact"))
    await team.deploys_branch("fix/cart", "acme/backend")
    final = await judged(team)
    assert "*already red on main* since #1811" in final.visible
    assert "*Wait*: `main` is red since" in final.visible
    assert primary(final) == ["Open #1811, which broke main"]


async def test_a_network_step_is_infrastructure_and_worth_a_rerun(team: Team) -> None:
    team.circleci.world.set_scenario(BACKEND, "main", red(log=NETWORK))
    await team.deploys_branch("main", "acme/backend")
    final = await judged(team)
    assert "npm error code ECONNRESET" in final.visible
    assert "*likely infrastructure*: connection lost" in final.visible
    assert "*Worth a rerun*: it looks like infrastructure" in final.visible
    assert primary(final) == ["Rerun failed"]


async def test_broke_still_broken_and_fixed(team: Team) -> None:
    world = team.circleci.world
    for words in ("It broke: the build before passed", "Still broken, exactly as in", "the 3rd time in a row, since"):
        world.set_scenario(BACKEND, "main", red("test_session_expires"))
        await team.deploys_branch("main", "acme/backend")
        await team.reads(words)
    world.set_scenario(BACKEND, "main", scenario_of(PastPlan()))
    await team.deploys_branch("main", "acme/backend")
    await team.reads("it had been red for 3 builds, since")
    await team.deploys_branch("main", "acme/backend")
    await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=30)
    assert [one for one in team.deploys.messages if "Passed in" in one.visible][-1].edited_ts is None


async def test_a_rerun_that_fails_the_same_way_is_one_line(team: Team) -> None:
    plan = red("test_session_expires").workflows[0]
    team.circleci.world.set_scenario(BACKEND, "main", Scenario((plan,), rerun=(plan,)))
    await team.deploys_branch("main", "acme/backend")
    final = await judged(team)
    await team.ada.click(final, "Rerun failed")
    again = await team.reads("Exactly as the attempt before it: the same 1 test failed")
    assert "expected 200, got 503" not in again.visible


@pytest.fixture
async def trusting(tmp_path: Path) -> AsyncIterator[Team]:
    """Bring a team whose backend may rerun by itself, and knows a pattern of its own."""
    projects = Projects(
        projects={"backend": ProjectEntry(slug=BACKEND, rerun_once=True)},
        infrastructure={"vault asleep": "vault: sealed"},
    )
    async with team_at_work(tmp_path, projects=projects, admins=("U0ADMIN",)) as team:
        yield team


async def test_a_project_may_rerun_by_itself_once(trusting: Team) -> None:
    plan = red(log=("vault: sealed",)).workflows[0]
    trusting.circleci.world.set_scenario(BACKEND, "main", Scenario((plan,), rerun=(plan,)))
    await trusting.deploys_branch("main", "acme/backend")
    await trusting.reads("I run test again by myself, once")
    await trusting.reads("*likely infrastructure*: vault asleep")
    await trusting.reads("Exactly as the attempt before it: the same step failed")
    await trusting.slack.wait_for(lambda: trusting.count("Compared with") == 2, timeout=30)
    assert len(trusting.posts("/rerun")) == 1
    await trusting.slack.person("admin").command("general", "/ci", "audit 1d")
    told = await trusting.is_told(trusting.slack.person("admin"), "rerun once")
    assert "the bot itself" in told.visible


async def test_a_rerun_that_circleci_refuses_leaves_the_button(trusting: Team) -> None:
    trusting.circleci.faults.add("POST", "*/rerun", status=403, body={"message": "Permission denied"}, times=None)
    trusting.circleci.world.set_scenario(BACKEND, "main", red(FLAKY))
    await trusting.deploys_branch("main", "acme/backend")
    final = await judged(trusting)
    await trusting.until(lambda: trusting.posts("/rerun"))
    assert primary(final) == ["Rerun failed"]
    assert trusting.count("by myself") == 0


async def test_what_is_new_is_never_rerun_by_itself(trusting: Team) -> None:
    trusting.circleci.world.set_scenario(BACKEND, "main", red("test_session_expires"))
    await trusting.deploys_branch("main", "acme/backend")
    await judged(trusting)
    assert trusting.count("by myself") == 0
    assert trusting.posts("/rerun") == []


async def test_history_costs_one_request_for_each_job_not_yet_kept(team: Team) -> None:
    write_frontend_past(team.circleci.world)
    await team.deploys_branch("release/v2.0")
    await judged(team)
    paths = [seen.path for seen in team.circleci.requests]
    tests = [path for path in paths if path.endswith("/tests")]
    pasts = [path for path in tests if int(path.split("/")[-2]) > 100_000]
    assert len(pasts) == len(set(pasts)) <= 36  # thirty builds, some in two attempts
    team.circleci.requests.clear()
    await team.deploys_branch("release/v2.0")
    await team.slack.wait_for(lambda: team.count("Compared with") == 2, timeout=30)
    again = [seen.path for seen in team.circleci.requests if seen.path.endswith("/tests")]
    assert len([path for path in again if int(path.split("/")[-2]) > 100_000]) == 0


async def test_without_history_nothing_is_compared(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, history_builds=0) as team:
        await team.deploys_branch("try/big")
        final = await team.reads("Failed after")
        beyond = [
            seen for seen in team.circleci.requests if re.search(r"/\d+(/tests|/artifacts)?$|/output/", seen.path)
        ]
        assert 1 <= len(beyond) <= 8
        assert "ompar" not in final.visible


async def test_newest_build_of_acme_backend_on_main_did_it_fail_which_tests_rerun_if_it_failed_in_a_network_step(
    team: Team,
) -> None:
    step = JobPlan("install", seconds=20, ends="failed", step="npm ci", log=NETWORK)
    world = team.circleci.world
    world.set_scenario(BACKEND, "main", Scenario((WorkflowPlan("build-test", (step,)),)))
    world.trigger(BACKEND, branch="main", parameters={}, by="push")
    await team.until(lambda: world.pipelines[-1].runs[0].status(world.clock.now()) == "failed")
    told = await asks(team, "triage acme/backend main", "Failed after")
    assert "npm error code ECONNRESET" in told.visible
    assert "*likely infrastructure*: connection lost" in told.visible
    assert primary(told) == ["Rerun failed"]
    await team.grace.command("deploys", "/ci", "rerun acme/backend main failed")
    await team.reads("Passed in")
    assert len(team.posts("/rerun")) == 1


async def test_artifacts_of_the_newest_successful_build_of_acme_cli_on_main_the_linux_amd64_one_its_link(
    team: Team,
) -> None:
    told = await asks(team, "artifacts acme/cli main linux-amd64", "dist/cli-linux-amd64")
    assert re.search(r"<http[^|]+cli-linux-amd64\|", str(told.blocks))


def test_the_suite_is_what_the_past_ran() -> None:
    assert FLAKY in {test.name for test in SUITE}


async def test_hostile_and_huge_results_make_a_good_report(team: Team) -> None:
    hostile = "\x00\x1b[31m<!channel>*`\u202e"
    names = [f"test_{number}" + ("x" * 10_000 if number % 7 == 0 else hostile) for number in range(2_000)]
    tests = tuple(TestPlan(name, "tests/test_huge.py", f"{hostile} expected 1") for name in names)
    job = JobPlan("unit", seconds=10, ends="failed", tests=tests)
    team.circleci.tests_page_size = 5_000
    team.circleci.world.set_scenario(BACKEND, "main", Scenario((WorkflowPlan("build-test", (job,)),)))
    await team.deploys_branch("main", "acme/backend")
    final = await judged(team)
    assert "2000 of 2000 tests" in final.visible
    assert "and 1990 more" in final.visible
    assert "Show all 2000 failures" in final.visible
    assert "<!channel>" not in str(final.blocks)
    assert not set("\x00\x1b\u202e") & set(str(final.blocks))
    await team.grace.click(final, "Show all 2000 failures")
    told = await team.is_told(team.grace, "2000 of 2000 tests failed")
    assert "and 19" in told.visible


async def test_a_comparison_cut_off_by_a_death_is_taken_up_again(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, waits=Waits(drain_seconds=0.1)) as team:
        team.circleci.faults.add("GET", "/api/v2/project/gh/acme/backend", until=asyncio.Event(), spare=1)
        team.circleci.world.set_scenario(BACKEND, "main", red(FLAKY))
        await team.deploys_branch("main", "acme/backend")
        await team.reads("I am comparing it with earlier builds")
        await team.app.__aexit__(None, None, None)
        team.circleci.faults.clear()
        async with App(team.app._settings, Projects()):
            await judged(team)
        assert team.count("Failed after") == 1


async def test_a_reply_is_completed_although_somebody_was_faster_to_rerun(team: Team) -> None:
    answers = asyncio.Event()
    team.circleci.faults.add("GET", "/api/v2/project/gh/acme/backend", until=answers, spare=1)
    team.circleci.world.set_scenario(BACKEND, "main", red(FLAKY))
    await team.deploys_branch("main", "acme/backend")
    final = await team.reads("I am comparing it with earlier builds")
    await team.ada.click(final, "Rerun failed")
    await team.reads("attempt 2")
    answers.set()
    await judged(team)
