"""Turns at the far sides, counted for all processes together."""

from datetime import timedelta

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from bot.store.connection import Connection

MILLISECOND = timedelta(milliseconds=1)


class Turns:
    """Who may ask, and who asked to be left alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        counters = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=connection.key("budget"),
            connection_pool=connection.pool,  # type: ignore[arg-type]  # documented, but not in its type
        )
        self._limiter = SlidingWindowCounterRateLimiter(counters)

    async def take(self, what: str, amount: int, seconds: int) -> bool:
        """Take one of the `amount` turns in any `seconds`; False when they are all taken."""
        return await self._connection.ask(self._limiter.hit(RateLimitItemPerSecond(amount, seconds), what))

    async def pause(self, what: str, how_long: timedelta) -> None:
        """Remember that a far side asked to be left alone, unless it asked for longer before."""
        key, how_long = self._connection.key("pause", what), max(how_long, MILLISECOND)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.set(key, 1, px=how_long, nx=True)
        pipeline.pexpire(key, how_long, gt=True)
        await self._connection.ask(pipeline.execute())

    async def paused(self, what: str) -> timedelta:
        """Return how long a far side is still to be left alone."""
        left = await self._connection.ask(self._connection.redis.pttl(self._connection.key("pause", what)))
        return max(left, 0) * MILLISECOND
