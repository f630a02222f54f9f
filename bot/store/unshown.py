"""Red branches whose message in a channel does not say yet how they stand, as Slack took no edit of it.

And those that have been forgotten, as too many are red, whose message is to say so.
"""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import cast

from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from bot.store.connection import Connection, or_none

KEPT = timedelta(days=1)  # what is older has another build by then, or is hardly looked at
Place = tuple[str, ProjectSlug, str]


class Unshown:
    """The oldest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._key = connection.key("red:unshown")
        self._forgotten = connection.key("red:forgotten")

    async def add(self, state: Branch, now: datetime) -> None:
        """Note that the message about a branch is to be written anew: since the first time, however often."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.zadd(self._key, {_name(state): now.timestamp()}, nx=True)
        pipeline.expire(self._key, KEPT)
        await self._connection.ask(pipeline.execute())

    async def remove(self, state: Branch) -> None:
        """Note that it says how the branch stands, or need not."""
        await self._connection.ask(self._connection.redis.zrem(self._key, _name(state)))

    async def all(self, now: datetime) -> list[Place]:
        """Return the channel, the project and the branch of each; what is too old is forgotten."""
        gone = self._connection.redis.zremrangebyscore(self._key, "-inf", (now - KEPT).timestamp())
        await self._connection.ask(gone)
        kept = cast("Awaitable[list[str]]", self._connection.redis.zrange(self._key, 0, -1))
        places = [one.split(" ", 2) for one in await self._connection.ask(kept)]
        return [(channel_id, ProjectSlug(slug), branch) for channel_id, slug, branch in places]

    async def forgotten(self) -> dict[str, Branch]:
        """Return the branches that have been forgotten, under their names here, as they were."""
        kept = cast("Awaitable[dict[str, str]]", self._connection.redis.hgetall(self._forgotten))
        found = {name: or_none(Branch, data) for name, data in (await self._connection.ask(kept)).items()}
        return {name: state for name, state in found.items() if state is not None}

    async def forget(self, name: str) -> None:
        """Note that the message of one of these says so."""
        await self._connection.ask(self._connection.redis.hdel(self._forgotten, name))


def _name(state: Branch) -> str:
    return f"{state.channel_id} {state.project_slug} {state.branch}"
