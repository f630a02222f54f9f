"""Builds that nobody typed, told by several processes of which some die: each news once, and none is missed."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from redis.asyncio import Redis

from bot.embedded import EmbeddedServer
from playground.__main__ import the_bot
from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.conversations import Channel, Message
from playground.slack.workspace import default_workspace
from tests.bench.stage import answering, free_port

SLUG, SECRET = "gh/acme/backend", "webhook-secret"
SETTINGS = {
    "SUBSCRIPTION_SECONDS": "0.5",
    "SETTLE_SECONDS": "0.5",
    "SLACK_POSTS_PER_SECOND_PER_CHANNEL": "0",
    "SLACK_UPDATES_PER_MINUTE": "0",
    "CIRCLECI_WEBHOOK_SECRET": SECRET,
}
MANY = 12


class Stage:
    """Both far sides, a Redis, and as many processes of the bot as are started."""

    def __init__(self, slack: Slack, circleci: CircleCI, folder: Path, redis_url: str, stack: AsyncExitStack) -> None:
        self.slack, self.circleci, self.redis_url = slack, circleci, redis_url
        self._folder, self._stack = folder, stack

    async def starts(self, *role: str) -> tuple[asyncio.subprocess.Process, int]:
        """Start one process more; returns it, when it is ready, and its port."""
        port = free_port()
        chosen = {**SETTINGS, "REDIS_URL": self.redis_url, "PORT": str(port)}
        process = await self._stack.enter_async_context(
            the_bot(self.slack, self.circleci, self._folder, *role, cwd=None, **chosen)
        )
        await answering(port)
        return process, port

    async def subscribes(self, line: str) -> None:
        """Let #deploys hear of something, and wait until what is there by then was read."""
        await self.slack.connected()
        await self.slack.person("ada").command("deploys", "/ci", f"subscribe acme/backend {line}")
        await self.slack.wait_for(lambda: self.deploys.roots, timeout=60)
        async with Redis.from_url(self.redis_url) as redis, asyncio.timeout(60):
            while not await redis.exists(f"ci:news:list:{SLUG}"):  # noqa: ASYNC110  # it cannot be waited for
                await asyncio.sleep(0.05)

    def push(self, course: str, branch: str = "main") -> Pipeline:
        """Let somebody push."""
        self.circleci.world.set_scenario(SLUG, branch, course)
        return self.circleci.world.trigger(SLUG, branch=branch, parameters={}, by="push")

    @property
    def deploys(self) -> Channel:
        """Where somebody subscribed."""
        return self.slack.workspace.channel("deploys")

    async def reads(self, words: str, times: int = 1) -> list[Message]:
        """Wait until these words can be read so often."""

        def seen() -> list[Message]:
            found = [one for one in self.deploys.messages if words in one.visible]
            return found if len(found) >= times else []

        return await self.slack.wait_for(seen, timeout=60)


@asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[Stage]:
    async with (
        CircleCI(default_world(Clock(speed=1000))) as circleci,
        Slack(default_workspace(), socket_mode=True) as slack,
        EmbeddedServer(folder / "redis") as redis,
        AsyncExitStack() as stack,
    ):
        slack.limits = None
        yield Stage(slack, circleci, folder, redis.url, stack)
        assert slack.problems == []


async def a_minute_goes_by(redis_url: str) -> None:
    """Let the lease run out that whoever died had on telling of a branch."""
    async with Redis.from_url(redis_url) as redis:
        held = [key async for key in redis.scan_iter("ci:fence:red:*")]
        if held:  # on a busy machine it may have given the fence back before it died
            await redis.delete(*held)


async def test_a_worker_that_dies_before_it_has_noted_what_it_told_is_gone_on_with(tmp_path: Path) -> None:
    """It dies over the message about what broke, over its edit when a reply stands below, and over what repaired it."""
    async with at_work(tmp_path) as stage:
        worker, _ = await stage.starts()
        await stage.subscribes("broke still-red fixed")
        for course, method, last in (
            ("failing-tests", "chat.postMessage", "is red"),
            ("failing-tests", "chat.update", "Still red"),
            ("green", "chat.postMessage", "Fixed by"),
        ):
            lost, before = asyncio.Event(), len(stage.slack.requests)
            stage.slack.faults.add("POST", f"/api/{method}", drop="after", until=lost)
            pushed = stage.push(course)

            def is_cut_off(since: int = before) -> bool:
                return any(seen.spoiled for seen in stage.slack.requests[since:])

            await stage.slack.wait_for(is_cut_off, timeout=60)
            other, _ = await stage.starts("worker")
            worker.kill()
            await worker.wait()
            lost.set()
            stage.slack.faults.clear()
            await a_minute_goes_by(stage.redis_url)
            await stage.reads(last)
            await is_judged(stage, pushed)
            worker = other
        _, root = stage.deploys.roots
        assert "main is green again" in root.visible
        assert [one.visible.split()[1] for one in root.replies] == ["*Still", "*Fixed"]


async def is_judged(stage: Stage, pushed: Pipeline) -> None:
    """Wait until it is kept that all were told of a build."""
    async with Redis.from_url(stage.redis_url, decode_responses=True) as redis, asyncio.timeout(60):
        while '"judged"' not in (await redis.get(f"ci:news:{pushed.id}") or ""):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.05)


async def knock(port: int, pushed: Pipeline, event_id: str) -> None:
    """Let CircleCI tell of an end."""
    about = {"pipeline": {"id": pushed.id}, "project": {"slug": SLUG}, "happened_at": datetime.now(UTC).isoformat()}
    raw = json.dumps({**about, "id": event_id, "type": "workflow-completed"}).encode()
    signature = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    address = f"http://127.0.0.1:{port}/circleci/webhook"
    async with aiohttp.ClientSession(headers={"circleci-signature": f"v1={signature}"}) as session:
        while (await session.post(address, data=raw)).status == 503:  # noqa: ASYNC110  # CircleCI tries again, too
            await asyncio.sleep(0.1)


async def test_however_many_hear_of_an_end_and_whoever_dies_each_is_told_once(tmp_path: Path) -> None:
    async with at_work(tmp_path) as stage:
        (_, port), (first, _), _ = [await stage.starts(role) for role in ("web", "worker", "worker")]
        await stage.subscribes("push/* failed passed channel")
        pushed = []
        for number in range(MANY):
            pushed.append(stage.push("failing-tests" if number % 2 else "green", f"push/{number}"))
            stage.circleci.world.clock.advance(timedelta(minutes=30))
            if number == MANY // 2:
                first.kill()
            events = (f"e{number}", f"e{number}", f"again{number}")
            await asyncio.gather(*(knock(port, pushed[-1], event) for event in events))
        for one in pushed:
            await is_judged(stage, one)
        told = Counter(one.text.partition(" ")[0] for one in stage.deploys.roots)
        assert {one.branch: told[str(one.branch)] for one in pushed} == {one.branch: 1 for one in pushed}
