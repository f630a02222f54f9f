"""Who waits for a turn to look, over all processes: the first of those who are there goes next."""

from datetime import timedelta
from typing import NamedTuple

from bot.store.connection import Connection

MILLISECOND = timedelta(milliseconds=1)
LOST = timedelta(seconds=2)  # whose process died does not hold up the others for longer
FORGOTTEN = timedelta(minutes=1)  # nor is it counted any more

# Takes a place; returns how many are before it, and whether one of those is there.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[2], now, ARGV[1])
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[5]) end
local ahead = redis.call('ZRANK', KEYS[1], ARGV[1])
if ahead == 0 then return {0, 0} end
for _, other in ipairs(redis.call('ZRANGE', KEYS[1], 0, ahead - 1)) do
  local back = tonumber(redis.call('ZSCORE', KEYS[2], other) or 0)
  if back <= now and back > now - ARGV[3] then return {ahead, 1} end
end
return {ahead, 0}
"""

# Keeps the place of one who goes away, and is not waited for meanwhile.
_AWAY = """
local time = redis.call('TIME')
local back = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
redis.call('ZADD', KEYS[1], 'XX', back, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2] + ARGV[3])
return 1
"""


class Stand(NamedTuple):
    """How many are `ahead`, away or not, and whether nobody of them `is_next`: then who asked is."""

    ahead: int
    is_next: bool


class Line:
    """One line; the lower its rank, the earlier somebody goes. Who is away keeps the place, and holds up nobody."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys = [connection.key("line"), connection.key("line:back")]
        self._enter = connection.script(_ENTER)
        self._away = connection.script(_AWAY)

    async def enter(self, name: str, rank: float) -> Stand:
        """Take a place, or keep it, and be there."""
        times = [time // MILLISECOND for time in (LOST, FORGOTTEN, 2 * FORGOTTEN)]
        ahead, is_held_up = await self._connection.ask(self._enter(keys=self._keys, args=[name, rank, *times]))
        return Stand(int(ahead), not is_held_up)

    async def away(self, name: str, how_long: timedelta) -> None:
        """Keep the place while being away."""
        times = [time // MILLISECOND for time in (how_long, 2 * FORGOTTEN)]
        await self._connection.ask(self._away(keys=self._keys[::-1], args=[name, *times]))

    async def leave(self, name: str) -> None:
        """Give the place up."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        for key in self._keys:
            pipeline.zrem(key, name)
        await self._connection.ask(pipeline.execute())
