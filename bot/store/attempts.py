"""Deploys as they stand, each recorded before CircleCI is asked."""

from typing import cast

from bot.models.attempt import Attempt
from bot.models.circleci import ProjectSlug, Ref
from bot.store.connection import Connection, decoded, or_none

MOST_LATELY = 20  # of one branch, to know which of them still runs


class Attempts:
    """Recorded deploys, by the id of the invocation that asked for them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, attempt_id: str) -> Attempt | None:
        """Return the recorded deploy, if there is one; raises Unreadable for one of another version."""
        data = await self._connection.ask(self._connection.redis.get(self._connection.key("attempt", attempt_id)))
        return None if data is None else decoded(Attempt, data)

    async def save(self, attempt: Attempt) -> Attempt:
        """Record the deploy as it stands; returns it."""
        key, data = self._connection.key("attempt", attempt.id), attempt.model_dump_json()
        of_ref, keep = self._of_ref(attempt.project_slug, attempt.ref), self._connection.retention
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.set(key, data, ex=keep)
        if attempt.over:  # what was refused is no deploy that could still run, and pushes none off the list
            pipeline.zrem(of_ref, attempt.id)
        else:
            pipeline.zadd(of_ref, {attempt.id: attempt.asked_at.timestamp()})
        pipeline.zremrangebyrank(of_ref, 0, -MOST_LATELY - 1)
        pipeline.expire(of_ref, keep)
        await self._connection.ask(pipeline.execute())
        return attempt

    async def lately_of(self, slug: ProjectSlug, ref: Ref) -> list[Attempt]:
        """Return the newest deploys of a branch or tag, newest first; those of another version are left out."""
        newest = await self._connection.ask(
            self._connection.redis.zrevrange(self._of_ref(slug, ref), 0, MOST_LATELY - 1)
        )
        if not newest:
            return []
        found = await self._connection.ask(
            self._connection.redis.mget([self._connection.key("attempt", one) for one in cast("list[str]", newest)])
        )
        return [attempt for attempt in (or_none(Attempt, data) for data in found) if attempt is not None]

    def _of_ref(self, slug: ProjectSlug, ref: Ref) -> str:
        return self._connection.key("deploys", f"{slug}:{ref}")
