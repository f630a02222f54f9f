"""Stories of who presses late: the button is taken away, or says what became of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actions import RerunAll, RerunFailed
from tests.operations.scene import (
    FRONTEND,
    OVER,
    followed,
    goes_by,
    presses,
    pushed,
    said,
    somewhere,
    team_under,
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


async def test_where_no_thread_has_the_news_it_is_not_said_that_one_has(team: Team) -> None:
    # A build that is followed no more is rerun by the buttons that its thread still has.
    await followed(team, "release/v2.0", OVER, "❌ Failed")
    failed = team.circleci.world.pipelines[-1]
    await team.ada.mention("deploys", "unwatch", thread_ts=team.root.ts)
    await team.is_told(team.ada, "#2417 is no longer followed here.")
    told = said(await presses(team, team.grace, somewhere(team), RerunAll(pipeline_id=failed.id)))
    assert "grace pressed Rerun all." in told
    goes_by(team, 1)
    late = said(await presses(team, team.ada, somewhere(team), RerunAll(pipeline_id=failed.id)))
    assert "@grace was first. #2417 runs again already" in late
    assert f"No thread has the news of it: `/ci watch {FRONTEND} #2417` follows it here." in late
