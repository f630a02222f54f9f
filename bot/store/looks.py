"""When each pipeline that is followed is looked at next, and who looks at it now: on Redis' clock, many in one step.

Who takes one has it for a lease, which can be lengthened, and its fence with it: nobody else compares and tells
meanwhile, neither another look nor a command, nor an earlier version. Who dies loses both, and the next to come has it.
A claim that ran out holds until somebody else has it. What is asked for during a look is looked at after it.
"""

import secrets
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import NamedTuple

from bot.models.circleci import PipelineId
from bot.store.connection import Connection

LOOKS, HAD, WOKEN = "looks", "looks:had", "looks:woken"
MILLISECOND, NO_PACE = timedelta(milliseconds=1), timedelta(0)

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# Takes what is due, oldest first, and its fence; what somebody else tells about just now comes a little later.
_TAKE = """
local looks, had, woken = unpack(KEYS)
local fence, most, lease, busy, claim = unpack(ARGV)
local taken = {}
local due = redis.call('ZRANGE', looks, '-inf', now, 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
for number = 1, #due, 2 do
  local id, holder = due[number], redis.call('GET', fence .. due[number])
  if not holder or holder == redis.call('HGET', had, id) then
    redis.call('SET', fence .. id, claim, 'PX', lease)
    redis.call('HSET', had, id, claim)
    redis.call('ZADD', looks, now + lease, id)
    taken[#taken + 1] = {id, now - due[number + 1]}
  else
    redis.call('HDEL', had, id)
    redis.call('ZADD', looks, now + busy, id)
  end
  redis.call('HDEL', woken, id)
end
return taken
"""

# Pulls the next look forward, and begins the time in which no other may begin; during a look it notes the wish.
_WAKE = """
local looks, had, woken, looked = unpack(KEYS)
local id, pace, wait = ARGV[1], tonumber(ARGV[2]), 0
if pace > 0 and not redis.call('SET', looked, 1, 'NX', 'PX', pace) then
  wait = math.max(redis.call('PTTL', looked), 0)
end
if redis.call('HEXISTS', had, id) == 1 then
  local before = tonumber(redis.call('HGET', woken, id) or '')
  redis.call('HSET', woken, id, math.min(before or math.huge, now + wait))
else
  redis.call('ZADD', looks, 'LT', now + wait, id)
end
"""

# Ends looks, each with its claim and the pause before the next, or none: then it is looked at no more, unless it was
# asked for meanwhile. A claim that somebody else has by now changes nothing. When the next was due is kept for one that
# is asked for sooner, and need not be.
_DONE = """
local looks, had, woken = unpack(KEYS)
for number = 2, #ARGV, 3 do
  local id, claim, pause = ARGV[number], ARGV[number + 1], ARGV[number + 2]
  if redis.call('HGET', had, id) == claim then
    local fence, next = ARGV[1] .. 'fence:' .. id, tonumber(redis.call('HGET', woken, id) or '')
    if pause ~= '' then next = math.min(next or math.huge, now + pause) end
    if next then redis.call('ZADD', looks, next, id) else redis.call('ZREM', looks, id) end
    if pause ~= '' and pause ~= '0' then redis.call('SET', ARGV[1] .. 'due:' .. id, 1, 'PX', pause) end
    redis.call('HDEL', had, id)
    redis.call('HDEL', woken, id)
    if redis.call('GET', fence) == claim then redis.call('DEL', fence) end
  end
end
"""

# Lengthens claims, and the fences that nobody else has by now.
_KEEP = """
local looks, had = unpack(KEYS)
local fence, lease = ARGV[1], ARGV[2]
for number = 3, #ARGV, 2 do
  local id, claim = ARGV[number], ARGV[number + 1]
  if redis.call('HGET', had, id) == claim then
    redis.call('ZADD', looks, now + lease, id)
    local holder = redis.call('GET', fence .. id)
    if not holder or holder == claim then redis.call('SET', fence .. id, claim, 'PX', lease) end
  end
end
"""


class Taken(NamedTuple):
    """A pipeline to look at, by what `claim`, and how long after its time."""

    pipeline_id: PipelineId
    claim: str
    late: timedelta


class Over(NamedTuple):
    """A look that has ended, and the pause before the next; None where there is none."""

    pipeline_id: PipelineId
    claim: str
    pause: timedelta | None


class Looks:
    """The looks that are due, and who has them; each method is one step for all processes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._keys = [connection.key(kind) for kind in (LOOKS, HAD, WOKEN)]
        self._fence = connection.key("fence", "")
        self._take, self._done = connection.script(_NOW + _TAKE), connection.script(_NOW + _DONE)
        self._wake, self._keep = connection.script(_NOW + _WAKE), connection.script(_NOW + _KEEP)

    async def take(self, most: int, lease: timedelta, *, busy: timedelta) -> list[Taken]:
        """Have what is due, so many at most, for a lease; what somebody else tells about comes after the `busy` time.

        Where the answer is lost nobody has them, and they are due again after the lease.
        """
        claim = f"look:{secrets.token_hex(8)}"
        asked: list[str | int] = [self._fence, most, _milliseconds(lease), _milliseconds(busy), claim]
        found = await self._connection.ask(self._take(keys=self._keys, args=asked))
        return [Taken(PipelineId(one), claim, int(late) * MILLISECOND) for one, late in found]

    async def done(self, looks: Iterable[Over]) -> None:
        """Let others have them; a second time it changes nothing."""
        asked = [part for one in looks for part in (one.pipeline_id, one.claim, _pause(one.pause))]
        await self._connection.ask(self._done(keys=self._keys, args=[self._connection.prefix, *asked]))

    async def keep(self, looks: Iterable[Taken], lease: timedelta) -> None:
        """Have them for another lease from now."""
        asked = [part for one in looks for part in (one.pipeline_id, one.claim)]
        await self._connection.ask(self._keep(keys=self._keys[:2], args=[self._fence, _milliseconds(lease), *asked]))

    async def wake(self, pipeline_id: PipelineId, pace: timedelta = NO_PACE) -> None:
        """Have a pipeline looked at now, or as soon as the `pace` allows; never later than it would have been."""
        keys = [*self._keys, self._connection.key("looked", pipeline_id)]
        pause = _milliseconds(pace) if pace > NO_PACE else 0
        await self._connection.ask(self._wake(keys=keys, args=[pipeline_id, pause]))

    async def add(self, pipeline_ids: Collection[PipelineId]) -> None:
        """Have those looked at that nobody looks at, nor is to; of the others nothing changes."""
        if pipeline_ids:
            now = (await self._connection.now()).timestamp() // MILLISECOND.total_seconds()
            await self._connection.ask(
                self._connection.redis.zadd(self._keys[0], dict.fromkeys(pipeline_ids, now), nx=True)
            )


def _milliseconds(time: timedelta) -> int:
    return max(round(time / MILLISECOND), 1)


def _pause(pause: timedelta | None) -> int | str:
    return "" if pause is None else max(round(pause / MILLISECOND), 0)
