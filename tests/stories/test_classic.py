"""Stories of a project whose configuration is older than 2.1: the same words and buttons, over API v1.1 alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.settings import ProjectEntry, Projects
from tests.stories.team import Team, team_at_work

CLASSIC = Projects(projects={"legacy": ProjectEntry(slug="gh/acme/legacy", api="classic")})


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path, projects=CLASSIC) as team:
        yield team
        assert [seen.path for seen in team.circleci.requests if seen.path.startswith("/api/v2/project/")] == []


async def test_it_is_deployed_followed_reported_and_retried(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy legacy main env=prod")
    final = await team.reads("Failed after")
    assert team.posts("/tree/main") == [{"build_parameters": {"env": "prod"}}]
    assert "test_adds_item" in final.visible
    assert "junit.xml" in final.visible
    assert "Step `Run tests`, exit code 1" in final.visible
    await team.grace.click(final, "Rerun failed")
    await team.reads("grace pressed Rerun failed")
    await team.reads("Passed in")
    assert "(attempt 2)" in team.root.visible
    assert len(team.posts("/retry")) == 1
    await team.ada.mention("deploys", "tests", thread_ts=team.root.ts)
    await team.reads("0 of 5 tests failed")


async def test_it_is_cancelled(team: Team) -> None:
    await team.runs("slow", "legacy")
    await team.reads("now: build")
    await team.ada.click(team.root, "Cancel #1842")
    await team.reads("pressed Cancel")
    team.time_flies()
    await team.reads("🚫 Cancelled")
    assert len(team.posts("/1842/cancel")) == 1


async def test_it_is_looked_at(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy legacy tag:v1")
    await team.reads("Failed after")
    assert team.posts("/gh/acme/legacy") == [{"build_parameters": {}, "tag": "v1"}]
    await team.ada.command("deploys", "/ci", "deploy legacy")
    await team.slack.wait_for(lambda: team.count("Failed after") == 2, timeout=30)
    await team.grace.command("general", "/ci", "status legacy main")
    told = await team.is_told(team.grace, "newest first")
    assert "❌ Failed · #1843" in told.visible
    await team.grace.command("general", "/ci", "status legacy #1842")
    await team.is_told(team.grace, "❌ failed · build (1842)")
    await team.grace.command("general", "/ci", "cancel legacy 1842")
    await team.is_told(team.grace, "build (1842) has ended")
    await team.grace.command("general", "/ci", "artifacts legacy 1842")
    await team.is_told(team.grace, "junit.xml")


async def test_a_lost_answer_is_found_here_too(team: Team) -> None:
    team.circleci.faults.add("POST", "*/tree/main", drop="after")
    await team.ada.command("deploys", "/ci", "deploy legacy main")
    await team.is_told(team.ada, "I will not start a second one")
    await team.reads("Failed after")
    assert len(team.posts("/tree/main")) == 1
