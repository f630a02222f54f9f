"""Many people deploy in one moment: when each sees a sign, the root and the final word, with the default settings."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from playground.circleci.api import CircleCI
from playground.circleci.limits import Limit
from playground.slack.api import Slack
from playground.slack.conversations import Channel, Message
from playground.slack.limits import Limits
from playground.slack.people import Person
from tests.bench.stage import AS_SHIPPED, Bot, Figure, course, far_sides, percentile, running, seen

PROJECT, JOB_SECONDS, SETTLE, INTERVAL = "acme/frontend", 20, 10, 5
PER_MINUTE = 150
WARM = 10  # seconds that the bot has run: how often it may ask CircleCI is learned from its start on
IN_ABOUT = "in about"  # what a wait is said with, in the sign or in what takes its place
FEWEST = 8  # requests of a deploy from its words to the final word


class FarSide(NamedTuple):
    """How a CircleCI is: how long it thinks, what it allows a minute (0: all), when the roots must be there."""

    name: str
    seconds: float
    per_minute: int
    root_within: float


FAR_SIDES = (
    FarSide("CircleCI answers in 0.2 s", 0.2, 0, 2),
    FarSide("CircleCI answers in 1.5 s", 1.5, 0, 3 * 1.5 + 1.5),
    FarSide(f"CircleCI allows {PER_MINUTE} requests a minute", 0.2, PER_MINUTE, 0),
)


@dataclass
class Deploy:
    """One person's deploy: seconds from the typing to what they could read, and from the build's end to its word."""

    branch: str
    began: float = field(default_factory=time.monotonic)
    sign: float = 0
    root: float = 0
    final: float = 0
    wait_said: bool = False


async def crowd(many: int, folder: Path) -> list[Figure]:
    """Let so many people deploy, each in a channel of their own, beside each of the far sides."""
    rows = []
    for side in FAR_SIDES:
        async with at_work(folder / f"crowd-{side.name}-{many}".replace(" ", "-"), side) as (slack, circleci, _):
            people = [_somebody(slack, number) for number in range(many)]
            deploys = await _all_deploy(slack, circleci, people)
            rows += [*_signs(side, deploys), *_finals(side, deploys, circleci)]
    return rows


async def one_channel(folder: Path) -> list[Figure]:
    """Let twenty people deploy in one channel, where Slack takes one message a second."""
    side = FAR_SIDES[0]._replace(name="in one channel", root_within=20 + FAR_SIDES[0].root_within)
    async with at_work(folder / "one-channel", side) as (slack, circleci, _):
        people = [_somebody(slack, number, "deploys") for number in range(20)]
        return _signs(side, await _all_deploy(slack, circleci, people))


@asynccontextmanager
async def at_work(folder: Path, side: FarSide, **settings: str) -> AsyncIterator[tuple[Slack, CircleCI, Bot]]:
    """Run the bot as it is shipped, between a Slack with its limits and such a CircleCI."""
    async with far_sides() as (slack, circleci):
        slack.limits = Limits()
        circleci.faults.add("*", "*", delay=side.seconds, times=None)
        circleci.limit = Limit(side.per_minute) if side.per_minute else None
        async with running(slack, circleci, folder, **AS_SHIPPED, **settings) as bot:
            await slack.connected()
            await asyncio.sleep(WARM)
            yield slack, circleci, bot


def _somebody(slack: Slack, number: int, channel: str = "") -> tuple[Person, Channel]:
    """Return somebody new, and where they deploy: in a channel of their own, or in one that is there."""
    name, workspace = f"person{number}", slack.workspace
    user = workspace.add_user(f"U1PERSON{number}", name)
    if channel:
        workspace.channel(channel).members.append(user.id)
        return slack.person(name), workspace.channel(channel)
    return slack.person(name), workspace.add_channel(
        f"C1TEAM{number}", f"team-{number}", user.id, workspace.bot_user_id
    )


async def _all_deploy(slack: Slack, circleci: CircleCI, people: list[tuple[Person, Channel]]) -> list[Deploy]:
    return list(
        await asyncio.gather(
            *(_deploy(slack, circleci, number, person, channel) for number, (person, channel) in enumerate(people))
        )
    )


async def _deploy(slack: Slack, circleci: CircleCI, number: int, person: Person, channel: Channel) -> Deploy:
    branch = f"crowd/{number}"
    circleci.world.set_scenario(f"gh/{PROJECT}", branch, course(JOB_SECONDS))
    deploy = Deploy(branch)
    delivery = await person.command(channel, "/ci", f"deploy {PROJECT} {branch}")
    assert delivery.acked, delivery.error

    def signs() -> list[str]:
        shown = [delivery.shown or "", *(one.visible for one in person.sees_only), *_told(channel, branch)]
        return [text for text in shown if text]

    await seen(signs)
    deploy.sign = time.monotonic() - deploy.began

    def begun() -> list[Message]:
        deploy.wait_said = deploy.wait_said or any(IN_ABOUT in text for text in signs())
        return [root for root in channel.roots if branch in root.text]

    await seen(begun)
    deploy.root = time.monotonic() - deploy.began
    ended = await _ended(circleci, branch)
    await seen(lambda: [text for text in _told(channel, branch) if "Passed in" in text])
    deploy.final = time.monotonic() - ended
    return deploy


def _told(channel: Channel, branch: str) -> list[str]:
    roots = {root.ts for root in channel.roots if branch in root.text}
    return [one.visible for one in channel.messages if one.ts in roots or one.thread_ts in roots]


async def _ended(circleci: CircleCI, branch: str) -> float:
    """Wait for the end of a branch's build, and return when that was."""
    pipeline = await seen(lambda: [one for one in circleci.world.pipelines if one.branch == branch])
    run = pipeline[0].runs[0]
    end = run.end(run.plan.jobs[0])
    assert end is not None
    ended = time.monotonic() + (end - circleci.world.clock.now()).total_seconds()
    await asyncio.sleep(max(ended - time.monotonic(), 0))
    return ended


def _signs(side: FarSide, deploys: list[Deploy]) -> list[Figure]:
    signs, roots = _at_99([one.sign for one in deploys]), _at_99([one.root for one in deploys])
    name = f"{len(deploys)} deploy in one moment, {side.name}"
    rows = [Figure(f"{name}: sign, p99", f"{signs:.2f} s", "at most 1 s", signs <= 1)]
    if side.root_within:
        target = f"at most {side.root_within:g} s"
        return [*rows, Figure(f"{name}: root, p99", f"{roots:.2f} s", target, roots <= side.root_within)]
    waited = [one for one in deploys if one.root > 10]
    said = sum(one.wait_said for one in waited)
    told = f"{roots:.2f} s; of {len(waited)} that waited for more than 10 s {said} were told"
    return [*rows, Figure(f"{name}: root, p99", told, "in its turn, and the wait is said", said == len(waited))]


def _finals(side: FarSide, deploys: list[Deploy], circleci: CircleCI) -> list[Figure]:
    last = max(one.final for one in deploys)
    name = f"{len(deploys)} deploy in one moment, {side.name}: final word after the end"
    asked = f"{last:.1f} s at worst ({len(circleci.requests) / len(deploys):.0f} requests a deploy)"
    most = SETTLE + 2 * INTERVAL
    if side.per_minute:
        floor = FEWEST * len(deploys) / side.per_minute * 60
        return [Figure(name, asked, f"at most the floor of {floor:.0f} s and 60 s", last <= floor + 60)]
    return [Figure(name, asked, f"at most {most} s", last <= most)]


def _at_99(values: list[float]) -> float:
    return percentile(values, 0.99)
