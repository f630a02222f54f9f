"""Builds that channels may want to hear of, whoever started them, and how far the lists of projects have been read."""

from collections.abc import Awaitable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import cast

from bot.models.circleci import Pipeline, PipelineId, ProjectSlug
from bot.models.news import News, ReadUpTo
from bot.models.slugs import spelled_alike
from bot.store.connection import Connection, or_none
from bot.store.fence import held

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_BRANCHES = 1000  # of a project, of which the newest judged build is known

# Keeps a build that is not known, and adds it to those that are looked at; one that is known only where it is asked to.
_BEGIN = """
local is_new = redis.call('SET', KEYS[1], ARGV[2], 'NX', 'EX', ARGV[3])
if not is_new and ARGV[4] == '0' then return 0 end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return is_new and 1 or 0
"""


class Newsroom:
    """All of it can be had again from the far side."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open = connection.key("news")
        self._begin = connection.script(_BEGIN)

    async def begin(self, pipeline_id: PipelineId, news: News, *, again: bool = False) -> bool:
        """Look at a build until its end is known; False where it is known, and begun anew only `again`."""
        keep = int(self._connection.retention.total_seconds())
        args: list[str | int] = [pipeline_id, news.model_dump_json(exclude_defaults=True), keep, int(again)]
        return bool(await self._connection.ask(self._begin(keys=[self._key(pipeline_id), self._open], args=args)))

    async def get(self, pipeline_id: PipelineId) -> News:
        """Return what is kept of a build."""
        data = await self._connection.ask(self._connection.redis.get(self._key(pipeline_id)))
        return or_none(News, data) or News()

    async def pipelines(self, pipeline_ids: Sequence[PipelineId]) -> list[Pipeline | None]:
        """Return these builds as they were last read, where that is kept."""
        keys = [self._key(one) for one in pipeline_ids]
        found = await self._connection.ask(self._connection.redis.mget(keys)) if keys else []
        kept = [or_none(News, data) for data in found]
        return [one.pipeline if one else None for one in kept]

    async def save(self, pipeline_id: PipelineId, news: News) -> None:
        """Keep what is known after a look."""
        data = news.model_dump_json(exclude_defaults=True)
        put = self._connection.redis.set(self._key(pipeline_id), data, ex=self._connection.retention)
        await self._connection.ask(put)

    async def end(self, pipeline_id: PipelineId) -> None:
        """Look at a build no more, until somebody begins again."""
        await self._connection.ask(self._connection.redis.srem(self._open, pipeline_id))

    async def forget(self, pipeline_id: PipelineId) -> None:
        """Keep nothing of a build that nobody wants to hear of."""
        await self._connection.ask(self._connection.redis.delete(self._key(pipeline_id)))

    async def open(self) -> set[PipelineId]:
        """Return the builds whose end is not known yet."""
        found = await self._connection.ask(cast("Awaitable[set[str]]", self._connection.redis.smembers(self._open)))
        return {PipelineId(one) for one in found}

    async def is_open(self, pipeline_id: PipelineId) -> bool:
        """Say whether a build is looked at for its end."""
        return bool(await self._connection.ask(self._connection.redis.sismember(self._open, pipeline_id)))

    async def knock(self, pipeline_id: PipelineId) -> None:
        """Note that there is news of a build, for a look that may be under way."""
        key = self._knocks(pipeline_id)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.incr(key)
        pipeline.expire(key, HOUR)
        await self._connection.ask(pipeline.execute())

    async def knocks(self, pipeline_id: PipelineId) -> int:
        """Return how often there was news of a build lately."""
        return int(await self._connection.ask(self._connection.redis.get(self._knocks(pipeline_id))) or 0)

    async def found(self, slug: ProjectSlug, branch: str, number: int) -> None:
        """Note a build that stands in a list, until it was looked at."""
        key = self._found(slug, branch)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.zadd(key, {str(number): number})
        pipeline.expire(key, HOUR)
        await self._connection.ask(pipeline.execute())

    async def is_found_after(self, slug: ProjectSlug, branch: str, number: int) -> bool:
        """Say whether an older build of a branch was found, and not looked at so far."""
        older = self._connection.redis.zcount(self._found(slug, branch), "-inf", f"({number}")
        return await self._connection.ask(older) > 0

    async def had_its_turn(self, slug: ProjectSlug, branch: str, number: int) -> None:
        """Note that a build was looked at."""
        await self._connection.ask(self._connection.redis.zrem(self._found(slug, branch), str(number)))

    async def note_mail(self, pipeline_id: PipelineId, mail: str) -> None:
        """Note whose commit a build is of, by the address that a webhook has."""
        await self._connection.ask(self._connection.redis.set(self._mail(pipeline_id), mail, ex=DAY))

    async def mail(self, pipeline_id: PipelineId) -> str:
        """Return that address, or empty text."""
        return str(await self._connection.ask(self._connection.redis.get(self._mail(pipeline_id))) or "")

    async def note_judged(self, slug: ProjectSlug, branch: str, number: int) -> None:
        """Note that channels were told of a build of a branch."""
        key = self._judged(slug)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.zadd(key, {branch: number}, gt=True)
        pipeline.zremrangebyrank(key, 0, -MOST_BRANCHES - 1)
        pipeline.expire(key, self._connection.retention)
        await self._connection.ask(pipeline.execute())

    async def newest_judged(self, slug: ProjectSlug, branch: str) -> int:
        """Return the number of the newest build of a branch of which channels were told; 0 for none."""
        return int(await self._connection.ask(self._connection.redis.zscore(self._judged(slug), branch)) or 0)

    async def read_up_to(self, slug: ProjectSlug) -> ReadUpTo:
        """Return how far a project's list has been read."""
        data = await self._connection.ask(self._connection.redis.get(self._list(slug)))
        return or_none(ReadUpTo, data) or ReadUpTo()

    async def save_read(self, slug: ProjectSlug, read: ReadUpTo) -> None:
        """Keep how far it has been read."""
        put = self._connection.redis.set(self._list(slug), read.model_dump_json(), ex=self._connection.retention)
        await self._connection.ask(put)

    def alone(self, pipeline_id: PipelineId, lease: timedelta) -> AbstractAsyncContextManager[bool]:
        """Yield at once whether nobody else looks at a build for its news."""
        return held(self._connection, self._connection.key("fence", f"news:{pipeline_id}"), lease)

    def _key(self, pipeline_id: PipelineId) -> str:
        return self._connection.key("news", pipeline_id)

    def _knocks(self, pipeline_id: PipelineId) -> str:
        return self._connection.key("news:knocks", pipeline_id)

    def _mail(self, pipeline_id: PipelineId) -> str:
        return self._connection.key("news:mail", pipeline_id)

    def _judged(self, slug: ProjectSlug) -> str:
        return self._connection.key("news:judged", spelled_alike(slug))

    def _found(self, slug: ProjectSlug, branch: str) -> str:
        return self._connection.key("news:found", f"{spelled_alike(slug)}:{branch}")

    def _list(self, slug: ProjectSlug) -> str:
        return self._connection.key("news:list", spelled_alike(slug))
