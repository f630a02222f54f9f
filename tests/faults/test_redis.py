"""Redis restarts, stands still, is full, too old or behind TLS; the embedded server is killed under us."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.slack.listeners import RECORD_SECONDS
from bot.watching.engine import HANDLE
from playground.__main__ import the_bot
from playground.circleci.api import CircleCI
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.faults.redis_servers import RedisServer, certificate, one_name, pretending, redis_server
from tests.stories.team import Team, Waits, team_at_work

REFUSED = "My memory (Redis) does not answer"


async def a_build_runs(team: Team) -> None:
    await team.runs()
    await team.reads("Running")


async def it_ends_once(team: Team) -> None:
    team.time_flies()
    # A look that was lost with an old primary is queued again by the sweep, within a minute.
    await team.slack.wait_for(lambda: team.count("Passed in"), timeout=90)
    assert team.count("Passed in") == 1
    assert len(team.deploys.roots) == 1
    assert len(team.posts("/pipeline")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_is_survived(tmp_path: Path, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    async with redis_server(tmp_path) as redis, team_at_work(tmp_path, redis_url=SecretStr(redis.url)) as team:
        await a_build_runs(team)
        await redis.stop(number)
        delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
        assert f"I did not take `deploy acme/frontend main`. {REFUSED}" in str(delivery.shown)
        await redis.start()
        await it_ends_once(team)
    told = capfd.readouterr().out
    assert told.count("outage_begins") == told.count("outage_ends") == 1


async def test_a_pause_as_in_a_fail_over_refuses_in_time_and_loses_nothing(tmp_path: Path) -> None:
    async with (
        redis_server(tmp_path) as redis,
        team_at_work(tmp_path, redis_url=SecretStr(redis.url), waits=Waits(record_seconds=RECORD_SECONDS)) as team,
    ):
        await a_build_runs(team)
        redis.signal(signal.SIGSTOP)
        delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
        assert delivery.seconds < 2.5
        assert "Nothing was started" in str(delivery.shown)
        redis.signal(signal.SIGCONT)
        await it_ends_once(team)


async def until_it_says(server: Redis, name: str, value: str) -> None:
    async with asyncio.timeout(30):
        while (await server.info("replication")).get(name) != value:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.02)


async def is_ready(team: Team) -> bool:
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return bool((await answer.json())["ready"])


async def test_a_fail_over_behind_one_name_is_followed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ports = _free_port(), _free_port()
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    servers = [
        RedisServer(folder, "--port", str(port), "--repl-diskless-sync-delay", "0")
        for folder, port in zip(folders, ports, strict=True)
    ]
    async with AsyncExitStack() as stack:
        old, new = [await stack.enter_async_context(running(server)) for server in servers]
        await new.replicaof("127.0.0.1", ports[0])
        await until_it_says(new, "master_link_status", "up")
        name = await stack.enter_async_context(one_name(servers[0]))
        url = SecretStr(f"redis://127.0.0.1:{name.port}")
        team = await stack.enter_async_context(team_at_work(tmp_path, redis_url=url))
        await a_build_runs(team)
        await old.execute_command("FAILOVER")  # type: ignore[no-untyped-call]  # redis has no type for it
        await until_it_says(old, "role", "slave")
        for _ in range(2):
            delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
            assert REFUSED in str(delivery.shown)
        assert not await is_ready(team)
        name.leads_to = servers[1]
        async with asyncio.timeout(5):
            assert await is_ready(team)
            await team.ada.command("deploys", "/ci", "me")
            await team.is_told(team.ada, "On CircleCI I am")
        await it_ends_once(team)
    told = capfd.readouterr().out
    assert told.count("outage_begins") == told.count("outage_ends") == 1


async def test_a_full_memory_refuses_in_words_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    async with team_at_work(tmp_path) as team:
        await a_build_runs(team)
        async with Redis.from_url(team.app.docket.url) as client:
            await client.config_set("maxmemory", "1mb")
            delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
            assert REFUSED in str(delivery.shown)
            await team.slack.pause(2)
            await client.config_set("maxmemory", "0")
        await it_ends_once(team)


@pytest.mark.parametrize("line", ["deploy acme/frontend main", "status acme/frontend"])
async def test_what_was_refused_on_its_way_to_the_queue_is_carried_out_by_nobody(tmp_path: Path, line: str) -> None:
    async with team_at_work(tmp_path) as team, Redis.from_url(team.app.docket.url, decode_responses=True) as client:
        await client.execute_command("ACL", "SETUSER", "default", "-xadd")  # type: ignore[no-untyped-call]
        delivery = await team.ada.command("deploys", "/ci", line)
        await client.execute_command("ACL", "SETUSER", "default", "+@all")  # type: ignore[no-untyped-call]
        assert f"I did not take `{line}`. {REFUSED}" in str(delivery.shown)
        (said,) = [key async for key in client.scan_iter("ci:said:*")]
        await team.app.docket.add(HANDLE, key="it came late")(said.removeprefix("ci:said:"))
        await team.is_done()
        assert team.circleci.requests[1:] == []
        assert await client.zcard("ci:questions:U0ADA") == 0  # it is one of ten no more


async def test_a_command_taken_before_the_restart_is_carried_out_after_it(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as redis, team_at_work(tmp_path, redis_url=SecretStr(redis.url)) as team:
        team.circleci.faults.add("POST", "*/pipeline", delay=1)
        await team.deploys_branch("main")
        await redis.stop(signal.SIGKILL)
        await redis.start()
        await it_ends_once(team)


async def test_the_embedded_server_is_started_again_when_it_is_killed(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, redis_url=None) as team:
        await a_build_runs(team)
        async with Redis.from_url(team.app.docket.url) as client:
            pid = int((await client.info())["process_id"])
        os.kill(pid, signal.SIGKILL)
        await it_ends_once(team)


@pytest.mark.parametrize("role", ["web", "worker"])
async def test_a_server_that_is_too_old_is_named_at_the_start(tmp_path: Path, role: str) -> None:
    async with (
        CircleCI(default_world(Clock())) as circleci,
        Slack(default_workspace(), socket_mode=True) as slack,
        redis_server(tmp_path) as redis,
        Redis.from_url(redis.url) as client,
    ):
        version = str((await client.info())["redis_version"]).encode()
        old = b"6.2.6".ljust(len(version), b"0")
        async with (
            pretending(redis.url.removeprefix("unix://"), b"redis_version:" + version, b"redis_version:" + old) as port,
            the_bot(slack, circleci, tmp_path, role, REDIS_URL=f"redis://127.0.0.1:{port}") as bot,
        ):
            assert await bot.wait() == 2
    told = (tmp_path / "bot.log").read_text()
    assert "REDIS_URL" in told
    assert "Redis 7.0 or newer" in told


async def test_tls_and_a_password(tmp_path: Path) -> None:
    key, chain = await certificate(tmp_path)
    port = _free_port()
    tls = ("--tls-port", str(port), "--tls-cert-file", str(chain), "--tls-key-file", str(key))
    options = (*tls, "--tls-ca-cert-file", str(chain), "--tls-auth-clients", "no", "--requirepass", "pass word/1")
    url = f"rediss://:pass%20word%2F1@127.0.0.1:{port}/0?ssl_ca_certs={chain}"
    async with (
        redis_server(tmp_path, *options),
        team_at_work(tmp_path, redis_url=SecretStr(url)) as team,
    ):
        await team.deploys_branch("main")
        await it_ends_once(team)


async def test_a_wrong_password_is_said_without_it(tmp_path: Path) -> None:
    async with (
        CircleCI(default_world(Clock())) as circleci,
        Slack(default_workspace(), socket_mode=True) as slack,
        redis_server(tmp_path, "--requirepass", "right") as redis,
        the_bot(slack, circleci, tmp_path, "web", REDIS_URL=f"{redis.url}?password=hunter2wrong") as bot,
    ):
        async with asyncio.timeout(20):
            assert await bot.wait() == 2
    told = (tmp_path / "bot.log").read_text()
    assert "cannot start" in told
    assert "hunter2wrong" not in told


@asynccontextmanager
async def running(server: RedisServer) -> AsyncIterator[Redis]:
    await server.start()
    try:
        async with Redis.from_url(server.url, decode_responses=True) as client:
            yield client
    finally:
        await server.stop(signal.SIGKILL)  # politely, it would wait for its replica


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
