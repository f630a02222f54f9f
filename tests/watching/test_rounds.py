"""A process looks at what is due, keeps what takes long, and leaves to others what it cannot end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from bot.errors import StoreError
from bot.models.circleci import PipelineId
from bot.store import Store
from bot.store.watches import Known
from bot.watching.rounds import AT_ONCE, Rounds
from tests.store.test_watches import PIPELINE, watch

OTHER = PipelineId("other")
NOW, BLINK, DRAIN_SECONDS = timedelta(0), timedelta(milliseconds=1), 5


class Times(NamedTuple):
    """Waiting times that a test may see go by."""

    lease: timedelta = timedelta(minutes=1)
    pace: timedelta = BLINK
    poll_interval: timedelta = BLINK


class Worker:
    """One process: what it has looked at, how often at once, and what each look comes to."""

    def __init__(self, store: Store, times: Times, comes_to: Callable[[int], timedelta | None]) -> None:
        self.woke = asyncio.Event()
        self.rounds = Rounds(times, store, self._look, self.woke)
        self.looks = Counter[PipelineId]()
        self.known: list[Known] = []
        self.at_once = self.most_at_once = 0
        self.free = asyncio.Event()
        self.free.set()
        self._comes_to = comes_to

    async def _look(self, pipeline_id: PipelineId, known: Known) -> timedelta | None:
        self.looks[pipeline_id] += 1
        self.known.append(known)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.free.wait()
            return self._comes_to(self.looks[pipeline_id])
        finally:
            self.at_once -= 1


@asynccontextmanager
async def working(
    store: Store, comes_to: Callable[[int], timedelta | None] = lambda _: None, times: Times | None = None
) -> AsyncIterator[Worker]:
    worker = Worker(store, times or Times(), comes_to)
    task = asyncio.create_task(worker.rounds.run())
    yield worker
    await worker.rounds.end(DRAIN_SECONDS)
    await task


async def until(seen: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)


@asynccontextmanager
async def full(store: Store) -> AsyncIterator[None]:
    """Let Redis have no room."""
    await store._connection.redis.config_set("maxmemory", "1kb")
    try:
        yield
    finally:
        await store._connection.redis.config_set("maxmemory", "0")


async def left(store: Store) -> list[str]:
    """Return what is kept of looks: all who are woken, due or had."""
    return [str(key) async for key in store._connection.redis.scan_iter("ci:looks*")]


async def test_it_looks_again_as_each_look_says_until_there_is_no_more_to_look_at(store: Store) -> None:
    await store.watches.add(watch())
    async with working(store, lambda number: BLINK if number < 3 else None) as worker:
        await store.looks.wake(PIPELINE)
        worker.woke.set()
        await until(lambda: worker.looks[PIPELINE] == 3)
    assert worker.known[0].watches == [watch(asked_at=worker.known[0].watches[0].asked_at)]
    assert await left(store) == []
    assert not await store._connection.redis.exists(f"ci:fence:{PIPELINE}")


async def test_of_two_processes_one_looks_at_a_time_and_both_do(store: Store) -> None:
    async with working(store, lambda _: BLINK) as one, working(store, lambda _: BLINK) as other:
        await store.looks.wake(PIPELINE)
        async with asyncio.timeout(10):
            while not (one.looks and other.looks):
                assert one.at_once + other.at_once <= 1
                await asyncio.sleep(0)


async def test_what_takes_longer_than_its_lease_stays_its_own(store: Store) -> None:
    async with working(store, times=Times(lease=timedelta(seconds=0.9))) as worker:
        worker.free.clear()
        await store.looks.wake(PIPELINE)
        worker.woke.set()
        await until(lambda: worker.at_once)
        ends = await store._connection.redis.zscore("ci:looks", PIPELINE)
        async with asyncio.timeout(10):
            while await store._connection.redis.zscore("ci:looks", PIPELINE) == ends:
                pass
        async with store.watches.try_fence(PIPELINE, BLINK) as alone:
            assert not alone
        worker.free.set()
    assert worker.looks[PIPELINE] == 1
    assert await left(store) == []


async def test_what_is_cut_off_at_the_end_is_looked_at_by_others_at_once(store: Store) -> None:
    stopping = Worker(store, Times(), lambda _: None)
    stopping.free.clear()
    task = asyncio.create_task(stopping.rounds.run())
    await store.looks.wake(PIPELINE)
    await until(lambda: stopping.at_once)
    await stopping.rounds.end(0.01)
    await task
    async with working(store) as worker:
        await until(lambda: worker.looks[PIPELINE])


async def test_there_are_so_many_at_once_and_the_others_come_then(store: Store) -> None:
    many = [PipelineId(str(number)) for number in range(AT_ONCE + 5)]
    await store.looks.add(many)
    async with working(store) as worker:
        worker.free.clear()
        await until(lambda: worker.at_once == AT_ONCE)
        worker.free.set()
        await until(lambda: worker.looks.keys() == set(many))
    assert worker.most_at_once == AT_ONCE


async def test_a_look_that_breaks_is_tried_again_and_costs_the_others_nothing(store: Store) -> None:
    def breaks(number: int) -> timedelta | None:
        if number == 2:
            raise KeyError(number)
        return None if number > 2 else NOW

    with capture_logs() as said:
        async with working(store, breaks) as worker:
            await store.looks.add([PIPELINE, OTHER])
            await until(lambda: worker.looks == {PIPELINE: 2, OTHER: 2})
    assert [one["event"] for one in said] == ["look_failed"] * 2
    assert set(await store._connection.redis.zrange("ci:looks", 0, -1)) == {PIPELINE, OTHER}


async def test_what_redis_does_not_take_is_given_back_later(store: Store) -> None:
    async with working(store) as worker:
        worker.free.clear()
        await store.looks.wake(PIPELINE)
        await until(lambda: worker.at_once)
        async with full(store):
            worker.free.set()
            await until(lambda: not worker.at_once)
            with pytest.raises(StoreError):
                await store.looks.wake(OTHER)
        worker.woke.set()
        async with asyncio.timeout(10):
            while await left(store):
                pass
    assert worker.looks == {PIPELINE: 1}
