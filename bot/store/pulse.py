"""How the server stands, and how the bot does."""

from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import cast

from bot.models.checkup import Memory, Pulse
from bot.store.turns import Turns
from bot.store.watches import Watches

MOST_LAGS = 100


class Condition(Turns, Watches):
    """For the check-up, and for metrics."""

    async def condition(self) -> Memory:
        """Return how the server stands."""
        info = await self._ask(self._redis.info())
        return Memory(
            version=str(info.get("redis_version") or ""),
            append_only=bool(info.get("aof_enabled")),
            when_full=str(info.get("maxmemory_policy") or "noeviction"),
            pulse=await self._pulse(),
        )

    async def note_lag(self, lag: timedelta) -> None:
        """Remember how late a result was, for the check-up."""
        key = self._prefix + "lags"
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.lpush(key, round(lag.total_seconds(), 2))
        pipeline.ltrim(key, 0, MOST_LAGS - 1)
        pipeline.expire(key, self._retention)
        await self._ask(pipeline.execute())

    async def _pulse(self) -> Pulse:
        begin = self._key("pause", "")
        names = await self._ask(_all(self._redis.scan_iter(match=f"{begin}*", count=1000)))
        paused = {name.removeprefix(begin): await self.paused(name.removeprefix(begin)) for name in names}
        lags = await self._ask(cast("Awaitable[list[str]]", self._redis.lrange(self._prefix + "lags", 0, -1)))
        return Pulse(watching=len(await self.watching()), paused=paused, lags=tuple(map(float, lags)))


async def _all(found: AsyncIterator[str]) -> list[str]:
    return [one async for one in found]
