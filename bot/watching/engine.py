"""The background tasks; docket runs them, once each, over all processes.

Arguments are ids and nothing else: docket pickles them, and what cannot be unpickled kills a worker for good. Names are
fixed: a task whose name is unknown is dropped (`put_back`). What a name means is bound in `bot/tasks.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from docket import ConcurrencyLimit, CurrentExecution, Docket, Execution, ExponentialRetry, Perpetual, Retry
from redis.exceptions import RedisError

from bot.errors import StoreError
from bot.models.circleci import PipelineId
from bot.store.looks import Looks

# An earlier version looked at builds in tasks called `poll`.
HANDLE, PRESS, POLL, LOOK_FOR, SWEEP, EXPIRE = "handle", "press", "poll", "look_for", "sweep", "expire"
TRIAGE, RERUN_ONCE, SIGN, END_LOCK = "triage", "rerun_once", "sign", "end_lock"
LOOK_AFTER, END_SNOOZE = "look_after", "end_snooze"
NEWS, LISTS = "news", "lists"
SAY, END_MESSAGES = "say", "end_messages"
# What only looks, typed and pressed: of one person so many at a time, over all processes. The others wait in Redis and
# hold no place of a worker, so that nobody's looks are in the way of what others do.
READ, SHOW, READS_AT_ONCE = "read", "show", 3
# A command or a press that met a lost Redis; each of its steps looks before it acts.
RETRY = ExponentialRetry(attempts=8, minimum_delay=timedelta(seconds=1), maximum_delay=timedelta(seconds=30))
T = TypeVar("T")
Task = Callable[..., Awaitable[None]]


def once(run: Callable[..., Awaitable[None]]) -> Task:
    """Return the task that runs once, and again only where it met a lost Redis."""

    async def task(*ids: str, retry: ExponentialRetry = RETRY) -> None:  # noqa: ARG001  # docket's way
        await run(*ids)

    return task


def in_turn(run: Callable[[str, str], Awaitable[None]]) -> Task:
    """Return the task that runs once, when it is its person's turn; who waits longest is next."""

    async def task(
        person_id: str,
        delivery_id: str,
        turn: ConcurrencyLimit = ConcurrencyLimit("person_id", READS_AT_ONCE, scope="reads"),  # noqa: ARG001, B008  # docket's way
        retry: ExponentialRetry = RETRY,  # noqa: ARG001  # docket's way
    ) -> None:
        await run(person_id, delivery_id)

    return task


def again(run: Callable[..., Awaitable[timedelta | None]]) -> Task:
    """Return the task that runs again after the pause it returns, until it returns None."""

    async def task(
        *ids: str,
        perpetual: Perpetual = Perpetual(),  # noqa: B008  # docket's way
    ) -> None:
        delay = await run(*ids)
        if delay is None:
            perpetual.cancel()
        else:
            perpetual.after(delay)

    return task


def every(pause: timedelta, run: Callable[[], Awaitable[None]]) -> Task:
    """Return the task that begins by itself, and runs for ever."""

    async def task(perpetual: Perpetual = Perpetual(every=pause, automatic=True)) -> None:  # noqa: ARG001, B008  # docket's way
        await run()

    return task


class Engine:
    """Adds tasks, and asks for looks; each method raises StoreError when Redis does not take it.

    Looks that are asked for within a `pace` are one, at its end. `woke` is set for whoever looks in this process.
    """

    def __init__(self, docket: Docket, looks: Looks, pace: timedelta) -> None:
        self._docket = docket
        self._looks = looks
        self._pace = pace
        self.woke = asyncio.Event()

    def register(self, tasks: Mapping[str, Task]) -> None:
        """Give the task names their meaning, in the process that adds them and in the one that runs them."""
        for name, task in tasks.items():
            task.__name__ = name  # by which docket adds those that begin by themselves
            self._docket.register(task, names=[name])

    async def add(self, name: str, *ids: str, when: datetime | None = None) -> None:
        """Queue a task, now or for a time; a second time while the first is queued or running changes nothing."""
        await _ask(self._docket.add(name, when=when, key=":".join((name, *ids)))(*ids))

    async def put(self, name: str, *ids: str, when: datetime) -> None:
        """Queue a task for this time, whenever it was queued for before."""
        await _ask(self._docket.replace(name, when=when, key=":".join((name, *ids)))(*ids))

    async def wake(self, pipeline_id: PipelineId) -> None:
        """Pull the pipeline's next look forward, or begin looking at it: now, or soon when the last was just now."""
        await self._looks.wake(pipeline_id, self._pace)
        self.woke.set()


async def put_back(
    *_: object,
    execution: Execution = CurrentExecution(),  # noqa: B008  # docket's way
    retry: Retry = Retry(attempts=1000, delay=timedelta(seconds=5)),  # noqa: ARG001, B008  # docket's way
) -> None:
    """Leave a task of another version to a worker that knows it; docket itself would drop it."""
    raise UnknownTask(execution.function_name)


class UnknownTask(Exception):
    """A task whose name this version does not know."""


async def _ask(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except (RedisError, OSError) as error:
        raise StoreError(f"Redis: {type(error).__name__}: {error}") from error
