"""Which question stands about one thing: the same is not asked twice."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import cast

from bot.store.connection import Connection


class Standing:
    """By what they are about, and whose answer they wait for: that of one person, or of anybody (empty text)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def first(self, about: str, whose: str, pending_id: str, keep: timedelta) -> str:
        """Return the id of the question that stands; it is this one where there was none."""
        key = self._key(about)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.hsetnx(key, whose, pending_id)
        pipeline.hget(key, whose)
        pipeline.pexpire(key, keep)
        _, standing, _ = await self._connection.ask(pipeline.execute())
        return str(standing)

    async def all(self, about: str) -> dict[str, str]:
        """Return the ids of all that stand, or stood lately, by whose they are."""
        found = self._connection.redis.hgetall(self._key(about))
        return await self._connection.ask(cast("Awaitable[dict[str, str]]", found))

    async def replace(self, about: str, whose: str, seen: str, pending_id: str) -> bool:
        """Put a question in the place of the one that was seen; False where somebody was faster."""
        return await self._connection.swap_field(self._key(about), whose, seen, pending_id)

    def _key(self, about: str) -> str:
        return self._connection.key("standing", about)
