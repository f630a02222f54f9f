"""What is due is had by one at a time, and nothing that was asked for is lost, whoever dies or is late."""

import asyncio
from datetime import timedelta

from bot.models.circleci import PipelineId
from bot.store import Store
from bot.store.looks import Over, Taken

ONE, OTHER = PipelineId("one"), PipelineId("other")
LEASE, BUSY, SOON = timedelta(minutes=1), timedelta(minutes=1), timedelta(milliseconds=1)


async def taken(store: Store, *, most: int = 10, lease: timedelta = LEASE) -> list[Taken]:
    return await store.looks.take(most, lease, busy=BUSY)


async def one_taken(store: Store, lease: timedelta = LEASE) -> Taken:
    (found,) = await taken(store, lease=lease)
    return found


async def comes_due(store: Store) -> list[Taken]:
    """Take what is due in a moment: the server's clock goes on meanwhile."""
    async with asyncio.timeout(5):
        while not (found := await taken(store)):
            pass
        return found


async def done(store: Store, look: Taken, pause: timedelta | None = None) -> None:
    await store.looks.done([Over(look.pipeline_id, look.claim, pause)])


async def due(store: Store, pipeline_id: PipelineId = ONE) -> float:
    """Return in how many seconds a pipeline is due."""
    at = await store._connection.redis.zscore("ci:looks", pipeline_id)
    assert at is not None
    return float(at) / 1000 - (await store.now()).timestamp()


async def test_what_is_due_is_had_by_one_at_a_time_the_oldest_first(store: Store) -> None:
    await store.looks.wake(ONE)
    await store.looks.wake(OTHER)
    assert [one.pipeline_id for one in await taken(store, most=1)] == [ONE]
    assert [one.pipeline_id for one in await taken(store)] == [OTHER]
    assert await taken(store) == []


async def test_it_is_looked_at_again_after_the_pause_or_no_more(store: Store) -> None:
    await store.looks.wake(ONE)
    await done(store, await one_taken(store), timedelta(seconds=30))
    assert 29 < await due(store) <= 30
    assert await taken(store) == []
    await store.looks.wake(ONE)
    await done(store, await one_taken(store))
    assert not await store._connection.redis.exists("ci:looks", "ci:looks:had", "ci:looks:woken", f"ci:fence:{ONE}")


async def test_one_that_is_asked_for_sooner_knows_when_it_was_due(store: Store) -> None:
    await store.looks.wake(ONE)
    await done(store, await one_taken(store), timedelta(seconds=30))
    await store.looks.wake(ONE)
    look = await one_taken(store)
    assert timedelta(seconds=29) < (await store.watches.known(ONE)).due <= timedelta(seconds=30)
    await done(store, look)


async def test_who_died_loses_it_after_the_lease(store: Store) -> None:
    await store.looks.wake(ONE)
    dead = await one_taken(store, SOON)
    (heir,) = await comes_due(store)
    await done(store, dead)
    await store.looks.keep([dead], LEASE * 100)
    assert 0 < await due(store) <= 60
    await done(store, heir, timedelta(0))
    assert await comes_due(store)


async def test_a_claim_that_ran_out_counts_as_long_as_nobody_else_has_it(store: Store) -> None:
    await store.looks.wake(ONE)
    late = await one_taken(store, SOON)
    while await store._connection.redis.exists(f"ci:fence:{ONE}"):
        pass
    await store.looks.wake(ONE)
    await store.looks.keep([late], LEASE)
    assert await taken(store) == []
    async with store.watches.try_fence(ONE, LEASE) as alone:
        assert not alone
    await done(store, late, timedelta(hours=1))
    assert await due(store) <= 0, "what was asked for since is not lost"


async def test_what_is_asked_for_during_a_look_is_looked_at_after_it(store: Store) -> None:
    await store.looks.wake(ONE)
    look = await one_taken(store)
    await store.looks.wake(ONE)
    assert await taken(store) == []
    await done(store, look)
    (again,) = await taken(store)
    await done(store, again)
    assert await taken(store) == []


async def test_of_two_times_the_sooner_one_counts(store: Store) -> None:
    await store.looks.wake(ONE)
    look = await one_taken(store)
    await store.looks.wake(ONE, timedelta(seconds=20))  # the first may begin at once
    await store.looks.wake(ONE, timedelta(seconds=20))
    await done(store, look, timedelta(seconds=30))
    assert await due(store) <= 0
    look = await one_taken(store)
    await store.looks.wake(ONE, timedelta(seconds=20))
    await done(store, look, timedelta(seconds=30))
    assert 19 < await due(store) <= 20
    await store.looks.add([ONE])
    assert 19 < await due(store) <= 20


async def test_one_look_that_is_asked_for_begins_in_each_pace(store: Store) -> None:
    pace = timedelta(seconds=5)
    await store.looks.wake(ONE, pace)
    look = await one_taken(store)
    await done(store, look, timedelta(hours=1))
    await store.looks.wake(ONE, pace)
    assert 4 < await due(store) <= 5
    await store.watches.announce(OTHER, "a job has ended")
    await store.watches.begin([OTHER], pace)
    await store.looks.wake(OTHER, pace)
    assert 4 < await due(store, OTHER) <= 5


async def test_what_is_told_right_after_a_look_that_nobody_asked_for_is_looked_at_at_once(store: Store) -> None:
    pace = timedelta(seconds=5)
    await store.watches.begin([ONE], pace)
    await store.looks.wake(ONE, pace)
    assert await one_taken(store)


async def test_the_fence_keeps_looks_from_those_who_tell_and_them_from_looks(store: Store) -> None:
    await store.looks.wake(ONE)
    async with store.watches.try_fence(ONE, LEASE):
        assert await taken(store) == []
    assert 59 < await due(store) <= 60
    await store.looks.wake(ONE)
    look = await one_taken(store)
    async with store.watches.try_fence(ONE, LEASE) as alone:
        assert not alone
    await done(store, look, timedelta(0))
    async with store.watches.try_fence(ONE, LEASE) as alone:
        assert alone


async def test_the_fence_that_somebody_else_has_by_now_stays_theirs(store: Store) -> None:
    await store.looks.wake(ONE)
    late = await one_taken(store, SOON)
    while await store._connection.redis.exists(f"ci:fence:{ONE}"):
        pass
    async with store.watches.try_fence(ONE, LEASE) as alone:
        assert alone
        theirs = await store._connection.redis.get(f"ci:fence:{ONE}")
        await store.looks.keep([late], LEASE)
        await done(store, late, timedelta(0))
        assert await store._connection.redis.get(f"ci:fence:{ONE}") == theirs


async def test_what_is_in_neither_is_added(store: Store) -> None:
    await store.looks.add([])
    await store.looks.add([ONE, OTHER])
    look, _ = await taken(store)
    await store.looks.add([ONE, OTHER])
    assert await taken(store) == []
    await done(store, look, timedelta(0))
    assert len(await taken(store)) == 1
