"""What is kept from being deployed, by whom and how long; what is over and not told yet; who asked to be told."""

from collections.abc import Awaitable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import cast

from bot.errors import StoreError
from bot.models.lock import Lock, Over, Waiting, locks_the_same
from bot.store.connection import Connection, decoded, moment, or_none
from bot.store.fence import held as fenced

MOST_TRIES = 5
MOST_WAITING = 50  # for one lock

# Moves a lock that was seen to what is over, and has still to be told; 0 where it has changed, or is gone.
_END = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return redis.call('HDEL', KEYS[1], ARGV[1])
"""
# Lets one more wait; 0 for who does already, -1 where too many do.
_WAIT = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


class Locks:
    """Each change is one step, and changes only the lock that was seen; reading raises Unreadable too.

    A lock whose end has come is none, for whoever reads it: nobody has to be there at that moment.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = connection.key("locks")
        self._over = connection.key("locks:over")
        self._end, self._wait = connection.script(_END), connection.script(_WAIT)

    async def lock(self, lock: Lock) -> Lock:
        """Lock it, unless it is; returns the lock that holds."""
        for _ in range(MOST_TRIES):
            if held := await self.settle(lock.key):
                return held
            put = self._connection.redis.hsetnx(self._name, lock.key, lock.model_dump_json())
            if await self._connection.ask(put):
                return lock
        raise StoreError(f"{lock.key} is locked and unlocked all the time")

    async def get(self, key: str) -> Lock | None:
        """Return the lock of this name, unless it has ended."""
        return next(iter(await self.held([key])), None)

    async def held(self, keys: Iterable[str]) -> list[Lock]:
        """Return which locks of these names hold, in their order, as they are in one moment."""
        now, kept = await self._kept_all()
        found = [decoded(Lock, kept[field]) for field in (_field(kept, key) for key in keys) if field]
        return [lock for lock in found if not lock.is_over(now)]

    async def names(self) -> list[str]:
        """Return the names of all locks, as they are kept."""
        return await self._connection.ask(cast("Awaitable[list[str]]", self._connection.redis.hkeys(self._name)))

    async def left(self, lock: Lock) -> timedelta | None:
        """Return how long a lock holds still; None for one that has no end."""
        return max(lock.until - await self._connection.now(), timedelta(0)) if lock.until else None

    async def settle(self, key: str) -> Lock | None:
        """Return the lock of this name; one that has ended makes room for the next, and waits to be told."""
        now, kept = await self._kept_all()
        field = _field(kept, key)
        lock = decoded(Lock, kept[field]) if field else None
        if lock is None or not lock.is_over(now):
            return lock
        await self._ends(field, kept[field], Over(lock=lock))
        return None

    async def unlock(self, held: Lock, by: Over | None = None) -> bool:
        """Let a lock be over, as `by` says; False when it is gone, or has changed hands."""
        field, seen = await self._seen(held)
        if seen is None:
            return False
        over = (by or Over(lock=held)).model_copy(update={"lock": decoded(Lock, seen)})
        return await self._ends(field, seen, over)

    async def _ends(self, field: str, seen: str, over: Over) -> bool:
        keep = int(self._connection.retention.total_seconds())
        args: list[str | int] = [field, seen, over.name, over.model_dump_json(), keep]
        return bool(await self._connection.ask(self._end(keys=[self._name, self._over], args=args)))

    async def over(self, key: str) -> list[Over]:
        """Return which locks of this name are over, and have still to be told; oldest first."""
        found = [one for one in await self._untold() if locks_the_same(one.lock.key, key)]
        return sorted(found, key=lambda one: one.lock.since)

    async def told_in(self, over: Over, channel_id: str) -> Over:
        """Keep that a channel has heard of one, and need not again when the rest of it is told; returns it as it is."""
        over = over.model_copy(update={"told": (*over.told, channel_id)})
        await self._connection.ask(self._connection.redis.hset(self._over, over.name, over.model_dump_json()))
        return over

    async def told(self, over: Over) -> None:
        """Forget one that was told."""
        await self._connection.ask(self._connection.redis.hdel(self._over, over.name))

    async def due(self) -> list[str]:
        """Return the names of the locks that are over, or have ended by themselves, and were not told of."""
        now, kept = await self._kept_all()
        locks = [lock for lock in (or_none(Lock, data) for data in kept.values()) if lock]
        ended = [lock.key for lock in locks if lock.is_over(now)]
        return list(dict.fromkeys([*ended, *(one.lock.key for one in await self._untold())]))

    async def _untold(self) -> list[Over]:
        kept = cast("Awaitable[dict[str, str]]", self._connection.redis.hgetall(self._over))
        found = [or_none(Over, data) for data in (await self._connection.ask(kept)).values()]
        return [one for one in found if one]

    def fence(self, key: str, lease: timedelta) -> AbstractAsyncContextManager[bool]:
        """Let one process at a time tell of a lock's end; yields whether it is ours, without waiting."""
        return fenced(self._connection, self._connection.key("fence:lock", key), lease)

    async def wait(self, key: str, waiting: Waiting) -> bool | None:
        """Keep who is to be told when the lock of this name ends; False for who asked before, None where many have."""
        keep = int(self._connection.retention.total_seconds())
        args: list[str | int] = [waiting.person_id, waiting.model_dump_json(), MOST_WAITING, keep]
        answer = await self._connection.ask(self._wait(keys=[self._waits_for(key)], args=args))
        return None if answer < 0 else bool(answer)

    async def waiting(self, key: str) -> list[Waiting]:
        """Return who is to be told when the lock of this name ends."""
        kept = cast("Awaitable[dict[str, str]]", self._connection.redis.hgetall(self._waits_for(key)))
        found = [or_none(Waiting, data) for data in (await self._connection.ask(kept)).values()]
        return [one for one in found if one]

    async def knows(self, lock: Lock, waiting: Waiting) -> None:
        """Keep that one who waits has been told when a lock is to end by now; who waits no more goes on not to."""
        name, told = self._waits_for(lock.key), waiting.model_copy(update={"ending": lock.ending})
        seen = self._connection.redis.hget(name, waiting.person_id)
        if (data := await self._connection.ask(cast("Awaitable[str | None]", seen))) is not None:
            await self._connection.swap_field(name, waiting.person_id, data, told.model_dump_json())

    async def keep_waiting(self) -> None:
        """Keep who waits for a lock as long as it holds, were that for years: they were promised a word."""
        held, unread = await self.all()
        pipeline = self._connection.redis.pipeline(transaction=False)
        for key in (*(lock.key for lock in held), *unread):
            pipeline.expire(self._waits_for(key), self._connection.retention)
        await self._connection.ask(pipeline.execute())

    async def waits_no_more(self, key: str, person_id: str) -> None:
        """Forget one who was told, or holds it now."""
        gone = self._connection.redis.hdel(self._waits_for(key), person_id)
        await self._connection.ask(gone)

    def _waits_for(self, key: str) -> str:
        return self._connection.key("waits", key)

    async def take(self, held: Lock, mine: Lock) -> bool:
        """Put `mine` in the place of `held`, with all that it says; False when somebody was faster."""
        field, seen = await self._seen(held)
        return seen is not None and await self._connection.swap_field(self._name, field, seen, mine.model_dump_json())

    async def all(self) -> tuple[list[Lock], list[str]]:
        """Return all locks, oldest first, and the names of those that another version wrote and nobody can read."""
        now, kept = await self._kept_all()
        locks = {key: or_none(Lock, data) for key, data in kept.items()}
        known = sorted((lock for lock in locks.values() if lock is not None), key=lambda lock: lock.since)
        holding = [lock for lock in known if not lock.is_over(now)]
        return holding, sorted(key for key, lock in locks.items() if lock is None)

    async def _kept_all(self) -> tuple[datetime, dict[str, str]]:
        """Return all that is kept, and when that was on the server's clock: that of a host may be hours wrong."""
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.time()
        pipeline.hgetall(self._name)
        now, kept = await self._connection.ask(pipeline.execute())
        return moment(now), kept

    async def _seen(self, held: Lock) -> tuple[str, str | None]:
        """Return `held` as it is kept: an earlier version may have written it otherwise; None where it is gone."""
        _, kept = await self._kept_all()
        field = _field(kept, held.key)
        data = kept.get(field)
        return field, data if data is not None and decoded(Lock, data).is_still(held) else None


def _field(kept: Iterable[str], key: str) -> str:
    """Return under which name a lock is kept, if it is: earlier versions took a slug as it was spelled."""
    return key if key in kept else next((name for name in kept if locks_the_same(name, key)), "")
