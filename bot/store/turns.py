"""Turns at the far sides, counted for all processes together."""

from datetime import timedelta

from limits import RateLimitItemPerSecond

from bot.store.connection import Connection

MILLISECOND = timedelta(milliseconds=1)


class Turns(Connection):
    """Who may ask, and who asked to be left alone."""

    async def take(self, what: str, amount: int, seconds: int) -> bool:
        """Take one of the `amount` turns in any `seconds`; False when they are all taken."""
        return await self._ask(self._limiter.hit(RateLimitItemPerSecond(amount, seconds), what))

    async def pause(self, what: str, how_long: timedelta) -> None:
        """Remember that a far side asked to be left alone, unless it asked for longer before."""
        if how_long > await self.paused(what):
            await self._ask(self._redis.set(self._key("pause", what), 1, px=max(how_long, MILLISECOND)))

    async def paused(self, what: str) -> timedelta:
        """Return how long a far side is still to be left alone."""
        left = await self._ask(self._redis.pttl(self._key("pause", what)))
        return max(left, 0) * MILLISECOND
