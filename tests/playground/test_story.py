"""The story that `make run` begins with ends at once where it cannot go on."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from playground.__main__ import OtherwiseError, Stage, _until
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        bot = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
        yield Stage(slack, bot, default_world(Clock()))
        await bot.communicate(b"\n")


async def test_what_ada_is_told_alone_ends_it(stage: Stage) -> None:
    workspace = stage.slack.workspace
    waiting: asyncio.Task[object] = asyncio.create_task(_until(stage, lambda: None))
    workspace.whisper(workspace.channel("deploys"), stage.slack.person("ada").id, "You may not deploy here.")
    with pytest.raises(OtherwiseError, match="You may not deploy here"):
        await waiting


async def test_a_bot_that_has_ended_ends_it(stage: Stage) -> None:
    waiting: asyncio.Task[object] = asyncio.create_task(_until(stage, lambda: None))
    await stage.bot.communicate(b"\n")
    with pytest.raises(OtherwiseError, match="the bot has ended"):
        await waiting
