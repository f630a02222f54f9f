"""Builds under watch: their threads, their last look, and who looks at them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.lock import Lock as RedisLock
from redis.exceptions import LockError, RedisError

from bot.errors import StoreError, Unreadable
from bot.models.build import Snapshot
from bot.models.circleci import PipelineId
from bot.models.slack import Watch
from bot.store.connection import Connection, decoded, or_none


class Watches(Connection):
    """Watches, snapshots, and the fence around both."""

    async def add_watch(self, watch: Watch) -> None:
        """Let a thread follow a pipeline, from now or again."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hsetnx(self._key("watches", watch.pipeline_id), watch.id, watch.model_dump_json())
        self._remember_thread(pipeline, watch)
        self._keep_watching(pipeline, watch.pipeline_id)
        await self._ask(pipeline.execute())

    async def watch_again(self, pipeline_id: PipelineId) -> None:
        """Follow an ended pipeline again, for its old threads."""
        pipeline = self._redis.pipeline(transaction=True)
        self._keep_watching(pipeline, pipeline_id)
        await self._ask(pipeline.execute())

    async def save_watch(self, watch: Watch) -> Watch:
        """Record what a thread was told; returns the watch."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(self._key("watches", watch.pipeline_id), watch.id, watch.model_dump_json())
        self._remember_thread(pipeline, watch)
        await self._ask(pipeline.execute())
        return watch

    async def remove_watch(self, watch: Watch) -> None:
        """Let a thread follow its pipeline no more."""
        await self._ask(self._redis.hdel(self._key("watches", watch.pipeline_id), watch.id))

    async def followed(self, channel_id: str, thread_ts: str) -> PipelineId | None:
        """Return the pipeline that a thread follows or followed, the newest of several."""
        found = await self._ask(self._redis.get(self._key("thread", f"{channel_id}:{thread_ts}")))
        return None if found is None else PipelineId(str(found))

    async def watches(self, pipeline_id: PipelineId) -> list[Watch]:
        """Return the threads that follow the pipeline, oldest first."""
        key = self._key("watches", pipeline_id)
        return _watches(await self._ask(cast("Awaitable[list[str]]", self._redis.hvals(key))))

    async def watching(self) -> set[PipelineId]:
        """Return the pipelines that must have a poll."""
        found = await self._ask(cast("Awaitable[set[str]]", self._redis.smembers(self._prefix + "watching")))
        return {PipelineId(pipeline_id) for pipeline_id in found}

    async def known(self, pipeline_id: PipelineId) -> tuple[Snapshot, list[Watch]]:
        """Return what a look begins with, in one round trip: the snapshot and the threads, oldest first."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(self._key("snapshot", pipeline_id))
        pipeline.hvals(self._key("watches", pipeline_id))
        snapshot, watches = await self._ask(pipeline.execute())
        return _snapshot(snapshot), _watches(watches)

    async def save_snapshot(self, pipeline_id: PipelineId, snapshot: Snapshot) -> None:
        """Record what is known after this look."""
        await self._ask(self._redis.set(self._key("snapshot", pipeline_id), snapshot.model_dump_json()))

    async def stop_watching(self, pipeline_id: PipelineId) -> None:
        """Poll it no more; its buttons work until the retention is over."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.srem(self._prefix + "watching", pipeline_id)
        pipeline.expire(self._key("watches", pipeline_id), self._retention)
        pipeline.expire(self._key("snapshot", pipeline_id), self._retention)
        await self._ask(pipeline.execute())

    @asynccontextmanager
    async def fence(
        self, pipeline_id: PipelineId, lease: timedelta, *, wait: timedelta | None = None
    ) -> AsyncIterator[bool]:
        """Yield True when nobody else compares and tells for this pipeline.

        It is held as long as the work takes; `lease` after its holder died, somebody else may have it.
        """
        seconds = wait.total_seconds() if wait else 0
        lock = self._redis.lock(self._key("fence", pipeline_id), timeout=lease.total_seconds(), sleep=0.05)
        if not await self._ask(lock.acquire(blocking=seconds > 0, blocking_timeout=seconds or None)):
            yield False
            return
        renewal = asyncio.create_task(_renew(lock, lease / 3))
        try:
            yield True
        finally:
            renewal.cancel()
            await self._release(lock.release())

    async def _release(self, release: Awaitable[None]) -> None:
        try:
            await release
        except LockError:
            return  # it ran out while we worked: what was told stands in the watch, so nobody tells it again
        except RedisError as error:
            raise StoreError(str(error)) from error

    def _remember_thread(self, pipeline: "Redis", watch: Watch) -> None:
        if watch.reply_ts:
            key = self._key("thread", f"{watch.thread.channel_id}:{watch.reply_ts}")
            pipeline.set(key, watch.pipeline_id, ex=self._retention)

    def _keep_watching(self, pipeline: "Redis", pipeline_id: PipelineId) -> None:
        pipeline.sadd(self._prefix + "watching", pipeline_id)
        pipeline.persist(self._key("watches", pipeline_id))
        pipeline.persist(self._key("snapshot", pipeline_id))


def _snapshot(data: str | bytes | None) -> Snapshot:
    return or_none(Snapshot, data) or Snapshot()  # CircleCI knows all of it


def _watches(found: list[str]) -> list[Watch]:
    readable: list[Watch] = []
    for data in found:
        with suppress(Unreadable):
            readable.append(decoded(Watch, data))
    return sorted(readable, key=lambda watch: watch.asked_at)


async def _renew(lock: RedisLock, every: timedelta) -> None:
    """Keep a lock that is being worked under; one that is lost is found out at its release."""
    with suppress(RedisError, OSError):
        while True:
            await asyncio.sleep(every.total_seconds())
            await lock.reacquire()
