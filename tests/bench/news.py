"""An hour of builds that nobody typed, of which channels hear what they subscribed to: right, and at few requests.

The unit of time is a twelfth of what it is in life, for all of it alike: pauses of the bot, builds, and the budgets of
Slack. What does not shrink with it are the bot's fixed waits (the lease of a dead process, five seconds at least, and
that on telling of a branch, a minute) and the second that is the finest a `Date` of CircleCI can say.
"""

import asyncio
import hashlib
import hmac
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import uuid4

import aiohttp

from bot.embedded import EmbeddedServer
from playground.circleci.api import CircleCI
from playground.circleci.pipelines import Pipeline, Run
from playground.circleci.world import World
from playground.clock import Clock
from playground.faults import SeenRequest
from playground.slack.api import Slack
from playground.slack.conversations import Message
from playground.slack.workspace import default_workspace
from tests.bench.hour import MINUTE, Push, Size, has_webhooks, projects, pushes, rules, scenario
from tests.bench.stage import AS_SHIPPED, Bot, Figure, percentile, running
from tests.oracle.news import End, Rule, Said, is_explained

SECRET = "bench-webhook-secret"
SUBSCRIPTION, POLL, SETTLE = 5 * MINUTE, 5, 10
SLACK = 10  # seconds on a clock that the machine may take for what has no fixed time
AFTER_A_KILL = 75  # seconds on a clock: the lease on telling of a branch, and the pauses in which others try
FINDING, MORE, TOLD = 25, 2, 10  # requests: a minute, for each end that may matter, for each that is told besides
WORDS = re.compile(r"(\S+) of (\S+) (?:is (red since|still red|green again)|(passed) in)")
EVENTS = {"red since": "broke", "still red": "still-red", "green again": "fixed", "passed": "passed"}
WORKFLOW, PIPELINE = re.compile(r"/workflow/([^/?]+)"), re.compile(r"/api/v2/pipeline/([^/?]+)")
JOB = re.compile(r"/project/(?:gh|github)/(acme/p\d+)/(?:job/)?(\d+)\b|/output/(\d+)")
LIST, NAME = re.compile(r"/project/gh/acme/p\d+/pipeline(\?|$)"), re.compile(r"/project/gh/acme/p\d+$")
FAR_AHEAD = timedelta(days=1)
Branch = tuple[str, str]  # of a project


class Asked(NamedTuple):
    """What CircleCI was asked, and when."""

    at: datetime
    path: str


class Requests(list[SeenRequest]):
    """Notes of each request when it came, and keeps nothing else of it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.asked: list[Asked] = []

    def append(self, request: SeenRequest) -> None:
        """Note it."""
        self.asked.append(Asked(self._world.clock.now(), request.path))


@dataclass
class Built:
    """What became of a push."""

    push: Push
    pipeline: Pipeline
    ends: list[End] = field(default_factory=list)


class Stage:
    """The hour, as it is played."""

    def __init__(self, size: Size, seed: int, slack: Slack, circleci: CircleCI) -> None:
        chance = Random(seed)  # it hides nothing
        self.size, self.slack, self.circleci, self.world = size, slack, circleci, circleci.world
        self.rules = rules(size, chance)
        self.pushes = pushes(size, chance, self.rules)
        self.built: list[Built] = []
        self.requests = Requests(self.world)
        self.killed_at = float("inf")
        self.port = 0
        self._began = self.world.clock.now()
        circleci.faults.requests = self.requests

    def prepare(self) -> None:
        """Let there be projects, channels and people in them."""
        for name in projects(self.size):
            self.world.add_project(f"gh/{name}", branches={"main": "green"})
        for number in range(self.size.channels):
            own = self.slack.workspace.user("ada").id, self.slack.workspace.bot_user_id
            self.slack.workspace.add_channel(f"C1TEAM{number}", f"team-{number}", *own)

    async def subscribe(self) -> None:
        """Let all channels subscribe, and wait until the lists of their projects were read."""
        ada = self.slack.person("ada")
        for rule in self.rules:
            before = len(self.slack.workspace.channel(rule.channel).messages)
            await ada.command(rule.channel, "/ci", " ".join(["subscribe", rule.project, *rule.words]))
            await self.slack.wait_for(
                lambda rule=rule, before=before: len(self.slack.workspace.channel(rule.channel).messages) > before
            )
        names = {rule.project for rule in self.rules}
        async with asyncio.timeout(60):
            while not names <= {one.path.split("/gh/")[1].rpartition("/")[0] for one in self.lists()}:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)

    def lists(self) -> list[Asked]:
        """Return the lists that were read for no branch."""
        return [one for one in self.requests.asked if LIST.search(one.path) and "branch=" not in one.path]

    @property
    def now(self) -> float:
        """Seconds since it began, on a clock."""
        return (self.world.clock.now() - self._began).total_seconds()

    def since(self, moment: datetime) -> float:
        """Return when that was, in the same seconds."""
        return (moment - self._began).total_seconds()

    def begin(self) -> None:
        """Let the hour begin, in which what was asked before does not count."""
        self._began = self.world.clock.now()
        self.requests.asked.clear()

    async def play(self) -> None:
        """Let everybody push, one after the other, and CircleCI tell of it where it does."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            for push in self.pushes:
                await asyncio.sleep(max(0, push.at / self.size.times - self.now))
                tasks.create_task(self._builds(push, session))

    async def _builds(self, push: Push, session: aiohttp.ClientSession) -> None:
        slug, times = f"gh/{push.project}", self.size.times
        self.world.set_scenario(slug, push.branch, scenario(push, times))
        pipeline = self.world.trigger(slug, branch=push.branch, parameters={}, by="push")
        built = Built(push, pipeline)
        self.built.append(built)
        if push.course == "refused":
            self._ends(built, pipeline.created_at + timedelta(seconds=2), "red", is_told=False)
            return
        if push.course == "cancelled":
            await asyncio.sleep(push.seconds / times / 2)
            for run in pipeline.runs:
                self.world.cancel(run.id, by=None)
        outcome = {"red": "red", "green": "green", "setup": "green"}.get(push.course, "")
        for run in pipeline.runs:
            await self._runs(built, run, session)
        if push.course != "hold":
            stopped = max(run.stopped_at(self.world.clock.now() + FAR_AHEAD) for run in pipeline.runs)
            self._ends(built, stopped, outcome)
        if push.is_rerun:
            await asyncio.sleep(2 * MINUTE / times + SLACK)
            await self._runs(built, again := self.world.rerun(pipeline.runs[0].id), session)
            self._ends(built, again.stopped_at(self.world.clock.now()), "green")

    def _ends(self, built: Built, stopped: datetime, outcome: str, *, is_told: bool = True) -> None:
        """Note an end, and by when it must have been seen, by what docs/subscriptions.md says of that."""
        push, at = built.push, self.since(stopped)
        late = SUBSCRIPTION if not has_webhooks(push.project) else 0 if is_told and not push.is_lost else 3 * SUBSCRIPTION
        by = at + (late + SETTLE) / self.size.times + SLACK
        if at <= self.killed_at <= by:
            by += AFTER_A_KILL
        rerun_soon = push.is_rerun and not built.ends and (push.is_lost or at <= self.killed_at <= by)
        built.ends.append(End(built.pipeline.number, at, by, outcome, may_be_missed=rerun_soon))

    async def _runs(self, built: Built, run: Run, session: aiohttp.ClientSession) -> None:
        """Return when a workflow has ended, and CircleCI has told of it and of its jobs, where it does."""
        now = self.world.clock.now()
        ends = [end for job in run.plan.jobs if not job.approval and (end := run.end(job)) is not None]
        moments = [*((end, "job-completed") for end in ends)]
        if stopped := run.canceled_at or run.stopped_at(now + FAR_AHEAD):
            moments.append((stopped, "workflow-completed"))
        for moment, kind in sorted(moments):
            await asyncio.sleep(max(0, (moment - self.world.clock.now()).total_seconds()) + 0.01)
            if has_webhooks(built.push.project) and not built.push.is_lost:
                await self._tell(built, run, kind, session)

    async def _tell(self, built: Built, run: Run, kind: str, session: aiohttp.ClientSession) -> None:
        pipeline = built.pipeline
        event = {
            "id": str(uuid4()),
            "type": kind,
            "happened_at": datetime.now(UTC).isoformat(),
            "project": {"slug": pipeline.slug},
            "pipeline": {"id": pipeline.id, "number": pipeline.number, "vcs": {"branch": pipeline.branch}},
            "workflow": {"id": run.id},
        }
        raw = json.dumps(event).encode()
        headers = {"circleci-signature": f"v1={hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}"}
        for _ in range(built.push.deliveries):
            for _ in range(10):
                async with session.post(f"http://127.0.0.1:{self.port}/circleci/webhook", data=raw, headers=headers) as one:
                    if one.status < 500:
                        break
                await asyncio.sleep(1)

    def said(self) -> dict[tuple[str, Branch], list[tuple[Said, Message]]]:
        """Return what each channel was told of each branch, in order."""
        found = defaultdict(list)
        for number in range(self.size.channels):
            channel = self.slack.workspace.channel(f"team-{number}")
            for message in channel.messages:
                text, shown = (message.history[0][0], message.earlier[0]) if message.history else (message.text, message.visible)
                if words := WORDS.match(text):
                    event = EVENTS[words[3] or words[4]]
                    numbers = re.findall(r"#(\d+)", shown)
                    one = Said(event, int(numbers[0] if event == "broke" else numbers[-1]), bool(message.thread_ts))
                    found[channel.name, (words[2], words[1])].append((one, message))
        return found

    def groups(self) -> dict[tuple[str, Branch], list[Rule]]:
        """Return the rules that each channel has about each branch that was built."""
        found = defaultdict(list)
        branches = {(one.push.project, one.push.branch) for one in self.built}
        for rule in self.rules:
            for project, branch in branches:
                if project == rule.project and rule.is_about(branch):
                    found[rule.channel, (project, branch)].append(rule)
        return found

    def ends(self) -> dict[Branch, list[End]]:
        """Return the ends of each branch, in order."""
        found = defaultdict(list)
        for built in self.built:
            found[built.push.project, built.push.branch] += built.ends
        return {branch: sorted(ends, key=lambda end: end.at) for branch, ends in found.items()}

    def wrong(self) -> list[str]:
        """Return a sentence about each channel and branch of which something else was said than its rules ask for."""
        said, ends, groups = self.said(), self.ends(), self.groups()
        found = [f"{key} was told, though nothing it subscribed to is about it" for key in said.keys() - groups.keys()]
        for key, about in groups.items():
            told = [one for one, _ in said.get(key, ())]
            if not is_explained(ends.get(key[1], []), told, about):
                found.append(f"{key}, {[' '.join(rule.words) for rule in about]}: {ends.get(key[1])}, and was told {told}")
        return found

    async def settle(self) -> list[str]:
        """Wait until all is told as it must be, or until it is too late for that."""
        last = max(end.by for built in self.built for end in built.ends)
        while (wrong := self.wrong()) and self.now < last + SLACK:
            await asyncio.sleep(2)
        await asyncio.sleep(SLACK)  # whoever would say it twice may
        return self.wrong() or wrong[:0]


async def subscriptions(folder: Path, *, size: Size = Size(), seed: int = 1) -> list[Figure]:  # noqa: B008  # it is frozen
    """Play the hour on one Redis, with a web and two workers of which one is killed in the middle."""
    world = World(Clock(datetime.now(UTC), speed=1))
    workspace = default_workspace(now=lambda: world.clock.now().timestamp())
    async with (
        CircleCI(world) as circleci,
        Slack(workspace, socket_mode=True) as slack,
        EmbeddedServer(folder / "news-redis") as redis,
        AsyncExitStack() as stack,
    ):
        slack.limits = None
        stage = Stage(size, seed, slack, circleci)
        stage.prepare()

        async def starts(name: str, role: str) -> Bot:
            settings = {**AS_SHIPPED, **waits(size.times), "REDIS_URL": redis.url}
            return await stack.enter_async_context(running(slack, circleci, folder / f"news-{name}", role, **settings))

        web, worker, other = [await starts(f"{role}{n}", role) for n, role in enumerate(("web", "worker", "worker"))]
        stage.port = web.port
        await slack.connected()
        await stage.subscribe()
        stage.begin()
        playing = asyncio.create_task(stage.play())
        await asyncio.sleep(size.seconds / 4)
        early = worker.megabytes
        await asyncio.sleep(size.seconds / 4)
        stage.killed_at = stage.now
        other.process.kill()
        await asyncio.sleep(SLACK)
        await starts("worker3", "worker")
        await playing
        late, busy, seconds = worker.megabytes, worker.cpu_seconds, stage.now
        wrong = await stage.settle()
        for one in wrong:
            print(f"WRONG: {one}", file=sys.stderr)
        memory = Figure(
            "memory of a worker, after a quarter of it and at its end", f"{early:.0f} MB, {late:.0f} MB", "flat", late < early * 1.1
        )
        share = Figure("of one core, for one of two workers", f"{busy / seconds:.0%} at {size.times} times the pace")
        return [*_told(stage, wrong), *_asked(stage, seconds), *_late(stage), memory, share]


def waits(times: int) -> dict[str, str]:
    """Return the settings as they are by default, with the unit of time so many times shorter."""
    return {
        "POLL_INTERVAL_SECONDS": str(POLL / times),
        "SUBSCRIPTION_SECONDS": str(SUBSCRIPTION / times),
        "SLACK_POSTS_PER_SECOND_PER_CHANNEL": str(times),
        "SLACK_UPDATES_PER_MINUTE": str(50 * times),
        "CIRCLECI_WEBHOOK_SECRET": SECRET,
    }


def _name(stage: Stage) -> str:
    size = stage.size
    return f"{size.builds} builds of {size.projects} projects in {size.minutes} minutes, {size.rules} rules"


def _told(stage: Stage, wrong: Sequence[str]) -> list[Figure]:
    groups, said = len(stage.groups()), sum(map(len, stage.said().values()))
    name = f"{_name(stage)}, half by webhooks, a worker killed: channels and branches told what the oracle knows"
    return [Figure(name, f"{groups - len(wrong)} of {groups}, {said} messages", "all", not wrong)]


def _asked(stage: Stage, seconds: float) -> list[Figure]:
    """Return how many requests it took to find the ends, to look at those that may matter, and to tell."""
    wanted = {(project, branch) for _, (project, branch) in stage.groups()}
    matter = [one for one in stage.built if one.ends and (one.push.project, one.push.branch) in wanted]
    said = {one.number for told in stage.said().values() for one, _ in told}
    told = {end.number for one in matter for end in one.ends if end.outcome == "red" or end.number in said}
    quiet = {one.pipeline.number for one in matter} - told
    finding, after, others = 0, Counter[int](), 0
    whose = _whose(stage)
    for one in stage.requests.asked:
        built = whose(one.path)
        if NAME.search(one.path) or (LIST.search(one.path) and "branch=" not in one.path):
            finding += 1
        elif built is not None and (not built.ends or stage.since(one.at) < built.ends[0].at):
            finding += 1
        elif built is not None:
            after[built.pipeline.number] += 1
        else:
            others += 1
    finding += len({rule.project for rule in stage.rules})  # their names, which are asked for once in an hour of ours
    minutes = seconds * stage.size.times / MINUTE
    a_minute = finding / minutes
    more = sum(after[one] for one in quiet) / max(1, len(quiet))
    most = (sum(count for one, count in after.items() if one not in quiet) + others) / max(1, len(told))
    for one in Counter(re.sub(r"[0-9a-f-]{36}|p?\d+", "…", one.path) for one in stage.requests.asked).most_common(30): print(one, file=sys.stderr)
    print(Counter(after[one] for one in quiet), others, len(matter), file=sys.stderr)
    kinds = defaultdict(Counter)
    for b in matter:
        if b.pipeline.number in quiet: kinds[(b.push.course, has_webhooks(b.push.project), b.push.is_lost)][after[b.pipeline.number]] += 1
    for k, v in sorted(kinds.items()): print(k, dict(v), file=sys.stderr)
    shown = 0
    for b in matter:
        if b.pipeline.number in quiet and after[b.pipeline.number] > 2 and (shown := shown + 1) < 14:
            print(b.push.course, has_webhooks(b.push.project), round(b.push.seconds), [(round(stage.since(o.at) - b.ends[0].at, 2), o.path[-60:].replace(b.pipeline.id, "ID")) for o in stage.requests.asked if whose(o.path) is b], file=sys.stderr)
    return [
        Figure("requests to find them", f"{a_minute:.1f} a minute", f"at most {FINDING}", a_minute <= FINDING),
        Figure(f"requests more for each of {len(quiet)} ends that might have mattered", f"{more:.2f}", f"at most {MORE}", more <= MORE),
        Figure(f"requests for each of {len(told)} builds that were told", f"{most:.1f}", f"at most {MORE + TOLD}", most <= MORE + TOLD),
    ]


def _whose(stage: Stage):
    runs = {run.id: one for one in stage.built for run in one.pipeline.runs}
    ids = {one.pipeline.id: one for one in stage.built}
    jobs = {str(n): one for one in stage.built for run in one.pipeline.runs for n in run.job_numbers.values()}

    def of(path: str) -> Built | None:
        for pattern, known in ((PIPELINE, ids), (WORKFLOW, runs), (JOB, jobs)):
            if found := pattern.search(path):
                return known.get(found[found.lastindex])
        return None

    return of


def _late(stage: Stage) -> list[Figure]:
    """Return how long after their ends builds were told, by webhook and without, in the time of that hour."""
    late: dict[bool, list[float]] = {True: [], False: []}
    ends = {one.pipeline.number: one for one in stage.built}
    for told in stage.said().values():
        for one, message in told:
            built = ends[one.number]
            at = stage.since(datetime.fromtimestamp(float(message.ts), UTC))
            before = [end.at for end in built.ends if end.at <= at]
            is_told = has_webhooks(built.push.project) and not built.push.is_lost and built.push.course != "refused"
            late[is_told].append((at - before[-1]) * stage.size.times if before else -1)
    rows = []
    for is_told, how in ((True, "by webhook"), (False, "by the list alone")):
        usual, most, worst = (percentile(late[is_told] or [0], share) for share in (0.5, 0.99, 1))
        rows.append(Figure(f"told after the end, {how} (of {len(late[is_told])})", f"{usual:.0f} s as a rule, {most:.0f} s at p99, {worst:.0f} s at worst"))
    return rows
