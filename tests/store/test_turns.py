"""A far side that asked for a pause is left alone as long as anybody was asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.models.pace import Pace, allowed
from bot.store import Store
from bot.store.turns import CIRCLECI
from tests.one_redis import redis_url

SHORT, LONG = timedelta(seconds=5), timedelta(seconds=30)


@pytest.mark.parametrize("order", [(SHORT, LONG), (LONG, SHORT)], ids=["longer later", "longer first"])
async def test_the_longer_of_two_pauses_holds(store: Store, order: tuple[timedelta, timedelta]) -> None:
    assert await store.turns.paused("slack") == timedelta(0)
    for how_long in order:
        await store.turns.pause("slack", how_long)
    assert LONG - SHORT < await store.turns.paused("slack") <= LONG


async def test_what_was_learned_is_kept_where_nobody_learned_more_and_has_an_end(store: Store, tmp_path: Path) -> None:
    first, more = Pace(rate=10, since=5), Pace(rate=5, since=6, halvings=1)
    turns = store.turns
    assert [await turns.learn(CIRCLECI, None, pace) for pace in (first, more)] == [True, False]
    assert [await turns.learn(CIRCLECI, first, pace) for pace in (more, more)] == [True, False]
    for share in (None, allowed(1)):
        assert await turns.next(CIRCLECI, allowed(2), share, timedelta(0)) == (timedelta(0), 1)
    standing = await turns.standing(CIRCLECI)
    assert standing.pace == more
    assert await turns.used(CIRCLECI, standing.now) == 2
    async with Redis.from_url(redis_url(tmp_path)) as redis:
        ends = [await redis.ttl(name) for name in await redis.keys("ci:*")]
    assert len(ends) == 3
    assert all(0 < end <= 24 * 3600 for end in ends)


async def test_in_no_second_there_are_more_turns_than_are_allowed(store: Store, tmp_path: Path) -> None:
    patience, ten = timedelta(seconds=8), allowed(10)
    waits = [(await store.turns.next(CIRCLECI, ten, None, patience)).wait for _ in range(20)]
    assert waits[:10] == [timedelta(0)] * 10
    assert all(timedelta(seconds=0.5) < wait <= timedelta(seconds=1) for wait in waits[10:])
    async with Redis.from_url(redis_url(tmp_path)) as redis:
        came = [float(turn) for turn in reversed(await redis.lrange("ci:turns:circleci", 0, -1))]
    assert came == sorted(came)
    assert all(later - earlier > 0.9999 for earlier, later in zip(came[:10], came[10:], strict=True))
    assert (await store.turns.next(CIRCLECI, ten, allowed(8), patience)).wait > timedelta(seconds=1)


async def test_a_clock_that_was_put_back_lets_nobody_wait_for_hours(store: Store, tmp_path: Path) -> None:
    async with Redis.from_url(redis_url(tmp_path)) as redis:
        await redis.lpush("ci:turns:circleci", (datetime.now(UTC) + timedelta(hours=1)).timestamp())
    assert (await store.turns.next(CIRCLECI, allowed(1), None, timedelta(0))).wait == timedelta(0)


async def test_pauses_are_part_of_the_check_up(store: Store) -> None:
    await store.turns.pause("slack:posts:C0", LONG)
    await store.pulse.note_lag(timedelta(seconds=1.5))
    pulse = (await store.pulse.condition()).pulse
    assert list(pulse.paused) == ["slack:posts:C0"]
    assert pulse.lags == (1.5,)
    assert pulse.watching == 0
