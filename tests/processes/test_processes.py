"""The bot as a process of its own: the newcomer's command, a kill in the middle of a watch, a polite stop."""

import asyncio
import signal
import sys
from pathlib import Path

from bot.playground.__main__ import the_bot
from bot.playground.circleci_api import CircleCI
from bot.playground.clock import Clock
from bot.playground.slack_api import Slack
from bot.playground.workspace import default_workspace
from bot.playground.world import default_world


async def test_the_newcomers_command_tells_the_whole_story() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.playground", "--once"), stdout=asyncio.subprocess.PIPE
    )
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0
    for words in ("Running", "test_adds_item", "coverage (117 files)", "ada presses", "Passed in"):
        assert words in told


async def test_a_killed_bot_goes_on_with_its_thread_and_ends_it_once(tmp_path: Path) -> None:
    world = default_world(Clock(speed=60))
    async with CircleCI(world) as circleci, Slack(default_workspace(), socket_mode=True) as slack:
        deploys, ada = slack.workspace.channel("deploys"), slack.person("ada")
        async with the_bot(slack, circleci, tmp_path) as bot:
            await slack.connected()
            await ada.command("deploys", "/ci", "deploy acme/frontend try/slow")
            await slack.wait_for(lambda: [one for one in deploys.messages if "Running" in one.visible], timeout=10)
            bot.kill()
            await bot.wait()
        async with the_bot(slack, circleci, tmp_path) as bot:
            await slack.wait_for(lambda: [one for one in deploys.messages if "Passed in" in one.visible], timeout=40)
            bot.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await bot.wait() == 0
        assert len(deploys.roots) == 1
        assert len([one for one in deploys.messages if "Passed in" in one.visible]) == 1
        assert len(world.pipelines) == 1
        assert slack.problems == []


async def test_missing_settings_are_named_all_at_once() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot"), stderr=asyncio.subprocess.PIPE, env={"PATH": "/usr/bin"}
    )
    told = (await process.communicate())[1].decode()
    assert process.returncode == 2
    for name in ("SLACK_BOT_TOKEN", "CIRCLECI_TOKEN"):
        assert name in told
