"""The line of those who wait for a turn: by rank, over all processes, and nobody who is not there holds it up."""

from datetime import timedelta

from bot.store import Store
from bot.store.line import LOST, Stand

BACK = "ci:line:back"


async def test_the_best_of_those_who_are_there_is_next(store: Store) -> None:
    line = store.line
    assert await line.enter("late", 30) == Stand(0, is_next=True)
    assert await line.enter("early", 10) == Stand(0, is_next=True)
    assert await line.enter("late", 30) == Stand(1, is_next=False)
    await line.away("early", timedelta(minutes=1))
    assert await line.enter("late", 30) == Stand(1, is_next=True)
    assert await line.enter("early", 10) == Stand(0, is_next=True)
    await line.leave("early")
    assert await line.enter("late", 30) == Stand(0, is_next=True)


async def test_who_died_in_line_holds_up_nobody_for_long(store: Store) -> None:
    redis, line = store._connection.redis, store.line
    await line.enter("dead", 10)
    seen = float(await redis.zscore(BACK, "dead") or 0)
    await redis.zadd(BACK, {"dead": seen - LOST / timedelta(milliseconds=1)})
    assert await line.enter("alive", 20) == Stand(1, is_next=True)
    await redis.zadd(BACK, {"dead": seen - 60_000})
    assert await line.enter("alive", 20) == Stand(0, is_next=True)
    assert [await redis.pttl(key) > 0 for key in ("ci:line", BACK)] == [True, True]
