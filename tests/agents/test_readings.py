"""One reading for all who wait: never one that began before what somebody was told."""

import asyncio
from itertools import count

import pytest

from bot.agents.readings import Readings


class Slow:
    """Reads whenever it `may`; what it finds is how often it was read, and the clock goes on with each look at it."""

    def __init__(self) -> None:
        self.may, self.read = asyncio.Event(), 0
        self.now = count(1).__next__

    async def __call__(self, _: str) -> int:
        self.read += 1
        found = self.read
        await self.may.wait()
        return found


async def test_a_hundred_who_come_while_one_reads_share_the_next() -> None:
    slow = Slow()
    readings = Readings[str, int](slow, slow.now, fresh=1_000)
    first = asyncio.create_task(readings.since("a build", slow.now()))
    await asyncio.sleep(0)
    others = [asyncio.create_task(readings.since("a build", slow.now())) for _ in range(100)]
    await asyncio.sleep(0)
    first.cancel()
    slow.may.set()
    assert (set(await asyncio.gather(*others)), slow.read) == ({2}, 2)


async def test_who_was_told_something_hears_nothing_older() -> None:
    slow = Slow()
    slow.may.set()
    readings = Readings[str, int](slow, slow.now, fresh=1_000)
    first = await readings.since("a build", slow.now())
    assert await readings.since("a build", 0) == first  # one of just now is good for who waits longer
    assert await readings.since("a build", slow.now()) == first + 1
    assert await readings.since("another", 0) == first + 2


async def test_what_could_not_be_read_is_read_anew() -> None:
    fails = [True]

    async def read(_: str) -> str:
        if fails.pop() if fails else False:
            raise OSError
        return "read"

    clock = count(1).__next__
    readings = Readings[str, str](read, clock, fresh=1_000)
    with pytest.raises(OSError):  # noqa: PT011  # it has no words
        await readings.since("a build", 0)
    assert await readings.since("a build", clock()) == "read"
