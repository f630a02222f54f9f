"""What is kept from being deployed, and by whom."""

from collections.abc import Awaitable
from typing import cast

from bot.errors import StoreError
from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock, lock_key, locks_the_same
from bot.store.connection import Connection, decoded, or_none

MOST_TRIES = 5

# Removes a value that was seen; 0 where it has changed, or is gone.
_DROP_FIELD = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""


class Locks:
    """Each change is one step, and changes only the lock that was seen; reading raises Unreadable too."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = connection.key("locks")
        self._drop_field = connection.script(_DROP_FIELD)

    async def lock(self, lock: Lock) -> Lock:
        """Lock it, unless it is; returns the lock that holds."""
        for _ in range(MOST_TRIES):
            if held := await self.get(lock.key):
                return held
            put = self._connection.redis.hsetnx(self._name, lock.key, lock.model_dump_json())
            if await self._connection.ask(put):
                return lock
        raise StoreError(f"{lock.key} is locked and unlocked all the time")

    async def get(self, key: str) -> Lock | None:
        """Return the lock of this name."""
        _, data = await self._kept(key)
        return None if data is None else decoded(Lock, data)

    async def on(self, slug: ProjectSlug, ref: Ref | None) -> list[Lock]:
        """Return what keeps others from deploying a branch or tag: a lock on its whole project, and one on it."""
        keys = dict.fromkeys((lock_key(slug, None), lock_key(slug, ref)))
        found = [await self.get(key) for key in keys]
        return [lock for lock in found if lock is not None]

    async def unlock(self, held: Lock) -> bool:
        """Remove a lock; False when it is gone, or has changed hands."""
        field, seen = await self._seen(held)
        if seen is None:
            return False
        return bool(await self._connection.ask(self._drop_field(keys=[self._name], args=[field, seen])))

    async def take(self, held: Lock, mine: Lock) -> bool:
        """Put `mine` in the place of `held`; False when somebody was faster."""
        field, seen = await self._seen(held)
        return seen is not None and await self._connection.swap_field(self._name, field, seen, mine.model_dump_json())

    async def all(self) -> tuple[list[Lock], list[str]]:
        """Return all locks, oldest first, and the names of those that another version wrote and nobody can read."""
        kept = self._connection.redis.hgetall(self._name)
        found = await self._connection.ask(cast("Awaitable[dict[str, str]]", kept))
        locks = {key: or_none(Lock, data) for key, data in found.items()}
        known = sorted((lock for lock in locks.values() if lock is not None), key=lambda lock: lock.since)
        return known, sorted(key for key, lock in locks.items() if lock is None)

    async def _seen(self, held: Lock) -> tuple[str, str | None]:
        """Return `held` as it is kept: an earlier version may have written it otherwise; None where it is gone."""
        field, data = await self._kept(held.key)
        return field, data if data is not None and decoded(Lock, data) == held else None

    async def _kept(self, key: str) -> tuple[str, str | None]:
        """Return under which name a lock is kept, and the lock: earlier versions took a slug as it was spelled."""
        redis = self._connection.redis
        data = await self._connection.ask(cast("Awaitable[str | None]", redis.hget(self._name, key)))
        if data is not None:
            return key, data
        names = await self._connection.ask(cast("Awaitable[list[str]]", redis.hkeys(self._name)))
        field = next((name for name in names if locks_the_same(name, key)), None)
        if field is None:
            return key, None
        return field, await self._connection.ask(cast("Awaitable[str | None]", redis.hget(self._name, field)))
