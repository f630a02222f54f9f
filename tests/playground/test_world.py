"""The playground's world agrees with itself: what somebody just ran is newer than all that was invented."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import StringIO
from typing import Any

import aiohttp
import pytest

from playground.circleci.api import CircleCI
from playground.circleci.world import default_world, write_frontend_past
from playground.clock import Clock
from playground.screen import Screen, unmarked
from playground.slack.workspace import default_workspace


@pytest.fixture
async def circleci() -> AsyncIterator[CircleCI]:
    world = default_world(Clock(speed=0))
    write_frontend_past(world)
    async with CircleCI(world) as circleci:
        yield circleci


async def asked(circleci: CircleCI, method: str, path: str, **body: object) -> Any:
    headers = {"Authorization": f"Bearer {circleci.token}"}
    async with (
        aiohttp.ClientSession(circleci.url, headers=headers) as session,
        session.request(method, path, json=body or None) as answer,
    ):
        return await answer.json()


async def test_what_ran_just_now_is_the_newest_everywhere(circleci: CircleCI) -> None:
    await asked(circleci, "POST", "/api/v2/project/gh/acme/frontend/pipeline", branch="main")
    circleci.world.clock.advance(timedelta(minutes=5))
    known = await asked(circleci, "GET", "/api/v1.1/projects")
    (frontend,) = [one for one in known if one["reponame"] == "frontend"]
    (newest,) = frontend["branches"]["main"]["recent_builds"]
    recent = await asked(circleci, "GET", "/api/v1.1/recent-builds?limit=100")
    assert (newest["build_num"], newest["outcome"]) == (recent[0]["build_num"], "success")
    assert [one["reponame"] for one in recent[:2]] == ["frontend", "frontend"]
    assert max(one["build_num"] for one in recent[2:]) < min(one["build_num"] for one in recent[:2])
    times = [one["start_time"] for one in recent]
    assert times == sorted(times, reverse=True)


async def test_a_commit_that_wants_no_builds_starts_none_but_through_the_github_app(circleci: CircleCI) -> None:
    old, new = "/api/v2/project/gh/acme/frontend/pipeline", "/api/v2/project/circleci/5e0c5f62/9f1c2d7a/pipeline/run"
    assert await asked(circleci, "POST", old, branch="try/skip-ci") == {
        "message": "The commit says [skip ci], so nothing was started."
    }
    definition = next(iter(circleci.world.projects["circleci/5e0c5f62/9f1c2d7a"].definitions))
    started = await asked(circleci, "POST", new, definition_id=definition, checkout={"branch": "try/skip-ci"})
    assert started["number"] == 2417


@pytest.mark.parametrize(
    ("mrkdwn", "read"),
    [
        ("*⏳ Waiting* · acme/frontend", "⏳ Waiting · acme/frontend"),
        ("• `a*b*c` · *new here*, _so far_", "• `a*b*c` · new here, so far"),
        ("*Failed after 4 min*: ~one~ two", "Failed after 4 min: one two"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("* not bold *, *nor\nthis*", "* not bold *, *nor\nthis*"),
    ],
)
def test_the_terminal_shows_no_marks_of_mrkdwn(mrkdwn: str, read: str) -> None:
    assert unmarked(mrkdwn) == read


def test_the_terminal_says_where_a_reply_stands() -> None:
    workspace, out = default_workspace(), StringIO()
    channel, bot = workspace.channel("deploys"), workspace.bot_user_id
    root = workspace.post(channel, bot, "Running")
    workspace.post(channel, bot, "A job failed", thread_ts=root.ts)
    workspace.post(channel, bot, "Failed", thread_ts=root.ts, reply_broadcast=True)
    Screen(workspace, out).show()
    said = [line for line in out.getvalue().splitlines() if line.startswith("ci ")]
    assert said == ["ci (#deploys)", "ci (in the thread)", "ci (in the thread, and in #deploys)"]
