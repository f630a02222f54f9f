"""Socket Mode when Slack renews, sends away, falls silent or disappears."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.sockets import FREE, Reconnects, Sockets
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.stories.team import Team, team_at_work


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path) as team:
        await team.slack.connected(2)
        yield team


async def ready(team: Team) -> tuple[int, list[str]]:
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return answer.status, json.loads(await answer.text())["problems"]


def test_pauses_grow_in_a_storm_and_are_forgotten_after_a_calm() -> None:
    clock = [0.0]
    reconnects = Reconnects(lambda: clock[0])
    pauses = [reconnects.pause() for _ in range(FREE + 9)]
    assert pauses == [0] * FREE + [1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock[0] = 301
    assert reconnects.pause() == 0


async def test_a_press_is_heard_while_slack_renews_a_connection(team: Team) -> None:
    await team.runs()
    await team.reads("Running")
    renewed = asyncio.create_task(team.slack.socket.disconnect("refresh_requested", one=True))
    delivery = await team.ada.click(team.root, team.root.element("Cancel #2417"))
    await renewed
    assert delivery.acked
    team.time_flies()
    await team.reads("Cancelled after")
    await team.slack.connected(2)


async def test_c32_a_storm_of_disconnects_does_not_become_a_storm_of_connects(
    team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    await team.runs()
    await team.reads("Running")
    for number in range(30):
        reason = ("too_many_websockets", "refresh_requested", "warning")[number % 3]
        await team.slack.socket.disconnect(reason, close=reason != "warning")
        await team.slack.pause(0.05)
    assert len(team.slack.socket.connects) <= FREE + 4
    await team.slack.wait_for(lambda: team.slack.socket.connections >= 2, timeout=60)
    delivery = await team.ada.click(team.root, team.root.element("Cancel #2417"))
    assert delivery.acked
    team.time_flies()
    await team.reads("Cancelled after")


async def test_without_a_connection_it_is_not_ready_and_comes_back(team: Team) -> None:
    assert (await ready(team))[0] == 200
    team.slack.faults.add("POST", "/api/apps.connections.open", status=503, times=None)
    await team.slack.socket.drop()
    async with asyncio.timeout(30):
        while (await ready(team))[0] == 200:
            await team.slack.pause(0.05)
    assert "the socket to Slack is not connected" in (await ready(team))[1]
    team.slack.faults.clear()
    await team.slack.wait_for(lambda: team.slack.socket.connections >= 1, timeout=30)
    async with asyncio.timeout(30):
        while (await ready(team))[0] != 200:
            await team.slack.pause(0.05)


async def test_a_deaf_socket_is_found_by_its_unanswered_pings() -> None:
    async def hear(ack: AsyncAck) -> None:
        await ack()

    async with Slack(default_workspace(), socket_mode=True) as slack, aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.bot_token, base_url=f"{slack.url}/api/", session=session)
        bolt = AsyncApp(name="ci-chatops", client=client, signing_secret=slack.signing_secret)
        bolt.command("/ci")(hear)
        sockets = Sockets(bolt, slack.app_token, ping_seconds=0.1)
        await sockets.connect()
        connects = len(slack.socket.connects)
        slack.socket.deaf = True
        await slack.wait_for(lambda: len(slack.socket.connects) > connects)
        slack.socket.deaf = False
        await slack.connected(1)
        assert (await slack.person("ada").command("deploys", "/ci", "help")).acked
        await sockets.close()


async def test_a_link_that_was_disabled_is_tried_now_and_then(team: Team) -> None:
    team.slack.socket.enabled = False
    await team.slack.socket.disconnect("link_disabled", close=True)
    await team.slack.pause(2)
    assert len(team.slack.socket.connects) <= FREE + 4
    team.slack.socket.enabled = True
    await team.slack.wait_for(lambda: team.slack.socket.connections >= 1, timeout=30)
    assert (await team.ada.command("deploys", "/ci", "help")).acked
