"""How many questions of a person are open: asked, and not answered yet."""

from datetime import timedelta

from bot.store.connection import Connection

# One whose worker died, and that nobody else could take over, counts no longer than this.
OPEN_FOR = timedelta(minutes=10)

_OPEN = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


class Questions:
    """Counted for all processes together, by Redis' own clock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open = connection.script(_OPEN)

    async def open(self, person_id: str, delivery_id: str, most: int) -> bool:
        """Count a question; False, and not counted, where `most` of this person's are open."""
        args: list[str | int] = [delivery_id, most, int(OPEN_FOR.total_seconds())]
        return bool(await self._connection.ask(self._open(keys=[self._key(person_id)], args=args)))

    async def close(self, person_id: str, delivery_id: str) -> None:
        """Count it no more: it is answered."""
        await self._connection.ask(self._connection.redis.zrem(self._key(person_id), delivery_id))

    def _key(self, person_id: str) -> str:
        return self._connection.key("questions", person_id)
