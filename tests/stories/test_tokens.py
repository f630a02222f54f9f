"""Stories of several organisations, each with a token of its own."""

import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Projects
from tests.stories.team import team_at_work
from tests.stories.test_secrets import in_redis

OTHER = "CCIPAT_other-organisation"
PROJECTS = Projects(tokens={"gh/other": SecretStr(OTHER)})


async def test_each_organisation_is_spoken_to_with_its_own_token(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with team_at_work(tmp_path, projects=PROJECTS) as team:
        team.circleci.tokens["gh/other"] = OTHER
        team.circleci.world.add_project("gh/other/app", branches={"main": "failing-tests"})
        await team.deploys_branch("main")
        await team.deploys_branch("main", "other/app")
        await team.reads("Passed in")
        failed = await team.reads("Failed after")
        await team.ada.click(failed, "Rerun failed")
        await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=30)
        used = {seen.headers["Authorization"] for seen in team.circleci.requests if "/gh/other/" in seen.path}
        assert used == {f"Bearer {OTHER}"}
        told = capfd.readouterr()
        for place in (team.slack.workspace.transcript(), str(await in_redis(team)), told.out, told.err, caplog.text):
            assert OTHER not in place


async def test_a_restart_finds_out_whose_a_pipeline_is(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, projects=PROJECTS) as team:
        team.circleci.tokens["gh/other"] = OTHER
        team.circleci.world.add_project("gh/other/app", branches={"main": "green"})
        pipeline = team.circleci.world.trigger("gh/other/app", branch="main", parameters={})
        link = f"https://app.circleci.com/pipelines/github/other/app/{pipeline.number}"
        await team.ada.command("deploys", "/ci", f"watch {link}")
        await team.reads("Passed in")


async def test_a_token_that_is_refused_is_named_to_the_operator_before_anybody_needs_it(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, projects=PROJECTS, admins="U0ADA") as team:
        releases = team.slack.workspace.channel("releases")
        found = await team.slack.wait_for(
            lambda: [one for one in releases.messages if "does not accept the token of gh/other" in one.visible]
        )
        assert "PROJECTS_FILE" in found[0].visible
        await team.ada.command("deploys", "/ci", "doctor")
        told = await team.is_told(team.ada, "Token of gh/other")
        assert "CircleCI does not accept it" in told.visible
        assert OTHER not in team.slack.workspace.transcript()
