"""A deploy as people see it, by slash command and by mention, over Socket Mode and over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app import App
from bot.playground.conversations import Channel, Message
from bot.playground.people import Person
from bot.playground.slack_api import Slack
from bot.playground.workspace import default_workspace
from bot.settings import Projects, Settings
from tests.stories.far_sides import FarSides, far_sides


@dataclass
class Team:
    """A workspace with the bot in it, and what CircleCI was asked for."""

    slack: Slack
    circleci: FarSides
    app: App

    @property
    def ada(self) -> Person:
        return self.slack.person("ada")

    @property
    def grace(self) -> Person:
        return self.slack.person("grace")

    @property
    def deploys(self) -> Channel:
        return self.slack.workspace.channel("deploys")

    async def reads(self, words: str) -> Message:
        """Wait until somebody can read `words` in #deploys."""
        found = await self.slack.wait_for(lambda: [m for m in self.deploys.messages if words in m.visible], timeout=10)
        return found[0]

    async def is_told(self, person: Person, words: str) -> Message:
        """Wait until `person` alone can read `words`."""
        found = await self.slack.wait_for(lambda: [m for m in person.sees_only if words in m.visible], timeout=10)
        return found[0]


@pytest.fixture(params=[True, False], ids=["socket", "http"])
async def team(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Team]:
    socket_mode: bool = request.param
    async with far_sides() as circleci, Slack(default_workspace(), socket_mode=socket_mode) as slack:
        settings = Settings(
            slack_bot_token=SecretStr(slack.bot_token),
            slack_signing_secret=None if socket_mode else SecretStr(slack.signing_secret),
            slack_app_token=SecretStr(slack.app_token) if socket_mode else None,
            slack_api_url=slack.url,
            circleci_token=SecretStr("token"),
            circleci_url=circleci.url,
            data_dir=tmp_path,
            host="127.0.0.1",
            port=0,
            poll_interval_seconds=0.1,
            settle_seconds=0.001,
            circleci_requests_per_second=1000,
        )
        async with App(settings, Projects()) as app:
            if socket_mode:
                await slack.connected()
            else:
                assert app.server is not None
                slack.courier.request_url = f"http://127.0.0.1:{app.server.port}/slack/events"
            yield Team(slack, circleci, app)
        assert slack.problems == []


async def test_a_deploy_is_started_followed_and_ends_green(team: Team) -> None:
    delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend release/v2.0")
    assert delivery.acked
    final = await team.reads("passed in")
    root = team.deploys.roots[0]
    assert final in root.replies
    assert "Passed" in root.visible
    assert "app.tar.gz" in final.visible
    assert team.circleci.triggers == [{"branch": "release/v2.0"}]


async def test_a_mention_is_answered_in_its_own_thread(team: Team) -> None:
    await team.ada.mention("deploys", "deploy acme/frontend release/v2.0")
    final = await team.reads("passed in")
    assert [message.user for message in team.deploys.roots] == [team.ada.id]
    assert final in team.deploys.roots[0].replies
    assert team.circleci.triggers == [{"branch": "release/v2.0"}]


async def test_the_same_mention_three_times_starts_one_pipeline(team: Team) -> None:
    # C30
    delivery = await team.ada.mention("deploys", "deploy acme/frontend release/v2.0")
    await team.reads("passed in")
    for _ in range(2):
        await team.ada.redeliver(delivery)
    await team.ada.command("deploys", "/ci", "deply")  # what is answered after the redeliveries were taken
    await team.is_told(team.ada, "Did you mean")
    assert len(team.circleci.triggers) == 1


async def test_an_unknown_word_is_answered_with_the_near_miss(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deply acme/frontend main")
    await team.is_told(team.ada, "Did you mean")
    assert team.deploys.messages == []
    assert team.circleci.triggers == []


async def test_an_unknown_project_is_said_with_what_it_may_mean(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy acme/nothing")
    await team.is_told(team.ada, "or my token may not see it")
    assert team.circleci.triggers == []


async def test_a_stranger_of_another_workspace_may_only_read(team: Team) -> None:
    stranger = team.slack.person("stranger")
    await stranger.command("deploys", "/ci", "deploy acme/frontend main")
    await team.is_told(stranger, "You may not deploy here")
    await stranger.command("deploys", "/ci", "help")
    await team.is_told(stranger, "deploy acme/frontend release/v2.0")
    assert team.circleci.triggers == []


async def test_two_people_press_rerun_failed_and_one_rerun_begins(team: Team) -> None:
    team.circleci.statuses = ["failed"]
    await team.ada.command("deploys", "/ci", "deploy acme/frontend release/v2.0")
    final = await team.reads("failed after")
    assert "test_adds_item" in final.visible
    rerun = final.element("Rerun failed")
    await asyncio.gather(team.ada.click(final, rerun), team.grace.click(final, rerun))
    await team.reads("passed in")
    await team.slack.wait_for(lambda: team.ada.sees_only or team.grace.sees_only)
    second = (team.ada.sees_only or team.grace.sees_only)[0]
    assert "first" in second.visible
    assert team.circleci.reruns == [{"from_failed": True}]
    pressed = [m for m in team.deploys.messages if "pressed Rerun failed" in m.visible]
    assert len(pressed) == 1
    assert len(team.circleci.triggers) == 1


async def test_where_the_bot_is_no_member_the_asker_gets_it_directly(team: Team) -> None:
    # C35
    await team.ada.command("random", "/ci", "deploy acme/frontend release/v2.0")
    said = await team.slack.wait_for(
        lambda: [m for m in team.ada.direct_messages if "passed in" in m.visible], timeout=10
    )
    assert len(said) == 1
    assert team.slack.workspace.channel("random").messages == []


async def test_a_direct_message_is_answered_where_it_was_said(team: Team) -> None:
    await team.ada.message_bot("help")
    await team.slack.wait_for(lambda: [m for m in team.ada.direct_messages if "release/v2.0" in m.visible])
    assert team.ada.sees_only == []
