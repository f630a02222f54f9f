"""Who was first: claims, attempts and locks."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import cast

from bot.models.attempt import Attempt
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.lock import Lock, lock_key
from bot.store.connection import Connection, decoded


class Claims(Connection):
    """What only one may do, or hold."""

    async def claim(self, what: str, holder: str, keep: timedelta | None = None) -> str:
        """Return who holds `what`: `holder` itself when it was first, or already held it."""
        key = self._key("claim", what)
        await self._ask(self._redis.set(key, holder, nx=True, ex=keep or self._retention))
        first = await self._ask(self._redis.get(key))
        return holder if first is None else str(first)

    async def first(self, what: str, keep: timedelta | None = None) -> bool:
        """Say whether nobody asked this before, ourselves included; from now on somebody has."""
        key = self._key("claim", what)
        return bool(await self._ask(self._redis.set(key, 1, nx=True, ex=keep or self._retention)))

    async def release(self, what: str) -> None:
        """Let somebody else try."""
        await self._ask(self._redis.delete(self._key("claim", what)))

    async def last_act(self, pipeline_id: PipelineId) -> str | None:
        """Return what last reran the pipeline from Slack, and who: `<delivery id>|<user id>`."""
        act = await self._ask(self._redis.get(self._key("acted", pipeline_id)))
        return None if act is None else str(act)

    async def save_last_act(self, pipeline_id: PipelineId, act: str) -> None:
        """Remember what reran the pipeline."""
        await self._ask(self._redis.set(self._key("acted", pipeline_id), act, ex=self._retention))

    async def lock(self, lock: Lock) -> Lock:
        """Lock it, unless it is; returns the lock that holds."""
        await self._ask(self._redis.hsetnx(self._prefix + "locks", lock.key, lock.model_dump_json()))
        return await self.locked(lock.key) or lock

    async def locked(self, key: str) -> Lock | None:
        """Return the lock of this name."""
        data = await self._ask(cast("Awaitable[str | None]", self._redis.hget(self._prefix + "locks", key)))
        return None if data is None else decoded(Lock, data)

    async def lock_on(self, slug: ProjectSlug, ref: Ref) -> Lock | None:
        """Return what keeps others from deploying a branch or tag: a lock on it, or on its whole project."""
        return await self.locked(lock_key(slug, ref)) or await self.locked(lock_key(slug, None))

    async def unlock(self, key: str) -> Lock | None:
        """Remove a lock; returns it, None when there was none."""
        held = await self.locked(key)
        gone = await self._ask(self._redis.hdel(self._prefix + "locks", key))
        return held if gone else None

    async def take_lock(self, held: Lock, mine: Lock) -> bool:
        """Put `mine` in the place of `held`; False when somebody was faster."""
        if not await self.first(f"lock-taken:{held.key}:{held.holder_id}:{held.since.isoformat()}"):
            return False
        await self._ask(self._redis.hset(self._prefix + "locks", held.key, mine.model_dump_json()))
        return True

    async def locks(self) -> list[Lock]:
        """Return all locks, oldest first."""
        found = await self._ask(cast("Awaitable[list[str]]", self._redis.hvals(self._prefix + "locks")))
        return sorted((decoded(Lock, data) for data in found), key=lambda lock: lock.since)

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """Return the recorded deploy, if there is one."""
        data = await self._ask(self._redis.get(self._key("attempt", attempt_id)))
        return None if data is None else decoded(Attempt, data)

    async def save_attempt(self, attempt: Attempt) -> Attempt:
        """Record the deploy as it stands; returns it."""
        await self._ask(
            self._redis.set(self._key("attempt", attempt.id), attempt.model_dump_json(), ex=self._retention)
        )
        return attempt
