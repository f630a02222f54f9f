"""The bot as a process of its own: the newcomer's command, a kill in the middle of a watch, a polite stop."""

import asyncio
import json
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.version import VERSION
from playground.__main__ import the_bot
from playground.circleci.api import CircleCI
from playground.circleci.world import World, default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.conversations import Message
from playground.slack.workspace import default_workspace

ROOT = Path(__file__).parents[2]


async def it_runs(slack: Slack, world: World) -> None:
    """Wait until somebody can read that the build runs; CircleCI's time stands still from there."""
    await slack.wait_for(lambda: world.pipelines, timeout=60)
    world.clock.advance(timedelta(seconds=5))
    deploys = slack.workspace.channel("deploys")
    await slack.wait_for(lambda: [one for one in deploys.messages if "Running" in one.visible], timeout=60)


async def test_the_newcomers_command_tells_the_whole_story() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "playground", "--once"), stdout=asyncio.subprocess.PIPE
    )
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0
    for words in (
        "Running",
        "test_adds_item",
        "coverage (117 files)",
        "ada presses",
        "Passed in",
        "ended as it should",
        "claude mcp add --transport http ci http://127.0.0.1:",
    ):
        assert words in told


async def test_the_newcomers_command_tries_a_policy() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "playground", "--once", "--port", "0", "--policy", "nowhere.toml"),
        stderr=asyncio.subprocess.PIPE,
    )
    told = (await process.communicate())[1].decode()
    assert process.returncode == 1
    assert "The bot did not start" in told
    assert "POLICY_FILE: nowhere.toml: there is no such file" in told


async def test_a_killed_bot_goes_on_with_its_thread_and_ends_it_once(tmp_path: Path) -> None:
    world = default_world(Clock())
    async with CircleCI(world) as circleci, Slack(default_workspace(), socket_mode=True) as slack:
        deploys, ada = slack.workspace.channel("deploys"), slack.person("ada")
        async with the_bot(slack, circleci, tmp_path) as bot:
            await slack.connected()
            await ada.command("deploys", "/ci", "deploy acme/frontend try/slow")
            await it_runs(slack, world)
            bot.kill()
            await bot.wait()
        world.clock.speed = 1000
        async with the_bot(slack, circleci, tmp_path) as bot:
            await slack.wait_for(lambda: [one for one in deploys.messages if "Passed in" in one.visible], timeout=60)
            bot.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await bot.wait() == 0
        assert len(deploys.roots) == 1
        assert len([one for one in deploys.messages if "Passed in" in one.visible]) == 1
        assert len(world.pipelines) == 1
        assert slack.problems == []


def told_to(do: str, folder: Path) -> str:
    """Return the commands with which docs/setup.md says to do something, in a folder of ours, without systemd."""
    setup = (ROOT / "docs" / "setup.md").read_text(encoding="utf-8")
    stop, start = "systemctl stop ci-chatops\n", "systemctl start ci-chatops\n"
    (block,) = re.findall(rf"```sh\n# {do}\n{stop}(.*?){start}```", setup, re.DOTALL)
    assert isinstance(block, str)
    return block.replace("/var/", f"{folder}/")


async def test_what_the_setup_says_of_backup_and_restore_keeps_locks_and_record(tmp_path: Path) -> None:
    data = tmp_path / "lib" / "ci-chatops"
    data.mkdir(parents=True)
    (tmp_path / "backups").mkdir()
    async with (
        CircleCI(default_world(Clock(speed=60))) as circleci,
        Slack(default_workspace(), socket_mode=True) as slack,
    ):
        deploys, ada, admin = slack.workspace.channel("deploys"), slack.person("ada"), slack.person("admin")

        async def answers(command: str, words: str) -> None:
            known = list(admin.sees_only)
            await admin.command("deploys", "/ci", command)

            def told() -> list[Message]:
                return [one for one in admin.sees_only if one not in known and words in one.visible and one.history]

            await slack.wait_for(told, timeout=60)

        async with the_bot(slack, circleci, data):
            await slack.connected()
            await ada.command("deploys", "/ci", "deploy acme/frontend hold/prod")
            held = await slack.wait_for(
                lambda: [one for one in deploys.messages if "Approve hold-prod" in one.buttons], timeout=60
            )
            await answers("lock acme/backend:main the database moves", "the database moves")
        await _shell(told_to("backup", tmp_path))
        shutil.rmtree(data / "appendonlydir")
        await _shell(told_to("restore", tmp_path))
        async with the_bot(slack, circleci, data, ADMINS="U0ADMIN"):
            await slack.connected()
            await answers("locks", "the database moves")
            await answers("audit acme/frontend", "hold/prod")
            await ada.click(held[0], "Approve hold-prod")
            await slack.wait_for(lambda: [one for one in deploys.messages if "Passed in" in one.visible], timeout=60)
        assert len([one for one in deploys.roots if "hold/prod" in one.visible]) == 1  # the other one tells of the lock


async def _shell(commands: str) -> None:
    process = await asyncio.create_subprocess_exec("sh", "-ec", commands)
    assert await process.wait() == 0


async def test_missing_settings_are_named_all_at_once() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot"), stderr=asyncio.subprocess.PIPE, env={"PATH": "/usr/bin"}
    )
    told = (await process.communicate())[1].decode()
    assert process.returncode == 2
    for name in ("SLACK_BOT_TOKEN", "CIRCLECI_TOKEN"):
        assert name in told


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    """Debian's own redis-server, the oldest we promise to run on."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    path = tmp_path / "redis.sock"
    server = await asyncio.create_subprocess_exec(
        *(binary, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    async with asyncio.timeout(30):
        while b"ready to accept" not in (await server.stdout.readline()).lower():
            assert server.returncode is None
    yield f"unix://{path}"
    server.terminate()
    await server.communicate()


async def test_web_and_worker_share_a_redis_and_one_killed_in_a_look_is_replaced(
    tmp_path: Path, redis_url: str
) -> None:
    world = default_world(Clock())
    async with (
        Redis.from_url(redis_url) as redis,
        CircleCI(world) as circleci,
        Slack(default_workspace(), socket_mode=True) as slack,
        the_bot(slack, circleci, tmp_path, "web", REDIS_URL=redis_url),
        the_bot(slack, circleci, tmp_path, "worker", REDIS_URL=redis_url) as first,
    ):
        await slack.connected()
        deploys, ada = slack.workspace.channel("deploys"), slack.person("ada")
        await ada.command("deploys", "/ci", "deploy acme/frontend try/slow")
        await it_runs(slack, world)
        circleci.faults.add("GET", "*/job", delay=9, times=1)
        asked = len(circleci.requests)
        async with asyncio.timeout(30):
            while not any(seen.path.endswith("/job") for seen in circleci.requests[asked:]):
                await slack.pause(0.05)
        had = await redis.hgetall("ci:looks:had")
        async with the_bot(slack, circleci, tmp_path, "worker", REDIS_URL=redis_url):
            assert await redis.hgetall("ci:looks:had") == had != {}
            first.kill()
            world.clock.speed = 1000
            await slack.wait_for(lambda: [one for one in deploys.messages if "Passed in" in one.visible], timeout=60)
        assert len(deploys.roots) == 1
        assert len([one for one in deploys.messages if "Passed in" in one.visible]) == 1
        assert len(world.pipelines) == 1


async def test_a_worker_alone_says_that_it_needs_a_redis(tmp_path: Path) -> None:
    world = default_world(Clock())
    async with (
        CircleCI(world) as circleci,
        Slack(default_workspace(), socket_mode=True) as slack,
        the_bot(slack, circleci, tmp_path, "worker") as bot,
    ):
        assert await bot.wait() == 2
    assert "REDIS_URL" in (tmp_path / "bot.log").read_text()


async def test_what_the_container_holds_is_enough_and_its_health_check_is_right(tmp_path: Path) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    image = tmp_path / "app"
    for source in re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE):
        assert f"!{source}" in sent
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, image / source)
        else:
            image.mkdir(exist_ok=True)
            shutil.copy(ROOT / source, image)
    assert not (image / "playground").exists()
    (check,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", dockerfile, re.MULTILINE)
    _, *check_arguments = json.loads(check)
    async with CircleCI(default_world(Clock())) as circleci, Slack(default_workspace(), socket_mode=True) as slack:
        port = str(_free_port())
        async with the_bot(slack, circleci, tmp_path, cwd=image, PORT=port):
            await slack.connected()
            healthy = await _run(*check_arguments, cwd=image, PORT=port)
        assert healthy == 0
        assert await _run(*check_arguments, cwd=image, PORT=port) != 0
    told = (tmp_path / "bot.log").read_text()
    assert set(re.findall(r" level='(\w+)' ", told)) == {"info"}, "a healthy start has nothing to warn of"
    assert f"event='started' version='{VERSION}' role='all'" in told


def test_the_container_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER (?!0$|root$)", dockerfile, re.MULTILINE)


async def _run(*arguments: str, cwd: Path, **environment: str) -> int:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments), cwd=cwd, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
