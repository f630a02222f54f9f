"""What people want to be told of their own builds, what they were told, and what waits for their quiet hours to end."""

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import cast

from bot.models.circleci import PipelineId
from bot.models.notices import Held, Notice, ToldOf
from bot.store.connection import Connection, or_none
from bot.store.fence import NO_WAIT
from bot.store.fence import held as fenced

MOST_HELD = 100  # builds of a person: of those that were held before it is known how many there were
MOST_COUNTED = 10_000

# Keeps one behind those that are held, unless it is among them; of too many the first is forgotten but for its id.
_HOLD = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local many = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if many > 0 then redis.call('HDEL', KEYS[1], redis.call('ZRANGE', KEYS[2], many - 1, many - 1)[1]) end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -tonumber(ARGV[7]) - 1)
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('SADD', KEYS[3], ARGV[6])
redis.call('EXPIRE', KEYS[3], ARGV[5])
return many
"""


class Notices:
    """What people want stays until they want something else. What another version alone can read is left out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._all = connection.key("notices")
        self._holding = connection.key("notices:held")
        self._hold = connection.script(_HOLD)

    async def any(self) -> bool:
        """Say whether anybody wants to be told anything."""
        return bool(await self._connection.ask(self._connection.redis.hlen(self._all)))

    async def get(self, person_id: str) -> Notice | None:
        """Return what somebody wants to be told."""
        found = self._connection.redis.hget(self._all, person_id)
        return or_none(Notice, await self._connection.ask(cast("Awaitable[str | None]", found)))

    async def people(self) -> list[str]:
        """Return the ids of all who want to be told anything."""
        return await self._connection.ask(cast("Awaitable[list[str]]", self._connection.redis.hkeys(self._all)))

    async def all(self) -> list[Notice]:
        """Return what everybody wants to be told."""
        kept = cast("Awaitable[list[str]]", self._connection.redis.hvals(self._all))
        found = [or_none(Notice, data) for data in await self._connection.ask(kept)]
        return [one for one in found if one is not None]

    async def put(self, one: Notice) -> None:
        """Keep what somebody wants, in the place of what they wanted before."""
        await self._connection.ask(self._connection.redis.hset(self._all, one.person_id, one.model_dump_json()))

    async def remove(self, person_id: str) -> bool:
        """Tell somebody nothing any more, nor what waits for their quiet hours to end; False where it was so."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.hdel(self._all, person_id)
        pipeline.delete(self._held(person_id), self._order(person_id))
        pipeline.srem(self._holding, person_id)
        gone, *_ = await self._connection.ask(pipeline.execute())
        return bool(gone)

    async def told(self, person_id: str, pipeline_id: str) -> ToldOf:
        """Return what somebody was told of a build."""
        found = await self._connection.ask(self._connection.redis.get(self._told(person_id, pipeline_id)))
        return or_none(ToldOf, found) or ToldOf()

    async def save_told(self, person_id: str, pipeline_id: str, told: ToldOf) -> None:
        """Keep it."""
        key, keep = self._told(person_id, pipeline_id), self._connection.retention
        await self._connection.ask(self._connection.redis.set(key, told.model_dump_json(), ex=keep))

    async def hold(self, person_id: str, one: Held) -> None:
        """Keep an end until their quiet hours are over, in the place of what is held of the same build."""
        keys = [self._held(person_id), self._order(person_id), self._holding]
        keep = int(self._connection.retention.total_seconds())
        at = (await self._connection.now()).timestamp()
        args: list[str | float] = [one.pipeline_id, one.model_dump_json(), at, MOST_HELD, keep, person_id, MOST_COUNTED]
        await self._connection.ask(self._hold(keys=keys, args=args))

    async def held_ids(self, person_id: str) -> list[PipelineId]:
        """Return the builds that ended for somebody meanwhile, also those of which too many came since."""
        found = self._connection.redis.zrange(self._order(person_id), 0, -1)
        return await self._connection.ask(cast("Awaitable[list[PipelineId]]", found))

    async def held(self, person_id: str) -> list[Held]:
        """Return what is held for somebody, the oldest first."""
        ids = (await self.held_ids(person_id))[-MOST_HELD:]
        if not ids:
            return []
        kept = self._connection.redis.hmget(self._held(person_id), ids)
        found = await self._connection.ask(cast("Awaitable[list[str | None]]", kept))
        return [one for one in (or_none(Held, data) for data in found) if one is not None]

    async def let_go(self, person_id: str, *pipeline_ids: PipelineId) -> None:
        """Hold these no more; where none is named, nothing of that person."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        if pipeline_ids:
            pipeline.hdel(self._held(person_id), *pipeline_ids)
            pipeline.zrem(self._order(person_id), *pipeline_ids)
        else:
            pipeline.delete(self._held(person_id), self._order(person_id))
            pipeline.srem(self._holding, person_id)
        await self._connection.ask(pipeline.execute())

    async def holding(self) -> set[str]:
        """Return the people for whom something is held, or was."""
        found = cast("Awaitable[set[str]]", self._connection.redis.smembers(self._holding))
        return await self._connection.ask(found)

    def alone(
        self, person_id: str, lease: timedelta, *, wait: timedelta = NO_WAIT
    ) -> AbstractAsyncContextManager[bool]:
        """Let one at a time tell somebody of their builds; says whether it was had within `wait`."""
        return fenced(self._connection, self._connection.key("fence", f"notices:{person_id}"), lease, wait=wait)

    def _told(self, person_id: str, pipeline_id: str) -> str:
        return self._connection.key("notices:told", f"{person_id}:{pipeline_id}")

    def _held(self, person_id: str) -> str:
        return self._connection.key("notices:held", person_id)

    def _order(self, person_id: str) -> str:
        return self._connection.key("notices:order", person_id)
