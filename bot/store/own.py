"""Whose builds they are: what each person asked for, ran again, or has followed, the newest first."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from redis.asyncio import Redis

from bot.models.circleci import PipelineId
from bot.store.connection import Connection

MOST = 50  # builds of a person; each is known by two entries at the most
ASKED, FOLLOWED = "asked", "followed"


class Owned(NamedTuple):
    """A build that somebody asked for, pushed, or has followed alone, and since when it is theirs."""

    pipeline_id: PipelineId
    is_asked: bool
    is_pushed: bool = False
    since: float = 0.0


class Own:
    """Lists that are kept beside the records that they are of, and have no word of their own about those."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, person_id: str) -> list[Owned]:
        """Return the builds of somebody, the one that they asked about last first."""
        names = await self._with_times(self._key(person_id))
        asked = {name.partition(":")[2] for name, _ in names if name.startswith(ASKED)}
        once = dict[str, float]()
        for name, since in names:
            once.setdefault(name.partition(":")[2], since)
        return [Owned(PipelineId(one), one in asked, since=since) for one, since in once.items()][:MOST]

    async def pushed_by(self, person_id: str) -> list[Owned]:
        """Return the newest builds that somebody pushed, as far as they were heard of."""
        found = await self._with_times(self._pushed(person_id))
        return [Owned(PipelineId(one), is_asked=False, is_pushed=True, since=since) for one, since in found]

    async def note_push(self, person_id: str, pipeline_id: PipelineId, at: datetime) -> None:
        """Note that somebody pushed a build; of too many the newest stay."""
        key = self._pushed(person_id)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.zadd(key, {pipeline_id: at.timestamp()}, nx=True)
        pipeline.zremrangebyrank(key, 0, -MOST - 1)
        pipeline.expire(key, self._connection.retention)
        await self._connection.ask(pipeline.execute())

    async def _with_times(self, key: str) -> list[tuple[str, float]]:
        found = self._connection.redis.zrevrange(key, 0, -1, withscores=True)
        return await self._connection.ask(cast("Awaitable[list[tuple[str, float]]]", found))

    async def askers(self, pipeline_id: PipelineId, people: Sequence[str]) -> list[str]:
        """Return who of these asked for a build, or ran it again."""
        pipeline = self._connection.redis.pipeline(transaction=False)
        for person_id in people:
            pipeline.zscore(self._key(person_id), f"{ASKED}:{pipeline_id}")
        found = await self._connection.ask(pipeline.execute()) if people else []
        return [person_id for person_id, since in zip(people, found, strict=True) if since is not None]

    def note(
        self, pipeline: "Redis", person_id: str, pipeline_id: PipelineId, how: str, at: datetime, *, anew: bool = False
    ) -> None:
        """Note in a transaction that a build is somebody's since then; `anew` where it may be already."""
        if not person_id:
            return
        key = self._key(person_id)
        pipeline.zadd(key, {f"{how}:{pipeline_id}": at.timestamp()}, nx=not anew)
        pipeline.zremrangebyrank(key, 0, -2 * MOST - 1)
        pipeline.expire(key, self._connection.retention)

    def forget(self, pipeline: "Redis", person_id: str, pipeline_id: PipelineId) -> None:
        """Forget in a transaction that somebody has a build followed; what they asked for stays theirs."""
        if person_id:
            pipeline.zrem(self._key(person_id), f"{FOLLOWED}:{pipeline_id}")

    def _pushed(self, person_id: str) -> str:
        return self._connection.key("pushed", person_id)

    def _key(self, person_id: str) -> str:
        return self._connection.key("own", person_id)
