"""A team whose world stands still between two acts, so that in every run it says the same.

The pretend CircleCI's clock is moved by hand, and the bot looks when it is told to: nothing waits, and nothing depends
on how fast this machine is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import stamina
import structlog
from structlog.typing import EventDict

from bot.answers import Nothing
from bot.answers.lines import LinesMeant
from bot.models.circleci import PipelineId
from bot.models.slack import Invocation
from tests.golden import transcript
from tests.golden.playground import Delivery, Json, Message, Person, View, write_frontend_past
from tests.registry import table
from tests.stories.team import Team, is_sign, team_at_work

NEVER_SECONDS = 10**5  # between two looks: they are pulled forward
PATIENT_SECONDS = 60
THE_OPERATORS = "circleci_token_refused"  # the one error in the log that is nobody's mistake
SETTLED_SECONDS = 300  # more than any build waits until it is surely over


@asynccontextmanager
async def staged(data_dir: Path, *, past: bool = False, **settings: object) -> AsyncIterator["Stage"]:
    """Start a team on a stage; with a `past`, acme/frontend was built forty times before."""
    chosen: dict[str, object] = {
        "poll_interval_seconds": NEVER_SECONDS,
        "lease_seconds": PATIENT_SECONDS,
        "linger_seconds": 1000,  # a scene is shorter, and the next begins later
        # A budget would have a look put off on a fast machine.
        "circleci_requests_per_second": 0,
        "slack_posts_per_second_per_channel": 0,
        "slack_updates_per_minute": 0,
    }
    with stamina.set_testing(True, attempts=3):  # what is tried again is tried again at once
        async with team_at_work(data_dir, speed=0, **{**chosen, **settings}) as team:  # type: ignore[arg-type]  # settings
            team.slack.courier.ack_seconds = team.slack.modals.trigger_seconds = PATIENT_SECONDS
            if past:
                write_frontend_past(team.circleci.world)
            with listening() as said:
                yield Stage(team)
            hold_to_the_registry(said)
            assert not [one for one in said if one["level"] == "error" and one["event"] != THE_OPERATORS]


@contextmanager
def listening() -> Iterator[list[EventDict]]:
    """Yield what the bot writes into its log meanwhile, beside writing it."""
    said: list[EventDict] = []

    def note(_: object, level: str, event: EventDict) -> EventDict:
        said.append({**event, "level": level})
        return event

    before = structlog.get_config()["processors"]
    structlog.configure(processors=[note, *before])
    try:
        yield said
    finally:
        structlog.configure(processors=before)


def hold_to_the_registry(said: list[EventDict]) -> None:
    """Every answer that was given must be one that its handler says it gives."""
    may = {row.name: {answer.__name__ for answer in row.answers} for rows in table().values() for row in rows}
    may[""] = {Nothing.__name__}  # nobody asked: the direct messages were opened once more
    given = [event for event in said if event["event"] == "answered"]
    assert given
    # Which line is meant is asked before any handler has it.
    given = [event for event in given if event["answer"] != LinesMeant.__name__]
    assert not [event for event in given if event["answer"] not in may[event["what"]]]


class Stage:
    """Lets people act and time go by, and writes down what they see of it."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self._written: list[str] = []
        self._known: dict[str, str] = {}
        self._earlier, self._began = 0, team.circleci.world.clock.now()

    async def begins(self) -> None:
        """Begin a scene at a full hour; what was built in an earlier one comes to its end before."""
        world = self.team.circleci.world
        if world.pipelines:
            hour = world.clock.now().replace(minute=0, second=0) + timedelta(hours=2)
            seconds = int((hour - world.clock.now()).total_seconds())
            await self.moves_on(seconds - SETTLED_SECONDS, SETTLED_SECONDS)
        self._written, self._earlier, self._began = [], len(world.pipelines), world.clock.now()

    async def plays(self, branch: str, *seconds: int, project: str = "acme/frontend") -> Message:
        """Let Ada deploy a branch and so much time go by, step by step, and write nothing down; returns the root."""
        await self.team.deploys_branch(branch, project)
        await self.is_quiet()
        await self.moves_on(*seconds)
        return self.team.deploys.roots[-1]

    async def types(self, name: str, text: str, where: str = "general") -> list[Message]:
        """Type a command; returns what only they see of the answer."""
        self._act(f"{name} types: /ci {text}")
        return await self.answers(name, self._person(name).command(where, "/ci", text))

    async def types_and_sees_the_sign(self, name: str, text: str, where: str = "general") -> None:
        """Type a command, and write down what its ack says before what becomes of it."""
        self._act(f"{name} types: /ci {text}")
        alone = self.team.slack.workspace.ephemerals
        before = len(alone)
        delivery = await self._person(name).command(where, "/ci", text)
        sign = alone[before]
        first, parts = sign.history[0] if sign.history else (sign.text, sign.blocks)
        lines = transcript.seen(first, parts, sign.channel.names)
        self._written += ["", f"{transcript.place(sign)}, at once:", *(f"  {line}" for line in lines)]
        await self._is_handled(delivery)
        await self.is_quiet()
        self.notes_news()

    async def mentions(self, name: str, text: str, where: Message | str) -> list[Message]:
        """Mention the bot in a channel, or in the thread of a message; returns what only they see of the answer."""
        self._act(f"{name} says in {f'#{where}' if isinstance(where, str) else 'the thread'}: @ci {text}")
        channel, thread_ts = (where, None) if isinstance(where, str) else (where.channel, where.thread_ts or where.ts)
        return await self.answers(name, self._person(name).mention(channel, text, thread_ts=thread_ts))

    async def writes(self, name: str, text: str) -> list[Message]:
        """Write the bot a direct message."""
        self._act(f"{name} writes to the bot: {text}")
        return await self.answers(name, self._person(name).message_bot(text))

    async def presses(self, name: str, message: Message, button: str | Json) -> list[Message]:
        """Press a button; returns what only they see of the answer."""
        element = self._pressed(name, message, button)
        return await self.answers(name, self.team.clicks(self._person(name), message, element))

    async def opens(self, name: str, message: Message, button: str) -> View:
        """Press a button that opens a window, and return it."""
        person = self._person(name)
        element = self._pressed(name, message, button)
        await self.team.clicks(person, message, element)
        view = person.modal
        assert view is not None
        self.notes_news()
        return view

    async def fills_in(self, name: str, view: View, values: dict[str, str]) -> None:
        """Fill a window in, send it, read what it says then, and close it."""
        self._act(f"{name} fills it in: {', '.join(values)}")
        person = self._person(name)
        await person.submit(view, dict(values))
        await self.is_quiet()
        self.notes_news()
        if person.modal is not None:
            await person.close(person.modal)

    async def answers(self, name: str, act: Awaitable[Delivery]) -> list[Message]:
        """Write down what comes of an act; returns what only that person sees of it."""
        person = self._person(name)
        before = list(person.sees_only)
        await self._is_handled(await act)
        await self.is_quiet()
        self.notes_news()
        return [one for one in person.sees_only if one not in before and not is_sign(one)]

    async def passes(self, seconds: int) -> None:
        """Let time go by at CircleCI, and the bot look once at all that it follows."""
        self._act(f"{seconds} s go by")
        await self._moves_on(seconds)
        self.notes_news()

    async def comes_to(self, task: str, what: str) -> None:
        """Let the moment come for which the bot has put something off."""
        self._act(what)
        await self.pulls_forward(task)
        self.notes_news()

    async def moves_on(self, *seconds: int) -> None:
        """Let time go by in such steps, and write nothing down."""
        for step in seconds:
            await self._moves_on(step)
        list(self._news())

    async def _moves_on(self, seconds: int) -> None:
        world = self.team.circleci.world
        world.clock.advance(timedelta(seconds=seconds))
        world._tick()  # its `tick` may put something off where the machine is slow
        await self.looks()

    async def pulls_forward(self, *kinds: str) -> None:
        """Let the bot do now what it has put off."""
        docket = self.team.app.docket
        for task in (await docket.snapshot()).future:
            if task.function_name in kinds:
                await docket.replace(task.function_name, when=datetime.now(UTC), key=task.key)(*task.args)
        await self.is_quiet()

    async def looks(self) -> None:
        """Let the bot look now at all that it follows."""
        app = self.team.app
        for pipeline_id in await app.store._connection.redis.zrange("ci:looks", 0, -1):
            await app.engine.wake(PipelineId(str(pipeline_id)))
        await self.is_quiet()

    async def is_quiet(self) -> None:
        """Wait until the bot has nothing to do; whatever comes next comes long after its last look."""
        async with asyncio.timeout(PATIENT_SECONDS):
            while await self._is_busy() or await self._has_put_off_a_look():
                await self.team.slack.pause(0.01)

    def newest(self, button: str) -> Message:
        """Return the newest message in the channel that bears a button whose label begins so."""
        messages = reversed(self.team.deploys.messages)
        return next(one for one in messages if any(label.startswith(button) for label in one.buttons))

    def notes(self, text: str) -> None:
        """Write down a sentence about what happens."""
        self._act(text)

    def notes_news(self) -> None:
        """Write down every message and window that is new, or that reads differently now."""
        found = list(self._news())
        for place, lines in found:
            self._written += ["", f"{place}:", *(f"  {line}" for line in lines)]
        if not found:
            self._written += ["", "(nobody sees anything new)"]

    def shows(self, message: Message) -> None:
        """Write a message down as it stands."""
        self._written += ["", *transcript.standing(message)]

    def takes_down(self) -> str:
        """Return what was written down in this scene, numbered as if nothing had been built before it."""
        text, self._written = "\n".join(self._written).strip("\n") + "\n", []
        pipelines = self.team.circleci.world.pipelines
        return transcript.renumbered(text, pipelines, self._began, earlier=self._earlier)

    def _person(self, name: str) -> Person:
        return self.team.slack.person(name)

    def _act(self, text: str) -> None:
        self._written += ["", f"» {text}".rstrip()]

    def _pressed(self, name: str, message: Message, button: str | Json) -> Json:
        element = message.element(button) if isinstance(button, str) else button
        # Its own name beside its label, so that the tests can tell which buttons were pressed.
        self._act(f"{name} presses [ {element['text']['text']} ] ({element['action_id'].partition(':')[0]})")
        return element

    async def _is_handled(self, delivery: Delivery) -> None:
        """Wait for the end of an event: Bolt acknowledges those before the bot knows of them."""
        said, deliveries = _delivered(delivery.payload), self.team.app.store.deliveries
        async with asyncio.timeout(PATIENT_SECONDS):
            while said and (await deliveries.invocation(said) is None or await deliveries.said(Invocation, said)):
                await self.team.slack.pause(0.01)

    async def _is_busy(self) -> bool:
        """Say whether a task or a look is queued, runs or is due: docket takes off its stream what has ended."""
        docket = self.team.app.docket
        async with self.team.app.store._connection.redis.pipeline(transaction=False) as pipeline:
            pipeline.xlen(docket.stream_key)
            pipeline.zcount(docket.queue_key, "-inf", datetime.now(UTC).timestamp())
            pipeline.hlen("ci:looks:had")
            pipeline.zcount("ci:looks", "-inf", 1000 * datetime.now(UTC).timestamp())
            return any(await pipeline.execute())

    async def _has_put_off_a_look(self) -> bool:
        """Let each look begin that waits for its pace, and the next one as soon as it is asked for."""
        app, found = self.team.app, False
        redis = app.store._connection.redis
        async for key in redis.scan_iter(match="ci:looked:*", count=10_000):
            pipeline_id, left = PipelineId(str(key).removeprefix("ci:looked:")), await redis.pttl(key)
            due = await redis.zscore("ci:looks", pipeline_id)
            await redis.delete(key)
            if due is not None and due <= 1000 * datetime.now(UTC).timestamp() + left:
                await app.engine.wake(pipeline_id)
                found = True
        return found

    def _news(self) -> Iterator[tuple[str, list[str]]]:
        """Yield what is new or reads differently: where it stands, and what is seen."""
        for message in self._messages():
            if self._changed(message.ts, f"{message.edited_ts} {message.deleted}"):
                lines = ["(it is taken away)"] if message.deleted else transcript.message(message)
                edited = ", which now reads" if message.edited_ts else ""
                yield f"{transcript.place(message)}{edited}", lines
        for person_id, stack in self.team.slack.modals.stacks.items():
            for view in stack:
                lines = transcript.window(view)
                if self._changed(view.id, str(lines)):
                    yield f"a window before {self.team.slack.workspace.names[person_id]}", lines

    def _changed(self, name: str, state: str) -> bool:
        before, self._known[name] = self._known.get(name), state
        return before != state

    def _messages(self) -> list[Message]:
        """Return what the bot said, thread by thread, then what one person alone was told, by Slack itself as well."""
        workspace = self.team.slack.workspace
        said = [message for channel in workspace.channels.values() for message in channel.everything]
        said.sort(key=lambda one: (one.channel.id, one.thread_ts or one.ts, one.ts))
        alone = [one for one in workspace.ephemerals if not is_sign(one)]  # a scene of its own shows signs
        return [one for one in said if one.bot_id] + alone


def _delivered(payload: Json) -> str | None:
    """Return what the bot calls a delivery, if it is an event."""
    event = payload.get("event")
    if not isinstance(event, dict):
        return None
    return f"{event['channel']}:{event['ts']}" if event.get("ts") else payload.get("event_id")
