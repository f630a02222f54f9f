"""CircleCI answers nonsense, late, or not at all: what people read, and what CircleCI got."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.models.circleci import PipelineId
from bot.watching.engine import SIGN
from tests.stories.team import Team, is_offer, team_at_work

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
# A 429 that does not say how long is waited for ten seconds: tests/circleci/test_transport.py.
NONSENSE: tuple[dict[str, Any], ...] = (
    {"status": 429, "headers": {"Retry-After": "1"}, "body": {}},
    {"status": 200, "body": {}},
    {"status": 500, "body": {"message": "Internal server error"}},
    {"status": 502, "body": HTML},
    {"status": 200, "body": HTML},
    {"drop": "after"},
    {"drop": "before"},
    {"delay": 0.5},
)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path) as team:
        yield team


@pytest.mark.parametrize("path", ["*/workflow", "*/workflow/*/job", "*/tests"])
async def test_a_watch_survives_what_circleci_answers(team: Team, path: str) -> None:
    await team.runs("try/failing-tests")
    await team.reads("Running")
    for fault in NONSENSE:
        team.circleci.faults.add("GET", path, **fault)
    team.time_flies()
    await team.slack.wait_for(lambda: team.count("Failed after"), timeout=60)
    # A report is made once, whatever of it could be read.
    expected = 3 if path == "*/tests" else len(NONSENSE)
    await team.until(lambda: sum(seen.spoiled for seen in team.circleci.requests) >= expected)
    assert team.count("Failed after") == 1
    assert len(team.deploys.roots) == 1
    assert len(team.posts("/pipeline")) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 429, "headers": {"Retry-After": "400"}, "body": {}}, "CircleCI asks me to slow down"),
        ({"status": 403, "body": {"message": "Forbidden by policy"}}, "Forbidden by policy"),
        ({"status": 200, "body": {"message": "Nothing to build"}}, "started nothing"),
        ({"status": 500, "body": {"message": "x"}}, "I will not start a second one"),
        ({"status": 502, "body": HTML}, "I will not start a second one"),
        ({"drop": "before"}, "I will not start a second one"),
    ],
    ids=["429", "403", "nothing started", "500", "HTML", "broken connection"],
)
async def test_a_trigger_is_sent_once_whatever_is_answered(team: Team, fault: dict[str, Any], words: str) -> None:
    team.circleci.faults.add("POST", "*/pipeline", **fault)
    await team.deploys_branch("main")
    await team.is_told(team.ada, words)
    if "second one" in words:
        await team.is_told(team.ada, "never took effect")
    assert len(team.posts("/pipeline")) == 1
    assert team.circleci.world.pipelines == []
    assert team.deploys.roots == []


async def test_a_trigger_that_circleci_puts_off_for_a_moment_is_delayed(team: Team) -> None:
    team.circleci.faults.add("POST", "*/pipeline", status=429, headers={"Retry-After": "0.2"}, body={})
    await team.deploys_branch("main")
    await team.reads("Passed in")
    assert len(team.circleci.world.pipelines) == len(team.deploys.roots) == 1
    assert all(map(is_offer, team.ada.sees_only))


async def test_a_trigger_that_circleci_took_is_found_and_followed(team: Team) -> None:
    team.circleci.faults.add("POST", "*/pipeline", drop="after")
    await team.deploys_branch("main")
    await team.reads("Passed in")
    assert len(team.posts("/pipeline")) == len(team.deploys.roots) == len(team.circleci.world.pipelines) == 1


async def test_a_redelivery_in_the_middle_of_a_slow_trigger_starts_nothing(team: Team) -> None:
    team.circleci.faults.add("POST", "*/pipeline", delay=1)
    delivery = await team.ada.mention("deploys", "deploy acme/frontend main")
    await team.ada.redeliver(delivery)
    await team.reads("Passed in")
    await team.ada.redeliver(delivery)
    assert len(team.circleci.world.pipelines) == len(team.posts("/pipeline")) == 1
    assert team.count("Passed in") == 1


async def test_what_nobody_follows_is_looked_at_no_more_although_circleci_knows_nothing_of_it(team: Team) -> None:
    team.circleci.world.clock.speed = 20
    await team.deploys_branch("try/slow")
    await team.reads("Running")
    pipeline, watches = PipelineId(team.circleci.world.pipelines[0].id), team.app.store.watches
    team.circleci.faults.add("GET", "/api/v2/*", status=404, body={"message": "Pipeline not found"}, times=None)
    for watch in await watches.of(pipeline):
        await watches.remove(watch)
    async with asyncio.timeout(10):
        while pipeline in await watches.watching():
            await team.slack.pause(0.05)
    left = [one.function_name for one in (await team.app.docket.snapshot()).future if pipeline in one.args]
    assert set(left) <= {SIGN}  # which sees at its next turn that there is nothing to wait for
