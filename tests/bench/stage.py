"""The bot as processes under measurement, with both far sides beside them."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp

from playground.__main__ import WAITS, the_bot
from playground.circleci.api import CircleCI
from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace

LIFTED = {
    "SLACK_POSTS_PER_SECOND_PER_CHANNEL": "0",
    "SLACK_UPDATES_PER_MINUTE": "0",
    "CIRCLECI_REQUESTS_PER_SECOND": "0",
    "LOG_LEVEL": "WARNING",
}
# As whoever installs it has it: neither lifted here, nor as short as the playground's pauses.
AS_SHIPPED = {**dict.fromkeys((*LIFTED, *WAITS), ""), "LOG_LEVEL": "WARNING"}
T = TypeVar("T")
PATIENCE = 900  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figure:
    """A line of the table; `met` is None for what is only told."""

    name: str
    measured: str
    target: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        """Return it as a row."""
        mark = {True: "yes", False: "**no**", None: ""}[self.met]
        return f"| {self.name} | {self.measured} | {self.target} | {mark} |"


@dataclass
class Bot:
    """A process of the bot that can be asked how it is."""

    process: asyncio.subprocess.Process
    port: int

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def megabytes(self) -> float:
        """Memory it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def peak_megabytes(self) -> float:
        """The most memory it ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    async def figures(self) -> dict[str, float]:
        """Return what it says at /metrics."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        pairs = (line.rpartition(" ") for line in lines if line.startswith("ci_"))
        return {name: float(value) for name, _, value in pairs}


@asynccontextmanager
async def far_sides(*, speed: float = 1, socket_mode: bool = True) -> AsyncIterator[tuple[Slack, CircleCI]]:
    """Run a pretend Slack without limits and a pretend CircleCI, in this process."""
    world = default_world(Clock(speed=speed))
    workspace = default_workspace(now=lambda: world.clock.now().timestamp())
    async with CircleCI(world) as circleci, Slack(workspace, socket_mode=socket_mode) as slack:
        slack.limits = None
        yield slack, circleci


@asynccontextmanager
async def running(slack: Slack, circleci: CircleCI, folder: Path, *role: str, **settings: str) -> AsyncIterator[Bot]:
    """Run the bot until it is ready, and then as long as it is looked at."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240  # nobody waits meanwhile
    port = free_port()
    chosen = {**LIFTED, **settings, "PORT": str(port)}
    async with the_bot(slack, circleci, folder, *role, cwd=None, **chosen) as process:
        await answering(port)
        yield Bot(process, port)


async def answering(port: int) -> float:
    """Return after how many seconds a process is ready."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.01)


async def deploy_many(slack: Slack, circleci: CircleCI, many: int, course: Scenario) -> None:
    """Deploy so many branches of one course, thirty at a time, and wait until all are shown."""
    people = asyncio.Semaphore(30)

    async def deploy(number: int) -> None:
        async with people:
            branch = f"bench/{number}"
            circleci.world.set_scenario("gh/acme/frontend", branch, course)
            delivery = await slack.person("ada").command("deploys", "/ci", f"deploy acme/frontend {branch}")
            assert delivery.acked, delivery.error

    await asyncio.gather(*(deploy(number) for number in range(many)))
    deploys = slack.workspace.channel("deploys")
    async with asyncio.timeout(300):
        while len(deploys.roots) < many:  # noqa: ASYNC110  # a predicate at each change would cost more than the bot
            await asyncio.sleep(0.1)


async def seen(look: Callable[[], list[T]]) -> list[T]:
    """Wait until there is something to see, and return it."""
    async with asyncio.timeout(PATIENCE):
        while not (found := look()):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.05)
        return found


def course(seconds: int) -> Scenario:
    """Return a course of one job that takes so long."""
    return Scenario((WorkflowPlan("build", (JobPlan("test", seconds=seconds),)),))


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def own_cpu_seconds() -> float:
    """Return the CPU time of this process, where the pretend servers run."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
