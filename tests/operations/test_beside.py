"""Two people, one branch: who deploys what somebody else's deploy still builds is told whose it is, and asked."""

import asyncio
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


async def test_a_deploy_that_was_begun_since_the_question_is_asked_about_anew(team: Team) -> None:
    admin = team.slack.person("admin")
    await types(team, team.ada, "deploy acme/frontend release/v2.0")
    goes_by(team, RUNNING)
    (asked,) = await types(team, team.grace, "deploy acme/frontend release/v2.0")
    (other,) = await types(team, admin, "deploy acme/frontend release/v2.0 env=prod")
    assert await presses(team, team.grace, asked, AGAIN) == []
    (anew,) = await presses(team, admin, other, AGAIN)
    assert "@grace deployed acme/frontend release/v2.0 as #2418" in anew.visible
    assert len(writes(team)) == 2
    assert "too old" in said(await presses(team, admin, other, AGAIN))
    assert await presses(team, admin, anew, AGAIN) == []
    assert len(writes(team)) == 3


async def test_one_that_is_on_its_way_counts_and_one_that_was_refused_does_not(team: Team) -> None:
    answered = asyncio.Event()
    team.circleci.faults.add("POST", "*/pipeline", until=answered)
    await team.ada.command("deploys", "/ci", "deploy acme/frontend main env=prod")
    await team.until(lambda: writes(team))
    await team.grace.command("deploys", "/ci", "deploy acme/frontend main")
    asked = await team.is_told(
        team.grace, "@ada deployed acme/frontend main with `env=prod`, and that has been running"
    )
    assert asked.buttons == [AGAIN]
    answered.set()
    await team.is_done()
    team.circleci.faults.add("POST", "*/pipeline", status=403, body={"message": "Plan is suspended."})
    assert "Plan is suspended" in said(await types(team, team.ada, "deploy acme/frontend hold/prod"))
    assert await types(team, team.grace, "deploy acme/frontend hold/prod") == []


HIDDEN = """
[roles.outsiders]
users = ["U0GRACE"]

[[rules]]
name = "members deploy"
roles = ["members"]
words = ["read", "deploy"]

[[rules]]
name = "not hers to see"
effect = "deny"
roles = ["outsiders"]
words = ["read"]
"""


async def test_who_may_not_look_is_not_told_whose_it_is(tmp_path: Path) -> None:
    async with team_under(HIDDEN, tmp_path) as team:
        await types(team, team.ada, "deploy acme/frontend main")
        assert await types(team, team.grace, "deploy acme/frontend main") == []
        assert len(writes(team)) == 2


async def test_nobody_is_asked_about_their_own_or_what_is_over(team: Team) -> None:
    await types(team, team.ada, "deploy acme/frontend release/v2.0")
    assert await types(team, team.ada, "deploy acme/frontend release/v2.0") == []
    goes_by(team, OVER)
    await team.until(lambda: team.count("Finishing, red so far") == 2)
    assert await types(team, team.grace, "deploy acme/frontend release/v2.0") == []
    assert len(writes(team)) == 3
