"""Which builds have no message in their channel yet, in the order in which they were asked for."""

from datetime import datetime, timedelta

from bot.store.connection import Connection

HOUR = timedelta(hours=1)


class Awaited:
    """Counted for each channel, for all processes together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def waits(self, channel_id: str, delivery_id: str, since: datetime) -> int:
        """Count what waits for its message; returns how many wait for longer."""
        key = self._connection.key("awaited", channel_id)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.zadd(key, {delivery_id: since.timestamp()}, nx=True)
        pipeline.expire(key, HOUR)
        pipeline.zrank(key, delivery_id)
        *_, rank = await self._connection.ask(pipeline.execute())
        return int(rank or 0)

    async def came(self, channel_id: str, delivery_id: str) -> None:
        """Count it no more."""
        await self._connection.ask(
            self._connection.redis.zrem(self._connection.key("awaited", channel_id), delivery_id)
        )
