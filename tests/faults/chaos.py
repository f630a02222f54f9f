"""`make chaos`: people deploy while kill -9 takes the bot's processes away at random instants.

One `web`, two `worker`s and one Redis, all real processes, CircleCI's webhooks and the budget that learns; whatever is
killed is started again at once, as a host's supervisor does. At the end every deploy that was acknowledged must have
one pipeline and one final reply, or one refusal, and nobody may have read the same words twice. `make chaos MINUTES=30`
keeps the people deploying that long, a tenth of it with text that is made to be slow or broken, and looks at memory,
keys and how late the loops are as well.
"""

import argparse
import asyncio
import random
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from docket import Docket
from redis.asyncio import Redis

from bot.embedded import EmbeddedServer
from bot.watching.engine import EXPIRE, HANDLE, LOOK_FOR, POLL, PRESS, READ, SHOW, SHOW_LATE, SWEEP, TRIAGE
from playground.__main__ import the_bot
from playground.circleci.api import CircleCI
from playground.circleci.scenarios import Scenario
from playground.circleci.webhooks import Webhooks
from playground.circleci.world import World, default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.conversations import Channel
from playground.slack.workspace import default_workspace
from tests.faults import hostile
from tests.stories.team import is_sign

PROJECT = "gh/acme/frontend"
ROLES = ("web", "worker", "worker")
WORLD_SECONDS_PER_SECOND = 15
COURSES = ("green", "failing-tests", "config-error", "late-workflow", "setup", None)  # None: there is no such branch
HOSTILE_SHARE = 0.1
LAG_BUCKET = re.compile(r'^ci_loop_lag_seconds_bucket\{le="([^"]+)"\} ([\d.]+)', re.MULTILINE)
SETTLE_SECONDS = 90
FOR_EVER = (SWEEP, SHOW_LATE)
SETTINGS = {
    "SLACK_POSTS_PER_SECOND_PER_CHANNEL": "1000",
    "SLACK_UPDATES_PER_MINUTE": "100000",
    "CIRCLECI_REQUESTS_PER_SECOND": "",  # it learns
    "CIRCLECI_WEBHOOK_SECRET": "chaos-webhook-secret",
    "POLL_INTERVAL_SECONDS": "0.5",
    "LINGER_SECONDS": "5",
}
FINAL = re.compile(r": (passed in|failed after|could not run|cancelled after)")
UNSURE = re.compile(r"post_settled.*found='(\w+)'|'(post_unsure)'")


@dataclass
class Deploy:
    """One deploy as its asker knows it; a `branch` of its own tells it from all others."""

    branch: str
    course: str | Scenario | None
    acked: bool = False


@dataclass
class Toll:
    """What was seen at the end; `wrong` is what must not be, one sentence each."""

    seed: int
    kills: int = 0
    deploys: int = 0
    refused: int = 0
    never_acked: int = 0
    repeated_answers: int = 0
    unsure: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    lags: dict[int, dict[float, float]] = field(default_factory=dict)
    hostile: int = 0
    keys_left: int = 0
    tasks_left: int = 0
    seconds: float = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def lag_p99(self) -> float:
        """How late the loops of all processes were at the most in 99 of 100 looks, in seconds, by the histogram."""
        summed: Counter[float] = Counter()
        for buckets in self.lags.values():
            summed.update(buckets)
        looks = max(summed.values(), default=0)
        return min((bound for bound, count in summed.items() if count >= 0.99 * looks), default=0)

    def __str__(self) -> str:
        """Return it for people."""
        return "\n".join(
            [
                f"seed {self.seed}, {self.seconds:.0f} s: {self.kills} kills, {self.deploys} deploys acknowledged",
                f"  refused, as they should be: {self.refused}; never acknowledged: {self.never_acked}",
                f"  posts left open by a death: {dict(self.unsure) or 'none'}",
                f"  answers to one person said again: {self.repeated_answers}",
                f"  keys left without an end: {self.keys_left}; tasks left: {self.tasks_left}",
                f"  with text that is made to be slow or broken: {self.hostile}",
                f"  the loops were late, at p99: {self.lag_p99 * 1000:.0f} ms at the most",
                f"  memory of the largest worker, MB, every 15 s: {' '.join(map(str, self.memory))}",
                *(f"WRONG: {one}" for one in self.wrong),
            ]
        )


class Victim:
    """A process of the bot that is started again whenever it dies."""

    def __init__(self, slack: Slack, circleci: CircleCI, folder: Path, role: str, redis_url: str) -> None:
        self.port = free_port()
        port = str(self.port)
        self._bot = partial(
            the_bot, slack, circleci, folder, role, cwd=None, REDIS_URL=redis_url, PORT=port, **SETTINGS
        )
        self.role = role
        self.process: asyncio.subprocess.Process | None = None

    async def keep_alive(self) -> None:
        """Start it, again and again, until this is cancelled."""
        while True:
            async with self._bot() as self.process:
                await self.process.wait()

    def kill(self) -> bool:
        """Kill it, if it lives; no handler of it runs."""
        if self.process is None or self.process.returncode is not None:
            return False
        with suppress(ProcessLookupError):
            self.process.kill()
        return True

    @property
    def megabytes(self) -> int:
        """The memory it holds."""
        with suppress(OSError, IndexError):  # it is just dying
            status = Path(f"/proc/{self.process.pid if self.process else 0}/status").read_text(encoding="utf-8")
            return int(status.partition("VmRSS:")[2].split()[0]) // 1024
        return 0


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Chaos:
    """The people, the killer and the judge; `chance` decides for all of them."""

    def __init__(self, world: World, slack: Slack, victims: list[Victim], chance: random.Random) -> None:
        self._world = world
        self._slack = slack
        self._victims = victims
        self._chance = chance
        self._numbers = iter(range(1, 10**6))
        self.deploys: list[Deploy] = []
        self.over = False

    @property
    def _channel(self) -> Channel:
        return self._slack.workspace.channel("deploys")

    async def kill(self, times: int, pause: float, seconds: float = 0) -> int:
        """Kill somebody at random instants, `pause` seconds apart on average; returns how many died.

        It goes on for so many `times`, and for so many `seconds` at the least.
        """
        killed, until = 0, time.monotonic() + seconds
        while killed < times or time.monotonic() < until:
            await asyncio.sleep(self._chance.expovariate(1 / pause))
            killed += self._chance.choice(self._victims).kill()
        return killed

    async def deploy_for_ever(self) -> None:
        """Deploy, wait for the outcome, deploy the next, until it is over."""
        while not self.over:
            deploy = await self._deploy()
            with suppress(TimeoutError):
                await self._slack.wait_for(partial(self._ended, deploy), timeout=SETTLE_SECONDS)

    async def _deploy(self) -> Deploy:
        """Say it until somebody acknowledges it; each new command is a deploy of its own."""
        by_command = self._chance.random() < 0.6
        is_hostile = self._chance.random() < HOSTILE_SHARE
        if is_hostile:
            await self._slack.person("guest").command("deploys", "/ci", self._chance.choice(hostile.SAID))
        while True:
            course = hostile.COURSE if is_hostile else self._chance.choice(COURSES)
            branch = f"chaos/{next(self._numbers)}"
            deploy = Deploy(branch, course)
            self.deploys.append(deploy)
            if course is not None:
                self._world.set_scenario(PROJECT, branch, course)
            deploy.acked = await (self._command(branch) if by_command else self._mention(branch))
            if deploy.acked:
                return deploy
            await asyncio.sleep(0.3)

    async def _command(self, branch: str) -> bool:
        return (await self._slack.person("ada").command("deploys", "/ci", f"deploy acme/frontend {branch}")).acked

    async def _mention(self, branch: str) -> bool:
        """Mention it; Slack delivers an event that nobody acknowledged three times more, and sometimes one too many."""
        delivery = await self._slack.person("grace").mention("deploys", f"deploy acme/frontend {branch}")
        tries = 0
        while not delivery.acked and tries < 3:
            tries += 1
            await asyncio.sleep(1)
            delivery = await self._slack.redeliver(delivery)
        if delivery.acked and self._chance.random() < 0.2:
            await self._slack.redeliver(delivery)
        return delivery.acked

    def finals(self, deploy: Deploy) -> int:
        """Count the final replies about a deploy."""
        about = f" {deploy.branch}: "
        return sum(about in one.text and bool(FINAL.search(one.text)) for one in self._channel.messages)

    def refusals(self, deploy: Deploy) -> int:
        """Count how often its asker was told why not, or that it did not begin; a sign tells neither."""
        named = re.compile(rf"{re.escape(deploy.branch)}(?!\d)")
        told = (one.text for one in self._slack.workspace.ephemerals if not is_sign(one))
        return sum(bool(named.search(text)) and "I will not start a second one" not in text for text in told)

    def pipelines(self, deploy: Deploy) -> int:
        """Count what CircleCI started for it."""
        return sum(one.branch == deploy.branch for one in self._world.pipelines)

    def _ended(self, deploy: Deploy) -> bool:
        return bool(self.finals(deploy) or self.refusals(deploy))

    async def settle(self, redis_url: str) -> None:
        """Wait until every deploy that was taken has its outcome, or until it is too late for that."""
        with suppress(TimeoutError):
            await self._slack.wait_for(
                lambda: all(self._ended(one) for one in self.deploys if one.acked), timeout=SETTLE_SECONDS
            )
            async with asyncio.timeout(SETTLE_SECONDS):
                while await _tasks_left(redis_url):  # somebody may have taken what nobody acknowledged
                    await self._slack.pause(0.5)
        await asyncio.sleep(3)  # whoever would say it twice may

    def judge(self, toll: Toll) -> None:
        """Write down what must not be."""
        for deploy in self.deploys:
            started, finals, refusals = self.pipelines(deploy), self.finals(deploy), self.refusals(deploy)
            toll.repeated_answers += max(refusals - 1, 0)
            toll.refused += bool(deploy.acked and refusals)
            if started > 1 or finals > 1:
                toll.wrong.append(f"{deploy.branch}: {started} pipelines, {finals} final replies")
            elif deploy.acked and not (started == finals == 1 and not refusals) and not (refusals and not started):
                seen = f"{started} pipelines, {finals} final replies, {refusals} refusals"
                toll.wrong.append(f"{deploy.branch} ({_course(deploy)}) was acknowledged: {seen}")
        read = Counter((one.thread_ts, one.text) for one in self._channel.messages if one.bot_id)
        toll.wrong += [f"said {times} times: {text}" for (_, text), times in read.items() if times > 1]
        toll.wrong += [f"Slack: {one}" for one in self._slack.problems if "not acked" not in one]
        if toll.wrong:  # perhaps somebody was told, in words that name nothing
            told = Counter(one.text for one in self._slack.workspace.ephemerals if "chaos/" not in one.text)
            toll.wrong += [f"(what names no deploy was said {times} times: {text})" for text, times in told.items()]
        toll.deploys = sum(one.acked for one in self.deploys)
        toll.hostile = sum(one.acked and one.course is hostile.COURSE for one in self.deploys)
        toll.never_acked = len(self.deploys) - toll.deploys


def _course(deploy: Deploy) -> str:
    return "hostile" if isinstance(deploy.course, Scenario) else str(deploy.course)


async def chaos(  # each is one word of the command line
    folder: Path, *, seed: int, kills: int, at_once: int = 20, pause: float = 1.5, seconds: float = 0
) -> Toll:
    """Let it happen once; the same `seed` decides the same, but not the instants of the machine."""
    began, toll, chance = time.monotonic(), Toll(seed), random.Random(seed)  # it hides nothing
    world = default_world(Clock(speed=WORLD_SECONDS_PER_SECOND))
    workspace = default_workspace(now=lambda: world.clock.now().timestamp())
    async with (
        CircleCI(world) as circleci,
        Slack(workspace, socket_mode=True) as slack,
        EmbeddedServer(folder / "redis") as redis,
        asyncio.TaskGroup() as tasks,
    ):
        slack.limits = None
        # As slow as the real ones: what dies in between is found out afterwards.
        slack.faults.add("POST", "/api/chat.postMessage", delay=0.2, times=None)
        circleci.faults.add("POST", "*/pipeline", delay=0.2, times=None)
        victims = []
        for number, role in enumerate(ROLES):
            place = folder / f"{role}-{number}"
            place.mkdir()
            victims.append(Victim(slack, circleci, place, role, redis.url))
        alive = [tasks.create_task(victim.keep_alive()) for victim in victims]
        await slack.connected()
        stage = Chaos(world, slack, victims, chance)
        people = [tasks.create_task(stage.deploy_for_ever()) for _ in range(at_once)]
        address = f"http://127.0.0.1:{victims[0].port}/circleci/webhook"
        webhooks = Webhooks(world, address, SETTINGS["CIRCLECI_WEBHOOK_SECRET"])
        beside = [tasks.create_task(_measure(victims, toll)), tasks.create_task(webhooks.tell_for_ever())]
        toll.kills = await stage.kill(kills, pause, seconds)
        stage.over = True
        await asyncio.wait(people, timeout=2 * SETTLE_SECONDS)
        await stage.settle(redis.url)
        stage.judge(toll)
        toll.keys_left, toll.tasks_left = await _keys_left(redis.url), await _tasks_left(redis.url)
        for task in (*beside, *people, *alive):
            task.cancel()
    toll.unsure.update(_unsure(folder))
    toll.seconds = time.monotonic() - began
    return toll


async def _measure(victims: list[Victim], toll: Toll) -> None:
    while True:
        await asyncio.sleep(15)
        toll.memory.append(max(one.megabytes for one in victims if one.role == "worker"))
        for one in victims:
            await _read_lag(one, toll)


async def _read_lag(victim: Victim, toll: Toll) -> None:
    """Note how late a process was so far; one that is just dying says nothing more."""
    pid = victim.process.pid if victim.process else 0
    with suppress(httpx.HTTPError):
        async with httpx.AsyncClient() as client:
            figures = (await client.get(f"http://127.0.0.1:{victim.port}/metrics")).text
        toll.lags[pid] = {float(bound): float(count) for bound, count in LAG_BUCKET.findall(figures)}


async def _keys_left(url: str) -> int:
    """Count our keys without an end, and what is still watched, when all is done."""
    async with Redis.from_url(url, decode_responses=True) as redis:
        endless = [key async for key in redis.scan_iter("ci:*") if await redis.ttl(key) == -1]
        return len(endless)


async def _tasks_left(url: str) -> int:
    """Count what is queued, under way or to be looked at, but for what goes on for ever."""

    async def nothing() -> None:
        """Stand for a task, so that its name is known."""

    async with Docket(name="ci-chatops", url=url) as docket, Redis.from_url(url) as redis:
        looks = await redis.zcard("ci:looks")
        docket.register(nothing, names=[HANDLE, PRESS, READ, SHOW, POLL, LOOK_FOR, EXPIRE, TRIAGE, *FOR_EVER])
        snapshot = await docket.snapshot()
    return looks + sum(one.function_name not in FOR_EVER for one in (*snapshot.running, *snapshot.future))


def _unsure(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for log in folder.glob("*/bot.log"):
        found.update(first or second for first, second in UNSURE.findall(log.read_text(encoding="utf-8")))
    return found


def main() -> int:
    """Run it from a terminal; returns 1 when anything went wrong."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # it hides nothing
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=0, help="kill now and then, for that long")
    parser.add_argument("--keep", type=Path, help="leave the logs in this folder")
    asked = parser.parse_args()
    pause, kills = (20.0, 1) if asked.minutes else (1.5, asked.kills)
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = asked.keep or Path(name)
        folder.mkdir(exist_ok=True)
        seconds = asked.minutes * 60
        toll = asyncio.run(chaos(folder, seed=asked.seed, kills=kills, pause=pause, seconds=seconds))
    print(toll)
    return 1 if toll.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
