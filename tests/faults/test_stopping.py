"""SIGTERM in the middle of things: gone within ten seconds, and nothing lost or done twice."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from bot.embedded import EmbeddedServer
from playground.__main__ import the_bot
from playground.circleci.api import CircleCI
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.processes.test_processes import it_runs


async def stopped(bot: asyncio.subprocess.Process) -> float:
    """Ask it to stop; returns the seconds it took."""
    began = time.monotonic()
    bot.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await bot.wait() == 0
    return time.monotonic() - began


@pytest.mark.parametrize("seconds", [1, 30])
async def test_a_trigger_under_way_is_finished_or_found_again(tmp_path: Path, seconds: float) -> None:
    world = default_world(Clock(speed=60))
    async with CircleCI(world) as circleci, Slack(default_workspace(), socket_mode=True) as slack:
        deploys, ada = slack.workspace.channel("deploys"), slack.person("ada")
        circleci.faults.add("POST", "*/pipeline", delay=seconds)
        async with the_bot(slack, circleci, tmp_path) as bot:
            await slack.connected()
            assert (await ada.command("deploys", "/ci", "deploy acme/frontend main")).acked
            async with asyncio.timeout(60):
                while not any(seen.method == "POST" for seen in circleci.requests):
                    await slack.pause(0.05)
            assert await stopped(bot) < 10
        circleci.faults.clear()
        async with the_bot(slack, circleci, tmp_path):
            if seconds == 1:
                await slack.wait_for(lambda: [one for one in deploys.messages if "Passed in" in one.visible], 60)
                assert len(deploys.roots) == len(world.pipelines) == 1
            else:  # CircleCI never took it, and a trigger is never sent twice
                await slack.wait_for(lambda: [one for one in ada.sees_only if "never took effect" in one.visible], 60)
                assert world.pipelines == []
        assert len([seen for seen in circleci.requests if seen.method == "POST"]) == 1


async def test_a_typed_value_under_way_reaches_circleci(tmp_path: Path) -> None:
    async with CircleCI(default_world(Clock())) as circleci, Slack(default_workspace(), socket_mode=True) as slack:
        admin = slack.person("admin")
        async with the_bot(slack, circleci, tmp_path, ADMINS="U0ADMIN") as bot:
            await slack.connected()
            await admin.command("releases", "/ci", "env set acme/frontend DEPLOY_TOKEN")
            told = await slack.wait_for(lambda: [one for one in admin.sees_only if "Type the value" in one.buttons])
            await admin.click(told[0], "Type the value")
            view = await slack.wait_for(lambda: admin.modal)
            assert view is not None
            circleci.faults.add("POST", "*/envvar", delay=1)
            submitting = asyncio.create_task(admin.submit(view, {"value": "hunter2"}))
            async with asyncio.timeout(60):
                while not any(seen.path.endswith("/envvar") and seen.method == "POST" for seen in circleci.requests):
                    await slack.pause(0.05)
            assert await stopped(bot) < 10
            submitting.cancel()
        assert circleci.classic.secrets["gh/acme/frontend", "DEPLOY_TOKEN"] == "hunter2"


async def test_two_processes_of_a_new_version_take_over_without_a_gap(tmp_path: Path) -> None:
    """A rolling update: the new one is up before the old one is told to go."""
    world = default_world(Clock())
    (tmp_path / "new").mkdir()
    async with (
        EmbeddedServer(tmp_path / "redis") as redis,
        CircleCI(world) as circleci,
        Slack(default_workspace(), socket_mode=True) as slack,
    ):
        deploys, ada = slack.workspace.channel("deploys"), slack.person("ada")
        async with the_bot(slack, circleci, tmp_path, REDIS_URL=redis.url) as old:
            await slack.connected(2)
            assert (await ada.command("deploys", "/ci", "deploy acme/frontend try/slow")).acked
            await it_runs(slack, world)
            async with the_bot(slack, circleci, tmp_path / "new", REDIS_URL=redis.url):
                await slack.connected(4)
                assert await stopped(old) < 10
                assert (await ada.command("deploys", "/ci", "deploy acme/frontend main")).acked
                world.clock.speed = 1000
                await slack.wait_for(
                    lambda: len([one for one in deploys.messages if "Passed in" in one.visible]) == 2, 60
                )
        assert len(deploys.roots) == 2
        assert slack.problems == []
