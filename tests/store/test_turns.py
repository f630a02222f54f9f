"""A far side that asked for a pause is left alone as long as anybody was asked; who waits for a turn keeps a place."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.models.pace import Pace
from bot.store import Store
from bot.store.turns import CIRCLECI
from tests.one_redis import redis_url

NO_WAIT = timedelta(0)
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
    for share in (1, 0.5):
        turn = await turns.next(CIRCLECI, 2, patience=NO_WAIT, share=share)
        assert (turn.wait, turn.halvings) == (NO_WAIT, 1)
    standing = await turns.standing(CIRCLECI)
    assert standing.pace == more
    assert await turns.used(CIRCLECI, standing.now) == 2
    async with Redis.from_url(redis_url(tmp_path)) as redis:
        ends = [await redis.ttl(name) for name in await redis.keys("ci:*")]
    assert len(ends) == 3
    assert all(0 < end <= 24 * 3600 for end in ends)


async def test_in_no_second_there_are_more_turns_than_are_allowed(store: Store, tmp_path: Path) -> None:
    went = 0
    async with asyncio.timeout(10):
        while went < 40:
            went += not (await store.turns.next(CIRCLECI, 30, patience=NO_WAIT)).wait
    async with Redis.from_url(redis_url(tmp_path)) as redis:
        came = [float(turn) for turn in reversed(await redis.lrange("ci:turns:circleci", 0, -1))]
    assert came == sorted(came)
    assert all(later - earlier > 0.9999 for earlier, later in zip(came[:-30], came[30:], strict=True))


async def test_a_number_keeps_its_place_and_goes_sooner_or_later_with_the_rate(store: Store) -> None:
    turns, patience = store.turns, timedelta(seconds=60)
    assert (await turns.next(CIRCLECI, 1, patience=NO_WAIT)).wait == NO_WAIT
    line = [await turns.next(CIRCLECI, 1, patience=patience) for _ in range(50)]
    assert timedelta(seconds=45) < line[-1].wait <= timedelta(seconds=50)
    assert timedelta(seconds=45) < await turns.line(CIRCLECI) <= timedelta(seconds=50)
    impatient = await turns.next(CIRCLECI, 1, patience=timedelta(seconds=30))
    assert (impatient.number, impatient.wait > timedelta(seconds=45)) == (None, True)
    faster, slower = [await turns.next(CIRCLECI, rate, number=line[20].number, patience=patience) for rate in (10, 0.5)]
    assert timedelta(seconds=1) < faster.wait < timedelta(seconds=2.2)
    assert timedelta(seconds=30) < slower.wait < timedelta(seconds=42)
    assert faster.number == slower.number == line[20].number
    await turns.pause(CIRCLECI, timedelta(seconds=30))
    assert timedelta(seconds=75) < await turns.line(CIRCLECI) <= timedelta(seconds=130)


async def test_what_nobody_comes_back_for_is_over_when_its_time_is(store: Store, tmp_path: Path) -> None:
    for _ in range(50):
        await store.turns.next(CIRCLECI, 1, patience=timedelta(seconds=60))
    async with Redis.from_url(redis_url(tmp_path), decode_responses=True) as redis:
        since = float(str(await redis.hget("ci:pace:circleci", "at")))
        await redis.hset("ci:pace:circleci", "at", since - 48)
    said = await store.turns.line(CIRCLECI)
    turn = await store.turns.next(CIRCLECI, 1, patience=timedelta(seconds=60))
    assert timedelta(0) < turn.wait <= said + timedelta(seconds=1) < timedelta(seconds=5)


async def test_a_clock_that_was_put_back_lets_nobody_wait_for_hours(store: Store, tmp_path: Path) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).timestamp()
    async with Redis.from_url(redis_url(tmp_path)) as redis:
        await redis.lpush("ci:turns:circleci", later)
        await redis.hset("ci:pace:circleci", mapping={"at": later, "line": 7, "last": 7})
    assert timedelta(0) < (await store.turns.next(CIRCLECI, 1, patience=NO_WAIT)).wait <= timedelta(seconds=1)
    assert (await store.turns.next(CIRCLECI, 1, patience=NO_WAIT, number="7")).wait == NO_WAIT


async def test_pauses_are_part_of_the_check_up(store: Store) -> None:
    await store.turns.pause("slack:posts:C0", LONG)
    await store.pulse.note_lag(timedelta(seconds=1.5))
    pulse = (await store.pulse.condition()).pulse
    assert list(pulse.paused) == ["slack:posts:C0"]
    assert pulse.lags == (1.5,)
    assert pulse.watching == 0
