"""Lets people subscribe and push for an hour, CircleCI build and tell, and holds what was said against the oracle."""

import asyncio
import hashlib
import hmac
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import NamedTuple
from uuid import uuid4

import aiohttp

from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline, Run
from playground.circleci.world import World
from playground.faults import SeenRequest
from playground.slack.api import Slack
from playground.slack.conversations import Channel, Message
from tests.bench.hour import MINUTE, Push, Size, has_webhooks, projects, pushes, scenario, subscriptions
from tests.bench.stage import seen
from tests.oracle.news import End, Rule, Said, is_explained

SECRET = "bench-webhook-secret"
SUBSCRIPTION, SETTLE = 5 * MINUTE, 10  # as by default
READING = timedelta(seconds=2)  # until the playground's CircleCI has read a configuration
UNDER_WAY = 1  # second on a clock that a webhook takes: a `Date` says no less
# Seconds on a clock: for what takes no fixed time, and for what a dead worker had in its hands.
A_WHILE, AFTER_A_KILL = 10, 75
FAR_AHEAD = timedelta(days=1)
LIST = re.compile(r"/project/gh/(acme/p\d+)/pipeline(?:\?(?!.*branch=)|$)")
WORDS = re.compile(r"(\S+) of (\S+) (?:is (red since|still red|green again)|(passed) in)")
OLDER = re.compile(r"#(\d+) of (\S+) of (\S+), an older build, (passed|failed)")
EVENTS = {"red since": "broke", "still red": "still-red", "green again": "fixed", "passed": "passed"}
Branch = tuple[str, str]  # of a project
Place = tuple[str, Branch]  # in a channel


class Asked(NamedTuple):
    """What CircleCI was asked, and when."""

    at: float
    path: str


class Requests(list[SeenRequest]):
    """Notes of each request when it came, and keeps nothing else of it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.began, self.asked = world.clock.now(), list[Asked]()
        self._world = world

    def append(self, request: SeenRequest) -> None:
        """Note it."""
        self.asked.append(Asked((self._world.clock.now() - self.began).total_seconds(), request.path))


class Told(NamedTuple):
    """What a channel was told, and when."""

    at: float
    said: Said


@dataclass
class Built:
    """What became of a push."""

    push: Push
    pipeline: Pipeline
    ends: list[End] = field(default_factory=list)


class Stage:
    """The hour as it is played; all moments are seconds on a clock since it began."""

    def __init__(self, size: Size, seed: int, slack: Slack, circleci: CircleCI) -> None:
        chance = Random(seed)
        self.size, self.rules = size, subscriptions(size, chance)
        self.built, self.kills, self.port = list[Built](), list[float](), 0
        self._pushes = pushes(size, chance, self.rules)
        self._slack, self._world = slack, circleci.world
        self.requests = circleci.faults.requests = Requests(self._world)

    @property
    def now(self) -> float:
        """When it is."""
        return self._since(self._world.clock.now())

    def _since(self, moment: datetime) -> float:
        return (moment - self.requests.began).total_seconds()

    async def subscribe(self) -> None:
        """Let there be projects and channels, all of these subscribe, and what is there by then be read."""
        for name in projects(self.size):
            self._world.add_project(f"gh/{name}", branches={"main": "green"})
        workspace, ada = self._slack.workspace, self._slack.person("ada")
        for number in range(self.size.channels):
            workspace.add_channel(f"C1TEAM{number}", f"team-{number}", "U0ADA", workspace.bot_user_id)
        for rule in self.rules:
            channel = workspace.channel(rule.channel)
            said = len(channel.messages)
            await ada.command(channel, "/ci", " ".join(["subscribe", rule.project, *rule.words]))
            await seen(partial(_from, channel, said))
        await seen(self._listed)
        await asyncio.sleep(1)

    def _listed(self) -> list[str]:
        """Return the projects that somebody subscribed to, once the lists of all of them have been read."""
        listed = {found[1] for one in self.requests.asked if (found := LIST.search(one.path))}
        return [*self.subscribed] if self.subscribed <= listed else []

    @property
    def subscribed(self) -> set[str]:
        """The projects that somebody subscribed to."""
        return {rule.project for rule in self.rules}

    async def play(self) -> None:
        """Let the hour begin, and everybody push; returns when all has ended that ends."""
        self.requests.began = self._world.clock.now()
        self.requests.asked.clear()
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            for push in self._pushes:
                await asyncio.sleep(push.at / self.size.times - self.now)
                tasks.create_task(self._builds(push, session))

    async def _builds(self, push: Push, session: aiohttp.ClientSession) -> None:
        slug = f"gh/{push.project}"
        self._world.set_scenario(slug, push.branch, scenario(push, self.size.times))
        built = Built(push, self._world.trigger(slug, branch=push.branch, parameters={}, by="push"))
        pipeline = built.pipeline
        self.built.append(built)
        if push.course == "refused":
            self._ends(built, pipeline.created_at + READING, push.outcome)
        if push.course == "cancelled":
            await asyncio.sleep(push.seconds / self.size.times / 2)
            self._world.cancel(pipeline.runs[0].id, by=None)
        for run in pipeline.runs:
            await self._runs(built, run, session)
        ended = [stop for run in pipeline.runs if (stop := run.stopped_at(self._world.clock.now()))]
        if ended and push.course != "hold":
            self._ends(built, max(ended), push.outcome)
        if push.course == "hold":
            jobs = [(run, job) for run in pipeline.runs for job in run.plan.jobs if not job.approval]
            self._ends(built, max(end for run, job in jobs if (end := run.end(job))), "held")
        if push.is_rerun:
            await asyncio.sleep(2 * MINUTE / self.size.times + A_WHILE)
            run = self._world.rerun(pipeline.runs[0].id)
            await self._runs(built, run, session)
            self._ends(built, run.stopped_at(self._world.clock.now()) or self._world.clock.now(), "green")

    def _ends(self, built: Built, stopped: datetime, outcome: str) -> None:
        """Note an end, and by when it must have been seen, by what docs/subscriptions.md says of that."""
        push, at = built.push, self._since(stopped)
        pauses = 0 if push.is_told else 3 if has_webhooks(push.project) else 1
        by = at + (pauses * SUBSCRIPTION + SETTLE) / self.size.times + A_WHILE
        built.ends.append(End(built.pipeline.number, at, by, outcome, may_be_missed=push.is_rerun and not built.ends))

    async def _runs(self, built: Built, run: Run, session: aiohttp.ClientSession) -> None:
        """Return when a workflow has ended, and CircleCI has told of that and of its jobs, where it does."""
        ahead = self._world.clock.now() + FAR_AHEAD
        ends = [end for job in run.plan.jobs if not job.approval and (end := run.end(job)) is not None]
        moments = [(end, "job-completed") for end in ends]
        if stopped := run.canceled_at or run.stopped_at(ahead):
            moments = [(end, kind) for end, kind in moments if end < stopped] + [(stopped, "workflow-completed")]
        for moment, kind in sorted(moments):
            await asyncio.sleep((moment - self._world.clock.now()).total_seconds() + UNDER_WAY)
            if built.push.is_told:
                for _ in range(built.push.deliveries):
                    await self._tell(built.pipeline, run, kind, session)

    async def _tell(self, pipeline: Pipeline, run: Run, kind: str, session: aiohttp.ClientSession) -> None:
        """Deliver a webhook until it is taken."""
        event = {
            "id": str(uuid4()),
            "type": kind,
            "happened_at": datetime.now(UTC).isoformat(),
            "project": {"slug": pipeline.slug},
            "pipeline": {"id": pipeline.id, "number": pipeline.number, "vcs": {"branch": pipeline.branch}},
            "workflow": {"id": run.id},
        }
        raw, address = json.dumps(event).encode(), f"http://127.0.0.1:{self.port}/circleci/webhook"
        signed = {"circleci-signature": f"v1={hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}"}
        while True:
            async with session.post(address, data=raw, headers=signed) as answer:
                if answer.status < 500:
                    return
            await asyncio.sleep(1)

    def about(self) -> dict[Place, list[Rule]]:
        """Return the rules that each channel has about each branch that was built."""
        found = defaultdict(list)
        for project, branch in {(one.push.project, one.push.branch) for one in self.built}:
            for rule in self.rules:
                if project == rule.project and rule.is_about(branch):
                    found[rule.channel, (project, branch)].append(rule)
        return found

    def told(self) -> dict[Place, list[Told]]:
        """Return what each channel was told of each branch, in order."""
        found = defaultdict(list)
        for number in range(self.size.channels):
            for message in self._slack.workspace.channel(f"team-{number}").messages:
                if read := _read(message):
                    at = self._since(datetime.fromtimestamp(float(message.ts), UTC))
                    found[f"team-{number}", read[0]].append(Told(at, read[1]))
        return found

    def wrong(self) -> list[str]:
        """Return a sentence about each channel and branch of which something else was said than its rules ask for."""
        told, about, ends = self.told(), self.about(), defaultdict[Branch, list[End]](list)
        for built in self.built:
            ends[built.push.project, built.push.branch] += map(self._with_kills, built.ends)
        found = [
            f"{place} was told, though nothing it subscribed to is about it" for place in told.keys() - about.keys()
        ]
        for place, rules in about.items():
            said = [one.said for one in told.get(place, ())]
            if not is_explained(ends[place[1]], said, rules):
                asked = [" ".join(rule.words) for rule in rules]
                found.append(f"{place}, which subscribed with {asked}, was told {said} of {ends[place[1]]}")
        return found

    def _with_kills(self, end: End) -> End:
        """Return an end as it may be seen: later, or over a rerun not at all, where who had it in hands was killed."""
        if self.is_near_a_kill(end.at, end.by):
            return end._replace(by=end.by + AFTER_A_KILL)
        return end._replace(may_be_missed=False)

    def is_near_a_kill(self, at: float, by: float) -> bool:
        """Say whether what ended then, and was seen by then, may have been in the hands of a worker that died."""
        return any(at - AFTER_A_KILL < kill < by for kill in self.kills)

    async def settle(self) -> list[str]:
        """Wait until all is told as it must be, or until it is too late for that; returns what is wrong then."""
        last = max(self._with_kills(end).by for built in self.built for end in built.ends)
        while self.wrong() and self.now < last + A_WHILE:  # noqa: ASYNC110  # it is not looked at each change
            await asyncio.sleep(2)
        await asyncio.sleep(A_WHILE)  # whoever would say it twice may
        return self.wrong()


def _from(channel: Channel, place: int) -> list[Message]:
    return channel.messages[place:]


def _read(message: Message) -> tuple[Branch, Said] | None:
    """Return of which branch it was and what it said when it was posted; None where it is about none."""
    text, shown = (message.history[0][0], message.earlier[0]) if message.history else (message.text, message.visible)
    if words := OLDER.match(text):
        event = "older green" if words[4] == "passed" else "older red"
        return (words[3], words[2]), Said(event, int(words[1]), bool(message.thread_ts))
    if words := WORDS.match(text):
        event, numbers = EVENTS[words[3] or words[4]], re.findall(r"#(\d+)", shown)
        return (words[2], words[1]), Said(event, int(numbers[0 if event == "broke" else -1]), bool(message.thread_ts))
    return None
