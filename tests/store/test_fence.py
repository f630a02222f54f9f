"""One at a time compares and tells; waiting in vain is an error, and a hiccup of Redis is none."""

import asyncio
from datetime import timedelta

import pytest
from redis.exceptions import LockNotOwnedError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bot.errors import StoreError
from bot.models.circleci import PipelineId
from bot.store import Store
from bot.store.connection import CONNECTIONS
from bot.store.fence import renew

PIPELINE = PipelineId("0f6d1c1e")
LEASE, MOMENT = timedelta(minutes=1), timedelta(milliseconds=60)


async def test_one_at_a_time_compares_and_tells(store: Store) -> None:
    async with (
        store.watches.try_fence(PIPELINE, LEASE) as first,
        store.watches.try_fence(PIPELINE, LEASE) as second,
        store.watches.try_fence(PipelineId("another"), LEASE) as elsewhere,
    ):
        assert (first, second, elsewhere) == (True, False, True)
    async with store.watches.try_fence(PIPELINE, LEASE) as again:
        assert again


async def test_who_waits_in_vain_is_told_so_and_does_nothing(store: Store) -> None:
    async with store.watches.try_fence(PIPELINE, LEASE):
        with pytest.raises(StoreError, match=PIPELINE):
            async with store.watches.fence(PIPELINE, LEASE, wait=MOMENT):
                pytest.fail("it is somebody else's")


async def test_who_waits_has_it_when_it_is_free(store: Store) -> None:
    done: list[str] = []

    async def wait() -> None:
        async with store.watches.fence(PIPELINE, LEASE, wait=LEASE):
            done.append("second")

    async with store.watches.try_fence(PIPELINE, LEASE):
        waiting = asyncio.create_task(wait())
        await store.probe()
        done.append("first")
    await waiting
    assert done == ["first", "second"]


async def test_however_many_wait_who_has_it_can_ask_the_store(store: Store) -> None:
    async with store.watches.try_fence(PIPELINE, LEASE):
        waiting = [asyncio.create_task(_waits(store)) for _ in range(2 * CONNECTIONS)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            for _ in range(3):
                await store.probe()
    await asyncio.gather(*waiting)


async def _waits(store: Store) -> None:
    async with store.watches.fence(PIPELINE, LEASE, wait=LEASE):
        return


async def test_work_that_fails_gives_it_back(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.watches.fence(PIPELINE, LEASE, wait=MOMENT):
            raise RuntimeError("the work itself")
    async with store.watches.try_fence(PIPELINE, LEASE) as alone:
        assert alone


async def test_one_that_ran_out_harms_nobody(store: Store) -> None:
    async with store.watches.fence(PIPELINE, LEASE, wait=MOMENT):
        await store._connection.redis.set(f"ci:fence:{PIPELINE}", "somebody else's")
    assert await store._connection.redis.get(f"ci:fence:{PIPELINE}") == "somebody else's"


class Moody:
    """A lock whose renewals end as told, one after the other; `enough` is set at the last."""

    def __init__(self, *ends: Exception | None) -> None:
        self.ends = list(ends)
        self.enough = asyncio.Event()

    async def reacquire(self) -> bool:
        end = self.ends.pop(0)
        if not self.ends:
            self.enough.set()
        if end is not None:
            raise end
        return True


@pytest.mark.parametrize("hiccup", [RedisTimeoutError("a moment"), ConnectionResetError()], ids=["time-out", "socket"])
async def test_one_hiccup_does_not_end_the_renewal(hiccup: Exception) -> None:
    lock = Moody(None, hiccup, None, None)
    renewal = asyncio.create_task(renew(lock, timedelta(0), asyncio.Event()))  # type: ignore[arg-type]  # all that is asked of a lock
    async with asyncio.timeout(5):
        await lock.enough.wait()
    assert not renewal.done()
    renewal.cancel()


async def test_the_renewal_ends_when_somebody_else_holds_it() -> None:
    async with asyncio.timeout(5):
        await renew(Moody(LockNotOwnedError("lost"), None), timedelta(0), asyncio.Event())  # type: ignore[arg-type]  # as above


class Deaf:
    """A lock that loses the cancel of who renews it, as redis-py may while it connects anew."""

    def __init__(self) -> None:
        self.asked, self.lost = asyncio.Event(), False

    async def reacquire(self) -> bool:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.lost = True
        return True


async def test_a_renewal_whose_cancel_is_lost_ends_with_the_work() -> None:
    lock, over = Deaf(), asyncio.Event()
    renewal = asyncio.create_task(renew(lock, timedelta(0), over))  # type: ignore[arg-type]  # as above
    async with asyncio.timeout(5):
        await lock.asked.wait()
        over.set()
        renewal.cancel()
        await renewal
    assert lock.lost
