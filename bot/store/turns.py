"""Turns at the far sides, counted for all processes together."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import NamedTuple, cast

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from bot.models.pace import Pace, allowed
from bot.store.connection import Connection

CIRCLECI = "circleci"
MILLISECOND = timedelta(milliseconds=1)
WINDOW = timedelta(minutes=10)  # in the slowest of rates a turn is counted no longer
KEPT = timedelta(days=1)  # what a far side took yesterday is no measure for today
# A line of numbered turns, of which so many a second may go, and in no `seconds` more than an `amount`. Whoever gets a
# number that may go within `patience` comes back with it: it goes sooner where the rate has grown meanwhile, later
# where it was halved, and what nobody comes back for is lost. While nobody asks, the line goes on to its end, and saves
# up no more than a moment's turns. Those that take a share of the turns get none that may not go at once.
# Returns the wait, the number, and how often the rate had been halved.
_NEXT = """
local mine, rate, patience, share = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local amount, seconds = tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local of = redis.call('HMGET', KEYS[2], 'at', 'line', 'last', 'halvings')
local passed, last = math.max(now - (of[1] or now), 0), tonumber(of[3] or 0)
local before = tonumber(of[2] or amount)
local line = math.max(before + rate * math.min(passed, math.max(seconds, 1)), math.min(last, before + rate * passed))
local next = mine or math.max(last + 1, line - amount + 1)
local function exact(value) return string.format('%.6f', value) end
local function until_free(turns, amount, seconds)
  local nth = tonumber(redis.call('LINDEX', turns, amount - 1) or 0)
  return nth <= now and nth + seconds - now or 0  -- one to come is another clock's
end
local function go(turns, amount)
  redis.call('LPUSH', turns, exact(now))
  redis.call('LTRIM', turns, 0, 2 * amount)
  redis.call('PEXPIRE', turns, ARGV[8])
end

local wait = math.max((next - line) / rate, until_free(KEYS[1], amount, seconds), 0)
local part = math.max(math.floor(share * amount), 1)
if share < 1 then wait, patience = math.max(wait, until_free(KEYS[3], part, part / (share * rate))), 0 end
if wait == 0 then
  go(KEYS[1], amount)
  if share < 1 then go(KEYS[3], part) end
end
local taken = mine or wait <= patience
if taken then last = math.max(last, next) end
redis.call('HSET', KEYS[2], 'at', exact(now), 'speed', rate, 'line', exact(line), 'last', exact(last))
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return {exact(wait), taken and exact(next) or '', tonumber(of[4] or 0)}
"""

# Puts a pace in the place of the one that was seen; 0 where another one has been learned meanwhile.
_LEARN = """
if (redis.call('HGET', KEYS[1], 'halvings') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'rate', ARGV[2], 'since', ARGV[3], 'halvings', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
"""


class Standing(NamedTuple):
    """How a far side stands, now by Redis' clock: its pause, and what is known of its pace."""

    now: float
    paused: timedelta
    pace: Pace | None


class Turn(NamedTuple):
    """When a turn comes, its number in the line, None where it was not taken, and the halvings there had been."""

    wait: timedelta
    number: str | None
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
        self._next = connection.script(_NEXT)
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

    async def line(self, what: str) -> timedelta:
        """Return how long somebody waits who asks for a turn now: until the end of the pause, and of the line."""
        standing = await self.standing(what)
        names = ("at", "line", "last", "speed")
        redis = self._connection.redis
        known = await self._connection.ask(cast("Awaitable[list[str | None]]", redis.hmget(self._pace(what), names)))
        if None in known:
            return standing.paused
        at, line, last, speed = (float(one or 0) for one in known)
        ahead = (last - line) / speed - (0 if standing.paused else standing.now - at)
        return standing.paused + max(timedelta(seconds=ahead), timedelta(0))

    async def used(self, what: str, now: float) -> int:
        """Return how many turns there were in the second before."""
        turns = self._connection.redis.lrange(self._turns(what), 0, -1)
        return sum(now - 1 <= float(turn) for turn in await self._connection.ask(cast("Awaitable[list[str]]", turns)))

    async def next(
        self, what: str, rate: float, *, number: str | None = None, patience: timedelta, share: float = 1
    ) -> Turn:
        """Take the next turn of so many a second, or come back for that of a number; without a wait it may go.

        It is not taken where it comes after more than `patience`, or is one of a `share` and may not go at once.
        """
        amount, seconds = allowed(rate)
        given: list[str | float] = [number or "", rate, patience.total_seconds(), share, amount, seconds]
        ends = [KEPT // MILLISECOND, WINDOW // MILLISECOND]
        keys = [self._turns(what), self._pace(what), self._turns(f"{what}:share")]
        answer = self._next(keys=keys, args=[*given, *ends])
        wait, number, halvings = await self._connection.ask(answer)
        return Turn(timedelta(seconds=float(wait)), number or None, halvings)

    async def learn(self, what: str, seen: Pace | None, pace: Pace) -> bool:
        """Keep a pace in the place of the one that was seen; False where another one has been kept meanwhile."""
        given = ["" if seen is None else seen.halvings, pace.rate, pace.since, pace.halvings, KEPT // MILLISECOND]
        return bool(await self._connection.ask(self._learn(keys=[self._pace(what)], args=given)))

    def _pace(self, what: str) -> str:
        return self._connection.key("pace", what)

    def _turns(self, what: str) -> str:
        return self._connection.key("turns", what)
