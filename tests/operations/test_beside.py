"""Two people, one branch: who deploys what somebody else's deploy still builds is told whose it is, and asked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.operations.scene import OVER, RUNNING, goes_by, presses, said, somewhere, team_under, types, writes
from tests.stories.team import Team

AGAIN = "Deploy it all the same"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under("", tmp_path) as team:
        yield team


async def test_a_second_deploy_says_whose_runs_and_asks_and_goes_out_once(team: Team) -> None:
    await types(team, team.ada, "deploy acme/frontend release/v2.0")
    goes_by(team, RUNNING)
    (asked,) = await types(team, team.grace, "deploy acme/frontend release/v2.0")
    assert "@ada deployed acme/frontend release/v2.0 as #2417, and that has been running since" in asked.visible
    assert asked.buttons == [AGAIN, "Open #2417"]
    assert len(writes(team)) == 1
    # The same question, asked twice, is one; its owner alone answers it, and a different branch is nobody's business.
    (same,) = await types(team, team.grace, "deploy acme/frontend release/v2.0")
    assert same.element(AGAIN)["value"] == asked.element(AGAIN)["value"]
    assert "Only who asked for it" in said(await presses(team, team.ada, somewhere(team), asked.element(AGAIN)))
    assert await types(team, team.grace, "deploy acme/frontend main") == []
    assert await presses(team, team.grace, asked, AGAIN) == []
    told = said(await presses(team, team.grace, same, AGAIN))
    assert "You answered this already" in told or "was first" in told
    assert len(writes(team)) == 3


async def test_nobody_is_asked_about_their_own_or_what_is_over(team: Team) -> None:
    await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert await types(team, team.ada, "deploy acme/frontend release/v2.0") == []
    goes_by(team, OVER)
    await team.until(lambda: team.count("Finishing, red so far") == 2)
    assert await types(team, team.grace, "deploy acme/frontend release/v2.0") == []
    assert len(writes(team)) == 3
