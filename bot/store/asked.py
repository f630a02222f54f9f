"""What agents asked for, what each was told last of it, and the verdict on what they follow."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from bot.errors import StoreError
from bot.models.asked import Asked
from bot.models.circleci import PipelineId
from bot.store.connection import Connection, decoded
from bot.store.fence import held

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CARRIED_OUT = timedelta(minutes=5)  # longer than any act takes that somebody still waits for


class AskedByAgents:
    """By the ids of their deliveries; what is claimed of them is among the claims."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, asked_id: str) -> Asked | None:
        """Return what was asked under an id; raises Unreadable for a record of another version."""
        data = await self._connection.ask(self._connection.redis.get(self._key(asked_id)))
        return None if data is None else decoded(Asked, data)

    async def save(self, asked: Asked) -> Asked:
        """Keep it as it stands; returns it."""
        put = self._connection.redis.set(self._key(asked.id), asked.model_dump_json(), ex=self._connection.retention)
        await self._connection.ask(put)
        return asked

    async def forget(self, asked_id: str) -> None:
        """Forget what did nothing."""
        await self._connection.ask(self._connection.redis.delete(self._key(asked_id)))

    def alone(self, asked_id: str, lease: timedelta, *, wait: timedelta) -> AbstractAsyncContextManager[bool]:
        """Yield whether nobody else carries it out, once that is so or the wait is over."""
        return held(self._connection, self._connection.key("fence", f"agent:{asked_id}"), lease, wait=wait)

    @asynccontextmanager
    async def under_way(self, whose: str, asked_id: str) -> AsyncIterator[frozenset[str]]:
        """Yield what else of the same people's is being carried out; what a process died over is not, after a while."""
        key, now = self._connection.key("agent-under-way", whose), time.time()
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.zadd(key, {asked_id: now})
        pipeline.zremrangebyscore(key, 0, now - CARRIED_OUT.total_seconds())
        pipeline.zrange(key, 0, -1)
        pipeline.expire(key, CARRIED_OUT)
        _, _, found, _ = await self._connection.ask(pipeline.execute())
        try:
            yield frozenset(map(str, found)) - {asked_id}
        finally:
            with suppress(StoreError):
                await self._connection.ask(self._connection.redis.zrem(key, asked_id))

    async def told(self, agent: str, about: str) -> str | None:
        """Return the mark of what an agent was told last of something."""
        mark = await self._connection.ask(self._connection.redis.get(self._told(agent, about)))
        return None if mark is None else str(mark)

    async def save_told(self, agent: str, about: str, mark: str) -> None:
        """Remember what it was told."""
        await self._connection.ask(self._connection.redis.set(self._told(agent, about), mark, ex=DAY))

    async def verdict(self, name: str) -> dict[str, Any] | None:
        """Return what was found out about an end, if it is kept."""
        data = await self._connection.ask(self._connection.redis.get(self._connection.key("agent-verdict", name)))
        return None if data is None else dict(json.loads(data))

    async def save_verdict(self, name: str, verdict: dict[str, Any]) -> None:
        """Keep what was found out about an end, for the others who follow it."""
        put = self._connection.redis.set(self._connection.key("agent-verdict", name), json.dumps(verdict), ex=HOUR)
        await self._connection.ask(put)

    def judging(self, pipeline_id: PipelineId, lease: timedelta) -> AbstractAsyncContextManager[bool]:
        """Yield at once whether nobody else finds out about the end of a pipeline."""
        return held(self._connection, self._connection.key("fence", f"verdict:{pipeline_id}"), lease)

    def _key(self, asked_id: str) -> str:
        return self._connection.key("agent-asked", asked_id)

    def _told(self, agent: str, about: str) -> str:
        return self._connection.key("agent-told", f"{agent}:{about}")
