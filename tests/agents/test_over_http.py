"""An agent and its people, from the client's call over HTTP to the press in Slack."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from bot.models.agent import digest_of, new_token
from tests.agents.asking import REASON, agent_of
from tests.stories.team import Team, team_at_work

TOKEN = new_token()


@asynccontextmanager
async def client(team: Team, mode: Literal["auto", "legacy"]) -> AsyncIterator[Client]:
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/mcp"
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        Client(streamable_http_client(address, http_client=http), mode=mode) as client,
    ):
        yield client


async def says(agent: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    said = await agent.call_tool(tool, arguments)
    assert isinstance(said.structured_content, dict)
    assert not said.is_error, said
    return said.structured_content


async def test_what_an_agent_asks_for_is_pressed_by_a_person_and_followed_to_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mcp")
    async with team_at_work(tmp_path, agents=True) as team:
        await agent_of(team, digest=digest_of(TOKEN))
        async with client(team, "legacy") as agent:
            told = await says(agent, "deploy", project="acme/frontend", branch="main", reason=REASON)
        assert told["state"] == "waiting for a person"
        await team.ada.click(await team.reads("Agree and deploy"), "Agree and deploy")
        async with client(team, "auto") as agent:
            while not told["finished"]:
                told = await says(agent, "follow", of=told["of"], wait=5)
            assert told["state"] == "passed"
            listed = [one.name for one in (await agent.list_tools()).tools]
        assert listed == [one.name for one in team.app.desk.shapes()]
    assert TOKEN not in caplog.text
