"""How the server stands, and how the bot does."""

from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import cast

from bot.models.checkup import Memory, Pulse
from bot.store.connection import Connection
from bot.store.turns import CIRCLECI, Turns
from bot.store.watches import WATCHING

MOST_LAGS = 100


class Vitals:
    """For the check-up, and for metrics."""

    def __init__(self, connection: Connection, turns: Turns) -> None:
        self._connection = connection
        self._turns = turns

    async def condition(self) -> Memory:
        """Return how the server stands."""
        info = await self._connection.ask(self._connection.redis.info())
        return Memory(
            version=str(info.get("redis_version") or ""),
            append_only=bool(info.get("aof_enabled")),
            when_full=str(info.get("maxmemory_policy") or "noeviction"),
            pulse=await self._pulse(),
        )

    async def note_lag(self, lag: timedelta) -> None:
        """Remember how late a result was, for the check-up."""
        key = self._connection.key("lags")
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.lpush(key, round(lag.total_seconds(), 2))
        pipeline.ltrim(key, 0, MOST_LAGS - 1)
        pipeline.expire(key, self._connection.retention)
        await self._connection.ask(pipeline.execute())

    async def _pulse(self) -> Pulse:
        redis, ask = self._connection.redis, self._connection.ask
        watching = await ask(redis.scard(self._connection.key(WATCHING)))
        lags = await ask(cast("Awaitable[list[str]]", redis.lrange(self._connection.key("lags"), 0, -1)))
        asked = await self._turns.standing(CIRCLECI)
        return Pulse(
            watching=watching,
            paused=await self._paused(),
            pace=asked.pace,
            now=asked.now,
            lags=tuple(map(float, lags)),
        )

    async def _paused(self) -> dict[str, timedelta]:
        begin = self._connection.key("pause", "")
        keys = await self._connection.ask(_all(self._connection.redis.scan_iter(match=f"{begin}*", count=1000)))
        names = [key.removeprefix(begin) for key in keys]
        return {name: await self._turns.paused(name) for name in names}


async def _all(found: AsyncIterator[str]) -> list[str]:
    return [one async for one in found]
