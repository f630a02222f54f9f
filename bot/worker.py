"""The queue, and what does the work that is queued, until the process ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

from docket import Docket, Worker
from redis.asyncio import Redis

from bot.store.connection import follow_primary
from bot.watching.engine import put_back
from bot.watching.rounds import Rounds

DRAIN_SECONDS = 5
AGAIN_SECONDS = 1
# Twenty people whose looks are slow take sixty (`READS_AT_ONCE` each), and deploys that wait for their turn a hundred
# (`MOST_PATIENT`): the others are for what else acts. Looks have places of their own (`bot/watching/rounds.py`).
AT_ONCE = 250


@asynccontextmanager
async def queue(url: str) -> AsyncIterator[Docket]:
    """Yield the queue at this address."""
    nowhere = _Nowhere()
    async with Docket(name="ci-chatops", url=url, result_storage=nowhere) as docket:  # type: ignore[arg-type]  # all it calls
        async with docket.redis() as client:
            follow_primary(cast("Redis", client))
        yield docket


class _Nowhere:
    """Where docket keeps what a task raised. Nobody asks for it, and docket's own would not follow the primary."""

    async def put(self, *_: object, **__: object) -> None:
        """Keep nothing."""


@asynccontextmanager
async def at_work(
    docket: Docket, rounds: Rounds, lease: timedelta, drain_seconds: float = DRAIN_SECONDS
) -> AsyncIterator[Callable[[], bool]]:
    """Yield what says whether the work has stopped, the queue's or the looks'.

    At the end what runs may end, for a while, and what is cut off is done by others.
    """
    async with Worker(
        docket,
        concurrency=AT_ONCE,
        redelivery_timeout=lease,
        reconnection_delay=timedelta(seconds=1),
        minimum_check_interval=timedelta(milliseconds=100),
        scheduling_resolution=timedelta(milliseconds=100),
        fallback_task=put_back,
    ) as worker:
        task = asyncio.create_task(worker.run_forever(), name="worker")
        looks = asyncio.create_task(rounds.run(), name="rounds")
        try:
            yield lambda: task.done() or looks.done()
        finally:
            await asyncio.gather(_end(task, drain_seconds), _end_looks(looks, rounds, drain_seconds))


async def _end_looks(looks: "asyncio.Task[None]", rounds: Rounds, drain_seconds: float) -> None:
    await rounds.end(drain_seconds)
    await asyncio.wait({looks}, timeout=AGAIN_SECONDS)
    await _end(looks, AGAIN_SECONDS)


async def _end(task: "asyncio.Task[None]", drain_seconds: float) -> None:
    """Cancel until it has ended: the first time it lets what runs end, and whatever it awaits may lose a cancel."""
    pause = drain_seconds
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=pause)
        pause = AGAIN_SECONDS
    await asyncio.gather(task, return_exceptions=True)
