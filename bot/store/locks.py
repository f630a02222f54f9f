"""What is kept from being deployed, and by whom."""

from collections.abc import Awaitable
from typing import cast

from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock, lock_key
from bot.store.claims import Claims
from bot.store.connection import Connection, decoded


class Locks:
    """By the name of what is locked; reading raises Unreadable too."""

    def __init__(self, connection: Connection, claims: Claims) -> None:
        self._connection = connection
        self._claims = claims
        self._name = connection.key("locks")

    async def lock(self, lock: Lock) -> Lock:
        """Lock it, unless it is; returns the lock that holds."""
        await self._connection.ask(self._connection.redis.hsetnx(self._name, lock.key, lock.model_dump_json()))
        return await self.get(lock.key) or lock

    async def get(self, key: str) -> Lock | None:
        """Return the lock of this name."""
        kept = self._connection.redis.hget(self._name, key)
        data = await self._connection.ask(cast("Awaitable[str | None]", kept))
        return None if data is None else decoded(Lock, data)

    async def on(self, slug: ProjectSlug, ref: Ref) -> Lock | None:
        """Return what keeps others from deploying a branch or tag: a lock on it, or on its whole project."""
        return await self.get(lock_key(slug, ref)) or await self.get(lock_key(slug, None))

    async def unlock(self, key: str) -> Lock | None:
        """Remove a lock; returns it, None when there was none."""
        held = await self.get(key)
        gone = await self._connection.ask(self._connection.redis.hdel(self._name, key))
        return held if gone else None

    async def take(self, held: Lock, mine: Lock) -> bool:
        """Put `mine` in the place of `held`; False when somebody was faster."""
        if not await self._claims.first(f"lock-taken:{held.key}:{held.holder_id}:{held.since.isoformat()}"):
            return False
        await self._connection.ask(self._connection.redis.hset(self._name, held.key, mine.model_dump_json()))
        return True

    async def all(self) -> list[Lock]:
        """Return all locks, oldest first."""
        found = await self._connection.ask(cast("Awaitable[list[str]]", self._connection.redis.hvals(self._name)))
        return sorted((decoded(Lock, data) for data in found), key=lambda lock: lock.since)
