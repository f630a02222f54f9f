"""One at a time, over all processes: a lock with a lease, renewed while its holder works."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta

from redis.asyncio.lock import Lock as RedisLock
from redis.exceptions import LockError, RedisError

from bot.errors import StoreError
from bot.store.connection import Connection, why

RETRY_SECONDS = 0.05
NO_WAIT = timedelta(0)


@asynccontextmanager
async def held(connection: Connection, key: str, lease: timedelta, *, wait: timedelta = NO_WAIT) -> AsyncIterator[bool]:
    """Yield whether it was had within `wait`; it is held as long as the work takes.

    `lease` after its holder died, somebody else may have it.
    """
    lock = connection.redis.lock(key, timeout=lease.total_seconds())
    if not await _is_had(connection, lock, time.monotonic() + wait.total_seconds()):
        yield False
        return
    over = asyncio.Event()
    renewal = asyncio.create_task(renew(lock, lease / 3, over))
    try:
        yield True
    finally:
        over.set()
        renewal.cancel()
        await _release(lock.release())


async def _is_had(connection: Connection, lock: RedisLock, until: float) -> bool:
    """Try until then; who waits holds no connection meanwhile, which whoever has the lock may need."""
    while not await connection.ask(lock.acquire(blocking=False)):
        if time.monotonic() >= until:
            return False
        await asyncio.sleep(RETRY_SECONDS)
    return True


async def renew(lock: RedisLock, every: timedelta, over: asyncio.Event) -> None:
    """Keep a lock that is being worked under, through hiccups of Redis, until it is lost or the work is over.

    A cancel alone does not end it: redis-py loses one that comes while it connects anew, and nobody would ever look at
    that build again.
    """
    while not over.is_set():
        await asyncio.sleep(every.total_seconds())
        try:
            await lock.reacquire()
        except LockError:
            return  # somebody else may hold it by now; the work does not depend on it
        except (RedisError, OSError):
            continue  # what is left of the lease is time for another try


async def _release(release: Awaitable[None]) -> None:
    try:
        await release
    except LockError:
        return  # it ran out while we worked: what was told stands in the watch, so nobody tells it again
    except (RedisError, OSError) as error:
        raise StoreError(f"Redis: {why(error)}") from error
