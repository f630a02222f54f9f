"""A team in a pretend Slack, the bot among them, and a pretend CircleCI whose time runs fast."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr
from pydantic_settings import PydanticBaseSettingsSource
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.app import App
from bot.models.circleci import PipelineId
from bot.settings import Projects, Settings
from bot.slack.listeners import RECORD_SECONDS
from bot.store import ENDLESS
from bot.store import __doc__ as store_table
from bot.watching.engine import HANDLE, PRESS, READ, SHOW
from bot.worker import DRAIN_SECONDS
from playground.circleci.api import CircleCI
from playground.circleci.world import default_world
from playground.clock import Clock
from playground.slack.api import Slack
from playground.slack.conversations import Channel, Json, Message
from playground.slack.delivery import Delivery
from playground.slack.people import Person
from playground.slack.workspace import default_workspace
from tests.contracts.openapi import problems
from tests.one_redis import redis_url
from tests.registry import table

WORLD_SECONDS_PER_SECOND = 1000
FORMS = frozenset(row.name for row in table()["form"])
# What was typed or pressed, and docket's own task that stands by while a question waits for its person's turn.
DELIVERED = {name.encode() for name in (HANDLE, PRESS, READ, SHOW, "__safeguard__")}


class Declared(Settings):
    """Settings that are what a story declares, whatever stands in the environment; looking there takes its time."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # it is given them by name
        cls, *_: Any, init_settings: PydanticBaseSettingsSource, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class Waits(NamedTuple):
    """How long an App waits: for Redis before it refuses a delivery, as a busy machine may need, and at a stop."""

    record_seconds: float = 10 * RECORD_SECONDS
    drain_seconds: float = DRAIN_SECONDS


PATIENT = Waits()


@dataclass
class Team:
    """What a story needs: people, a channel, and what CircleCI was asked."""

    slack: Slack
    circleci: CircleCI
    app: App

    @property
    def ada(self) -> Person:
        """The one who deploys."""
        return self.slack.person("ada")

    @property
    def grace(self) -> Person:
        """Her colleague."""
        return self.slack.person("grace")

    @property
    def deploys(self) -> Channel:
        """Where they talk about it."""
        return self.slack.workspace.channel("deploys")

    @property
    def root(self) -> Message:
        """The first message in the channel."""
        return self.deploys.roots[0]

    async def deploys_branch(self, branch: str, project: str = "acme/frontend") -> None:
        """Let Ada deploy a branch in the channel."""
        delivery = await self.ada.command("deploys", "/ci", f"deploy {project} {branch}")
        assert delivery.acked

    async def runs(self, branch: str = "try/slow", project: str = "acme/frontend", *, for_seconds: float = 5) -> None:
        """Let Ada deploy a branch, and CircleCI's time stand still once it has run so long.

        Whatever lasts seconds there is over in a blink here: what is done to a running build is done while time stands
        still, and `time_flies` afterwards.
        """
        before = len(self.circleci.world.pipelines)
        self.time_stands_still()
        await self.deploys_branch(branch, project)
        await self.until(lambda: len(self.circleci.world.pipelines) > before)
        self.circleci.world.clock.advance(timedelta(seconds=for_seconds))

    def time_stands_still(self) -> None:
        """Let nothing happen at CircleCI by itself."""
        self.circleci.world.clock.speed = 0

    def time_flies(self) -> None:
        """Let CircleCI's time go on after it has stood still."""
        self.circleci.world.clock.speed = WORLD_SECONDS_PER_SECOND

    async def is_looked_at(self, times: int = 2) -> None:
        """Wait until the bot has asked so many times more how the newest pipeline stands."""
        path = f"{self.circleci.world.pipelines[-1].id}/workflow"
        before = sum(seen.path.endswith(path) for seen in self.circleci.requests)
        await self.until(lambda: sum(seen.path.endswith(path) for seen in self.circleci.requests) >= before + times)

    async def pull_forward(self) -> None:
        """Let the bot look at the newest pipeline now: at one that ended it looks now and then only."""
        await self.app.engine.wake(PipelineId(self.circleci.world.pipelines[-1].id))

    async def until(self, seen: Callable[[], object]) -> None:
        """Wait for something that happens where Slack does not hear of it, such as at CircleCI."""
        async with asyncio.timeout(30):
            while not seen():
                await self.slack.pause(0.05)

    async def is_done(self) -> None:
        """Wait until all that was typed and pressed is carried out; a mention is acknowledged before it is queued."""
        async with asyncio.timeout(20):
            while DELIVERED.intersection(await self._tasks()):
                await self.slack.pause(0.02)

    async def _tasks(self) -> set[bytes]:
        """Return the kinds of what is queued, runs or waits: docket takes each off its stream when it has ended."""
        docket = self.app.docket
        async with docket.redis() as redis, redis.pipeline() as pipeline:
            pipeline.xrange(docket.stream_key)
            pipeline.zrange(docket.queue_key, 0, -1)
            handed_out, waiting = await pipeline.execute()
        keys = [*(message[b"key"] for _, message in handed_out), *waiting]
        return {key.partition(b":")[0] for key in keys}

    async def clicks(self, person: Person, message: Message, element: str | Json) -> Delivery:
        """Let somebody press, and wait for a form's window, or for why there is none: no task opens it."""
        before, told = person.modal, person.mark
        delivery = await person.click(message, element)
        if delivery.payload["actions"][0]["action_id"].partition(":")[0] in FORMS:
            await self.slack.wait_for(lambda: person.modal is not before or person.sees_only_since(told), 60)
        return delivery

    async def reads(self, words: str) -> Message:
        """Wait until somebody can read `words` in the channel."""
        found = await self.slack.wait_for(
            lambda: [message for message in self.deploys.messages if words in message.visible], timeout=30
        )
        return found[0]

    async def is_told(self, person: Person, words: str) -> Message:
        """Wait until `person` alone can read `words`; the sign of a command says what was typed, and is no answer."""
        found = await self.slack.wait_for(
            lambda: [one for one in person.sees_only if words in one.visible and not is_sign(one)], timeout=30
        )
        return found[0]

    def posts(self, path_end: str) -> list[object]:
        """Return the bodies of what was POSTed to CircleCI at addresses that end so."""
        return [seen.body for seen in self.circleci.requests if seen.method == "POST" and seen.path.endswith(path_end)]

    def count(self, words: str) -> int:
        """Return how many messages of the channel say `words`."""
        return sum(words in message.visible for message in self.deploys.messages)


def is_sign(message: Message) -> bool:
    """Say whether a message is what an ack says until the answer stands."""
    return message.only_for is not None and "Understood: " in message.text


def is_offer(message: Message) -> bool:
    """Say whether a message is what the first deploy in a channel brings who asked for it, beside all else."""
    return message.only_for is not None and message.text.startswith("Shall this channel use")


@asynccontextmanager
async def team_at_work(
    data_dir: Path,
    *,
    socket_mode: bool = True,
    projects: Projects | None = None,
    speed: float = WORLD_SECONDS_PER_SECOND,
    waits: Waits = PATIENT,
    **settings: object,
) -> AsyncIterator[Team]:
    """Start all of them; at the end nobody may have broken a rule of Slack's, or of CircleCI's descriptions.

    Nor may anything be kept for ever that was not meant to.
    """
    async with (
        far_sides(speed=speed, socket_mode=socket_mode) as (circleci, slack),
        bot_at_work(circleci, slack, data_dir, projects, waits, **settings) as team,
    ):
        yield team
        await check_kept(team.app)


@asynccontextmanager
async def far_sides(*, speed: float, socket_mode: bool = True) -> AsyncIterator[tuple[CircleCI, Slack]]:
    """Start a pretend CircleCI and a pretend Slack; at the end nobody may have broken their rules."""
    world = default_world(Clock(speed=speed))
    workspace = default_workspace(now=lambda: world.clock.now().timestamp())
    async with CircleCI(world) as circleci, Slack(workspace, socket_mode=socket_mode) as slack:
        slack.limits = None
        # A story is about what is said, and the machine may be busy.
        slack.courier.ack_seconds = slack.modals.trigger_seconds = 30
        yield circleci, slack
        wrong = [*slack.problems, *(problem for seen in circleci.requests for problem in problems(seen))]
        assert not wrong, "\n".join(wrong)


@asynccontextmanager
async def bot_at_work(
    circleci: CircleCI,
    slack: Slack,
    data_dir: Path,
    projects: Projects | None = None,
    waits: Waits = PATIENT,
    **settings: object,
) -> AsyncIterator[Team]:
    """Start the bot between the two; with `redis_url=None` it starts a server of its own."""
    chosen: dict[str, object] = {
        "slack_bot_token": SecretStr(slack.bot_token),
        "slack_signing_secret": None if slack.socket.enabled else SecretStr(slack.signing_secret),
        "slack_app_token": SecretStr(slack.app_token) if slack.socket.enabled else None,
        "slack_api_url": slack.url,
        "circleci_token": SecretStr(circleci.token),
        "circleci_url": circleci.url,
        "data_dir": data_dir,
        "redis_url": SecretStr(redis_url(data_dir)),
        "host": "127.0.0.1",
        "port": 0,
        "operator_channel": slack.workspace.channel("releases").id,
        "poll_interval_seconds": 0.05,
        "grace_seconds": 120,
        "settle_seconds": 5,
        "automatic_rerun_seconds": 240,
        "linger_seconds": 10**6,
        "slack_posts_per_second_per_channel": 1000,
        "slack_updates_per_minute": 100_000,
        "circleci_requests_per_second": 1000,
    }
    settled = Declared.model_validate({**chosen, **settings})
    async with App(settled, projects or Projects(), **waits._asdict()) as app:
        if slack.socket.enabled:
            await slack.connected()
        else:
            assert app.server is not None
            slack.courier.request_url = f"http://127.0.0.1:{app.server.port}/slack/events"
        yield Team(slack, circleci, app)


async def check_kept(app: App) -> None:
    """Fail where something is kept for ever that was not meant to be, or that nobody says whose it is."""
    keys = await keys_of(app)
    kept = {key for key, is_endless in keys.items() if is_endless}
    assert kept <= ENDLESS, kept
    assert not (strange := strangers(keys)), strange


async def keys_of(app: App) -> dict[str, bool]:
    """Return what the bot keeps in Redis, and of each whether for ever; nothing, where the story has stopped it."""
    keys, ends = list[str](), list[int]()
    with suppress(RedisError):
        async with Redis.from_url(app.docket.url, decode_responses=True) as redis:
            keys = [str(key) async for key in redis.scan_iter(match="ci:*", count=1000)]
            async with redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.ttl(key)
                ends = await pipeline.execute()
    return {key.removeprefix("ci:"): end == -1 for key, end in zip(keys, ends, strict=False)}


_ROW = re.compile(r"^\| (`[^|]+`) +\|", re.MULTILINE)
_NAME = re.compile(r"`([^`]+)`")


def strangers(keys: Iterable[str]) -> set[str]:
    """Return the keys that no row of the store's table is about."""
    names = [name for row in _ROW.findall(store_table or "") for name in _NAME.findall(row)]
    rows = re.compile("|".join(re.sub(r"<[^>]+>|…", ".+", name) for name in names))
    return {key for key in keys if not rows.fullmatch(key)}
