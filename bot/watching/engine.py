"""The names and keys of the background tasks; docket runs them, once each, over all processes.

Arguments are ids and nothing else: docket pickles them, and what cannot be unpickled kills a worker for good. Names are
fixed: a task whose name is unknown is dropped.
"""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from docket import CurrentExecution, Docket, Execution, ExponentialRetry, Perpetual, Retry
from redis.exceptions import RedisError

from bot import metrics
from bot.errors import StoreError
from bot.models.circleci import PipelineId

HANDLE, PRESS, POLL, LOOK_FOR, SWEEP, EXPIRE = "handle", "press", "poll", "look_for", "sweep", "expire"
TRIAGE = "triage"
SWEEP_EVERY = timedelta(seconds=60)
# A command or a press that met a lost Redis; each of its steps looks before it acts.
RETRY = ExponentialRetry(attempts=8, minimum_delay=timedelta(seconds=1), maximum_delay=timedelta(seconds=30))
T = TypeVar("T")


class Tasks(Protocol):
    """What the tasks do; `bot/app.py` fills it in."""

    async def handle(self, invocation_id: str) -> None:
        """Carry out what somebody said."""

    async def press(self, click_id: str) -> None:
        """Carry out what somebody pressed."""

    async def poll(self, pipeline_id: PipelineId) -> timedelta | None:
        """Look at a pipeline; None when it needs no further look."""

    async def look_for(self, attempt_id: str) -> timedelta | None:
        """Look for the pipeline of a trigger whose answer was lost; None when that is settled."""

    async def expire(self, attempt_id: str) -> None:
        """End a deploy that waits for a second person, if it still does."""

    async def triage(self, pipeline_id: PipelineId, fingerprint: str) -> timedelta | None:
        """Complete the final replies of a build with what earlier ones tell; None when that is done."""

    async def sweep(self) -> None:
        """Give each watched pipeline a poll that has lost its own."""


class Engine:
    """Adds tasks; each method raises StoreError when Redis does not take it."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket

    def register(self, tasks: Tasks) -> None:
        """Give the task names their meaning, in the process that adds them and in the one that runs them."""

        async def handle(invocation_id: str, retry: ExponentialRetry = RETRY) -> None:  # noqa: ARG001  # docket's way
            await tasks.handle(invocation_id)

        async def press(click_id: str, retry: ExponentialRetry = RETRY) -> None:  # noqa: ARG001  # docket's way
            await tasks.press(click_id)

        async def poll(
            pipeline_id: str,
            perpetual: Perpetual = Perpetual(),  # noqa: B008  # docket's way
            execution: Execution = CurrentExecution(),  # noqa: B008  # docket's way
        ) -> None:
            metrics.POLL_LATENESS.observe(max(0.0, (datetime.now(UTC) - execution.when).total_seconds()))
            _again(perpetual, await tasks.poll(PipelineId(pipeline_id)))

        async def look_for(attempt_id: str, perpetual: Perpetual = Perpetual()) -> None:  # noqa: B008  # docket's way
            _again(perpetual, await tasks.look_for(attempt_id))

        async def expire(attempt_id: str, retry: ExponentialRetry = RETRY) -> None:  # noqa: ARG001  # docket's way
            await tasks.expire(attempt_id)

        async def triage(
            pipeline_id: str,
            fingerprint: str,
            perpetual: Perpetual = Perpetual(),  # noqa: B008  # docket's way
        ) -> None:
            _again(perpetual, await tasks.triage(PipelineId(pipeline_id), fingerprint))

        async def sweep(
            perpetual: Perpetual = Perpetual(every=SWEEP_EVERY, automatic=True),  # noqa: ARG001, B008  # docket's way
        ) -> None:
            await tasks.sweep()

        self._docket.register(handle, names=[HANDLE])
        self._docket.register(press, names=[PRESS])
        self._docket.register(poll, names=[POLL])
        self._docket.register(look_for, names=[LOOK_FOR])
        self._docket.register(expire, names=[EXPIRE])
        self._docket.register(triage, names=[TRIAGE])
        self._docket.register(sweep, names=[SWEEP])

    async def triage(self, pipeline_id: PipelineId, fingerprint: str) -> None:
        """Queue the comparison with earlier builds; a second time while the first goes on changes nothing."""
        await _ask(self._docket.add(TRIAGE, key=f"{TRIAGE}:{pipeline_id}:{fingerprint}")(pipeline_id, fingerprint))

    async def handle(self, invocation_id: str) -> None:
        """Queue what somebody said; a second time while the first is queued or running changes nothing."""
        await _ask(self._docket.add(HANDLE, key=f"{HANDLE}:{invocation_id}")(invocation_id))

    async def press(self, click_id: str) -> None:
        """Queue what somebody pressed."""
        await _ask(self._docket.add(PRESS, key=f"{PRESS}:{click_id}")(click_id))

    async def wake(self, pipeline_id: PipelineId) -> None:
        """Pull the pipeline's next poll forward to now, or begin polling it."""
        now = datetime.now(UTC)
        await _ask(self._docket.replace(POLL, when=now, key=poll_key(pipeline_id))(pipeline_id))

    async def ensure_poll(self, pipeline_id: PipelineId) -> None:
        """Begin polling the pipeline unless a poll is queued or running."""
        await _ask(self._docket.add(POLL, key=poll_key(pipeline_id))(pipeline_id))

    async def expire(self, attempt_id: str, when: datetime) -> None:
        """End the deploy at that time, if it still waits for a second person."""
        await _ask(self._docket.add(EXPIRE, when=when, key=f"{EXPIRE}:{attempt_id}")(attempt_id))

    async def look_for(self, attempt_id: str, delay: timedelta) -> None:
        """Look for a lost answer after `delay`."""
        when = datetime.now(UTC) + delay
        await _ask(self._docket.add(LOOK_FOR, when=when, key=f"{LOOK_FOR}:{attempt_id}")(attempt_id))


async def put_back(
    *_: object,
    execution: Execution = CurrentExecution(),  # noqa: B008  # docket's way
    retry: Retry = Retry(attempts=1000, delay=timedelta(seconds=5)),  # noqa: ARG001, B008  # docket's way
) -> None:
    """Leave a task of another version to a worker that knows it; docket itself would drop it."""
    raise UnknownTask(execution.function_name)


class UnknownTask(Exception):
    """A task whose name this version does not know."""


def poll_key(pipeline_id: str) -> str:
    """Names the one poll of a pipeline, whatever number of threads follow it."""
    return f"{POLL}:{pipeline_id}"


def _again(perpetual: Perpetual, delay: timedelta | None) -> None:
    if delay is None:
        perpetual.cancel()
    else:
        perpetual.after(delay)


async def _ask(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except (RedisError, OSError) as error:
        raise StoreError(f"Redis: {type(error).__name__}: {error}") from error
