"""Why channels were or were not told of builds, as it was decided: written down then, and never guessed later."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import cast

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import utc_now
from bot.models.slugs import spelled_alike
from bot.models.told import MessageAbout, Missed, Reason
from bot.store.connection import Connection, or_none

KEPT, MESSAGES_KEPT = timedelta(days=14), timedelta(days=90)
MOST, MOST_OF_ALL, MOST_GAPS = 1000, 10_000, 20  # builds of a channel, and of all of them; gaps of a project
ALL = "all"  # what is decided for whoever has subscribed

# Keeps what was decided of a build; what is too old goes, and of too many the oldest.
_NOTE = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[4], 'LIMIT', 0, 100)
local many = redis.call('ZCARD', KEYS[2]) - #gone - tonumber(ARGV[5])
if many > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], #gone, #gone + many - 1)) do gone[#gone + 1] = id end
end
for _, id in ipairs(gone) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
"""


class ReasonsTold:
    """The last decision of each build counts, for each channel."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._note = connection.script(_NOTE)

    async def note(self, pipeline_id: PipelineId, reason: Reason, *, channel_id: str = ALL) -> None:
        """Keep why a channel is told of a build, or is not; without one, what is so for all."""
        keys = [self._key(channel_id), self._by_age(channel_id)]
        now, keep = reason.at.timestamp(), int(KEPT.total_seconds())
        data, most = reason.model_dump_json(exclude_defaults=True), MOST_OF_ALL if channel_id == ALL else MOST
        args: list[str | int] = [pipeline_id, data, str(now), str(now - keep), most, keep]
        await self._connection.ask(self._note(keys=keys, args=args))

    async def get(self, pipeline_id: PipelineId, *, channel_id: str = ALL) -> Reason | None:
        """Return what was decided last; None where that is not known, or not any more."""
        found = cast("Awaitable[str | None]", self._connection.redis.hget(self._key(channel_id), pipeline_id))
        reason = or_none(Reason, await self._connection.ask(found))
        return reason if reason and utc_now() - reason.at < KEPT else None

    async def note_message(self, channel_id: str, ts: str, about: MessageAbout) -> None:
        """Keep of which build a message tells."""
        put = self._connection.redis.set(self._message(channel_id, ts), about.model_dump_json(), ex=MESSAGES_KEPT)
        await self._connection.ask(put)

    async def of_message(self, channel_id: str, ts: str) -> MessageAbout | None:
        """Return of which build a message tells; None where it is none about a build, or an old one."""
        found = self._connection.redis.get(self._message(channel_id, ts))
        return or_none(MessageAbout, await self._connection.ask(found))

    async def missed(self, slug: ProjectSlug, first: int, last: int) -> None:
        """Keep that these builds of a project were not read."""
        key, gap = self._gaps(slug), Missed(first=first, last=last, at=utc_now())
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.lpush(key, gap.model_dump_json())
        pipeline.ltrim(key, 0, MOST_GAPS - 1)
        pipeline.expire(key, KEPT)
        await self._connection.ask(pipeline.execute())

    async def gap(self, slug: ProjectSlug, number: int) -> Missed | None:
        """Return among which builds that were not read one is."""
        found = cast("Awaitable[list[str]]", self._connection.redis.lrange(self._gaps(slug), 0, -1))
        gaps = [or_none(Missed, data) for data in await self._connection.ask(found)]
        return next((one for one in gaps if one and one.first <= number <= one.last), None)

    def _key(self, channel_id: str) -> str:
        return self._connection.key("told", channel_id)

    def _by_age(self, channel_id: str) -> str:
        return self._connection.key("told:by-age", channel_id)

    def _message(self, channel_id: str, ts: str) -> str:
        return self._connection.key("told:message", f"{channel_id}:{ts}")

    def _gaps(self, slug: ProjectSlug) -> str:
        return self._connection.key("told:missed", spelled_alike(slug))
