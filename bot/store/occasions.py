"""What builds are compared with: how long others took, which tests failed on a commit; and what waits for approval."""

from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import cast

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.occasions import Failure, Failures, Hold
from bot.models.slugs import spelled_alike
from bot.store.connection import Connection, or_none

LAST = 10  # builds that passed
TWO_WEEKS = timedelta(weeks=2)  # between a failure of a test on a commit and its passing there, as CircleCI counts them


class Occasions:
    """Each is of a branch as a channel's rules know it: by all of its builds, or by some."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def took(self, slug: ProjectSlug, branch: str, before: int) -> list[timedelta]:
        """Return how long the last builds took that passed, of those with smaller numbers, the oldest first."""
        found = self._connection.redis.zrangebyscore(self._took(slug, branch), "-inf", f"({before}")
        kept = await self._connection.ask(cast("Awaitable[list[str]]", found))
        return [timedelta(seconds=float(one.partition(":")[2])) for one in kept[-LAST:]]

    async def note_took(self, slug: ProjectSlug, branch: str, number: int, time: timedelta) -> None:
        """Keep how long one took, once."""
        key, redis = self._took(slug, branch), self._connection.redis
        pipeline = redis.pipeline(transaction=True)
        pipeline.zremrangebyscore(key, number, number)
        pipeline.zadd(key, {f"{number}:{time.total_seconds():.0f}": number})
        pipeline.zremrangebyrank(key, 0, -LAST - 2)
        pipeline.expire(key, self._connection.retention)
        await self._connection.ask(pipeline.execute())

    async def failures(self, slug: ProjectSlug, branch: str, revision: str) -> Sequence[Failure]:
        """Return the tests that are known to have failed on a commit."""
        key = self._failed(slug, branch, revision)
        return (or_none(Failures, await self._connection.ask(self._connection.redis.get(key))) or Failures()).tests

    async def note_failures(self, slug: ProjectSlug, branch: str, revision: str, found: Sequence[Failure]) -> None:
        """Keep which do, beside those that are known."""
        known = await self.failures(slug, branch, revision)
        data = Failures(tests=(*known, *(one for one in found if one not in known))).model_dump_json()
        key = self._failed(slug, branch, revision)
        await self._connection.ask(self._connection.redis.set(key, data, ex=TWO_WEEKS))

    async def holds(self, pipeline_id: PipelineId) -> list[Hold]:
        """Return the messages about what waits in a build."""
        found = self._connection.redis.hvals(self._holds(pipeline_id))
        kept = await self._connection.ask(cast("Awaitable[list[str]]", found))
        return [one for one in (or_none(Hold, data) for data in kept) if one]

    async def save_hold(self, pipeline_id: PipelineId, hold: Hold) -> None:
        """Keep what one reads by now."""
        key = self._holds(pipeline_id)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.hset(key, f"{hold.channel_id}:{hold.ts}", hold.model_dump_json())
        pipeline.expire(key, self._connection.retention)
        pipeline.sadd(self._holds_of(hold.channel_id), pipeline_id)
        pipeline.expire(self._holds_of(hold.channel_id), self._connection.retention)
        await self._connection.ask(pipeline.execute())

    async def waiting_in(self, channel_id: str) -> list[tuple[PipelineId, Hold]]:
        """Return the messages of a channel in which something can be approved still, with their builds."""
        key, found = self._holds_of(channel_id), list[tuple[PipelineId, Hold]]()
        ids = cast("Awaitable[set[str]]", self._connection.redis.smembers(key))
        for one in sorted(await self._connection.ask(ids)):
            holds = await self.holds(PipelineId(one))
            mine = [hold for hold in holds if hold.channel_id == channel_id and hold.is_open]
            found += [(PipelineId(one), hold) for hold in mine]
            if not mine:
                await self._connection.ask(self._connection.redis.srem(key, one))
        return found

    def _holds_of(self, channel_id: str) -> str:
        return self._connection.key("news:holds-of", channel_id)

    def _took(self, slug: ProjectSlug, branch: str) -> str:
        return self._connection.key("news:took", f"{spelled_alike(slug)}:{branch}")

    def _failed(self, slug: ProjectSlug, branch: str, revision: str) -> str:
        return self._connection.key("news:failed", f"{spelled_alike(slug)}:{branch}:{revision}")

    def _holds(self, pipeline_id: PipelineId) -> str:
        return self._connection.key("news:holds", pipeline_id)
