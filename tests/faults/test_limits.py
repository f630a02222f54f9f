"""When there is more to ask than CircleCI and Slack allow: people first, progress last, and one word that says so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.team import Team, Waits, team_at_work


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Team]:
    """Let a bot work that may ask CircleCI ten times a second, which is nothing at this pace."""
    async with team_at_work(tmp_path, circleci_requests_per_second=10) as team:
        yield team


async def test_people_go_first_when_the_budget_is_small(small: Team) -> None:
    # Four builds at twenty looks a second want many times the budget.
    for number in range(4):
        await small.runs(f"try/slow n={number}")  # the very same would be asked about
    await small.slack.wait_for(lambda: len(small.deploys.roots) == 4, timeout=30)
    small.circleci.requests.clear()
    began = asyncio.get_running_loop().time()
    await small.ada.command("deploys", "/ci", "me")
    await small.is_told(small.ada, "bot")
    seconds = asyncio.get_running_loop().time() - began
    assert seconds < 5
    assert len(small.circleci.requests) <= 12 * (seconds + 1)


async def test_threads_are_told_once_that_news_is_late_and_hear_the_end(small: Team) -> None:
    many = 6  # so many that some wait for twelve intervals, whatever turns they are given
    for number in range(many):
        await small.runs(f"try/green n={number}")
    await small.slack.wait_for(lambda: small.count("News will be late"), timeout=30)
    small.time_flies()
    await small.slack.wait_for(lambda: small.count("Passed in") == many, timeout=60)
    late = [one for one in small.deploys.messages if "News will be late" in one.visible]
    assert len(late) == len({one.thread_ts for one in late})
    assert not [one for one in small.deploys.messages if "does not answer" in one.visible]


async def test_final_words_do_not_wait_behind_progress(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, slack_posts_per_second_per_channel=4, slack_updates_per_minute=240) as team:
        team.circleci.world.clock.speed = 200
        team.slack.limits = None
        for number in range(4):
            await team.deploys_branch(f"try/failing-tests n={number}")
        await team.slack.wait_for(lambda: team.count("test_adds_item") == 4, timeout=60)
        assert len(team.deploys.roots) == 4


@pytest.mark.parametrize("seconds", [1, 30])
async def test_a_429_stops_every_request(tmp_path: Path, seconds: int) -> None:
    async with team_at_work(tmp_path) as team:
        await team.runs()
        await team.reads("Running")
        team.circleci.faults.add("GET", "/api/v2/*", status=429, headers={"Retry-After": str(seconds)}, body={})
        await team.until(lambda: any(seen.status == 429 for seen in team.circleci.requests))
        asked = len(team.circleci.requests)
        await team.ada.command("deploys", "/ci", "me")
        if seconds == 1:
            await team.is_told(team.ada, "bot")
        else:
            await team.is_told(team.ada, "CircleCI asks me to slow down")
            assert len(team.circleci.requests) <= asked + 2


async def test_who_deploys_while_circleci_asks_to_wait_is_told_how_long_and_need_not_try_again(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, waits=Waits(drain_seconds=0.1)) as team:  # that it goes on: tests/test_pacing.py
        team.circleci.faults.add("*", "/api/v2/*", status=429, headers={"Retry-After": "40"}, body={}, times=1)
        await team.deploys_branch("try/green")
        alone = team.slack.workspace.ephemerals
        await team.slack.wait_for(lambda: [one for one in alone if "comes in about 40 s" in one.text], timeout=30)


async def test_edits_are_merged_and_the_end_is_shown_all_the_same(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, slack_updates_per_minute=90) as team:
        team.circleci.world.clock.speed = 200
        for number in range(2):
            await team.deploys_branch(f"try/failing-tests n={number}")
        await team.slack.wait_for(lambda: team.count("Failed after") == 2, timeout=60)
        # Slack's limit may keep a root back behind the word that pings.
        await team.slack.wait_for(lambda: all("Failed" in root.text for root in team.deploys.roots), timeout=60)
        edits = team.slack.calls_of("chat.update")
        assert len(edits) <= 14
