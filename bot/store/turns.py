"""Turns at the far sides, counted for all processes together."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import NamedTuple, cast

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from bot.models.pace import Allowed, Pace
from bot.store.connection import Connection

CIRCLECI = "circleci"
MILLISECOND = timedelta(milliseconds=1)
KEPT = timedelta(days=1)  # what a far side took yesterday is no measure for today
LONGEST_QUEUE = timedelta(minutes=10)  # a turn that is further ahead is one of another clock's

# Takes the next turn, where it comes within `patience`: none is earlier than the one before it, nor than `seconds`
# after the `amount`-th before it. Those that take a share of the turns take none ahead of its time, and of their share
# alone. Returns the wait, and how often the pace had been halved.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function due(turns, amount, seconds)
  local last = tonumber(redis.call('LINDEX', turns, 0) or now)
  local nth = tonumber(redis.call('LINDEX', turns, amount - 1) or 0)
  if last > now + ARGV[7] / 1000 then last, nth = now, 0 end
  return math.max(now, last, nth + seconds)
end
local function take(turns, amount, at)
  redis.call('LPUSH', turns, string.format('%.6f', at))
  redis.call('LTRIM', turns, 0, 2 * amount)
  redis.call('PEXPIRE', turns, ARGV[7])
end
local of_all = due(KEYS[1], ARGV[2], ARGV[3])
local of_share = ARGV[4] ~= '0' and due(KEYS[2], ARGV[4], ARGV[5]) or now
local wait = math.max(of_all, of_share) - now
if wait <= tonumber(ARGV[1]) then
  take(KEYS[1], ARGV[2], of_all)
  if ARGV[4] ~= '0' then take(KEYS[2], ARGV[4], of_share) end
end
redis.call('PEXPIRE', KEYS[3], ARGV[6])
return {tostring(wait), tonumber(redis.call('HGET', KEYS[3], 'halvings') or 0)}
"""

# Puts a pace in the place of the one that was seen; 0 where another one has been learned meanwhile.
_LEARN = """
if (redis.call('HGET', KEYS[3], 'halvings') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[3], 'rate', ARGV[2], 'since', ARGV[3], 'halvings', ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
redis.call('DEL', KEYS[1], KEYS[2])  -- who waits for one of these turns asks for another
return 1
"""


class Standing(NamedTuple):
    """How a far side stands, now by Redis' clock: its pause, and what is known of its pace."""

    now: float
    paused: timedelta
    pace: Pace | None


class Taken(NamedTuple):
    """A turn: when it comes, and how often the pace had been halved when it was taken."""

    wait: timedelta
    halvings: int


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
        self._take = connection.script(_TAKE)
        self._learn = connection.script(_LEARN)

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

    async def standing(self, what: str) -> Standing:
        """Return how a far side stands."""
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.time()
        pipeline.pttl(self._connection.key("pause", what))
        pipeline.hgetall(self._pace(what))
        (seconds, microseconds), left, known = await self._connection.ask(pipeline.execute())
        now = seconds + microseconds / 1_000_000
        pace = Pace.model_validate(known) if "rate" in known else None
        return Standing(now, max(left, 0) * MILLISECOND, pace)

    async def used(self, what: str, now: float) -> int:
        """Return how many turns there were in the second before."""
        whole, _, _ = self._keys(what)
        turns = await self._connection.ask(cast("Awaitable[list[str]]", self._connection.redis.lrange(whole, 0, -1)))
        return sum(now - 1 <= float(turn) <= now for turn in turns)

    async def next(self, what: str, whole: Allowed, share: Allowed | None, patience: timedelta) -> Taken:
        """Take the next turn; its wait is longer than the `patience` where none was taken.

        Those that take a `share` of the turns take none ahead of its time, whatever their patience.
        """
        ahead = 0 if share else patience.total_seconds()
        ends = (KEPT // MILLISECOND, LONGEST_QUEUE // MILLISECOND)
        answer = self._take(keys=self._keys(what), args=[ahead, *whole, *(share or (0, 0)), *ends])
        wait, halvings = await self._connection.ask(answer)
        return Taken(timedelta(seconds=float(wait)), halvings)

    async def learn(self, what: str, seen: Pace | None, pace: Pace) -> bool:
        """Keep a pace in the place of the one that was seen; False where another one has been kept meanwhile."""
        given = ["" if seen is None else seen.halvings, pace.rate, pace.since, pace.halvings, KEPT // MILLISECOND]
        return bool(await self._connection.ask(self._learn(keys=self._keys(what), args=given)))

    def _keys(self, what: str) -> list[str]:
        """Return the keys of the turns, of the turns of the share, and of the pace."""
        return [self._connection.key("turns", what), self._connection.key("turns", f"{what}:share"), self._pace(what)]

    def _pace(self, what: str) -> str:
        return self._connection.key("pace", what)
