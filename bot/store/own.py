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
    """A build that somebody asked for, or has followed alone."""

    pipeline_id: PipelineId
    is_asked: bool


class Own:
    """Lists that are kept beside the records that they are of, and have no word of their own about those."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, person_id: str) -> list[Owned]:
        """Return the builds of somebody, the one that they asked about last first."""
        found = self._connection.redis.zrevrange(self._key(person_id), 0, -1)
        names = await self._connection.ask(cast("Awaitable[list[str]]", found))
        asked = {name.partition(":")[2] for name in names if name.startswith(ASKED)}
        once = dict.fromkeys(name.partition(":")[2] for name in names)
        return [Owned(PipelineId(one), one in asked) for one in once][:MOST]

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

    def _key(self, person_id: str) -> str:
        return self._connection.key("own", person_id)
