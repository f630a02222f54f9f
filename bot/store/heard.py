"""Which ends channels have heard themselves, beside their threads."""

from collections.abc import Awaitable
from typing import cast

from bot.models.circleci import ProjectSlug, Ref
from bot.models.heard import Heard
from bot.models.slugs import spelled_alike
from bot.store.connection import Connection, or_none


class Ends:
    """The last one of each branch or tag, by Slack's id of the channel; and which channels know one as red."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def heard(self, channel_id: str, slug: ProjectSlug, ref: Ref) -> Heard | None:
        """Return what a channel has heard last; None where that is nothing, or another version alone can read it."""
        return or_none(Heard, await self._connection.ask(self._connection.redis.get(self._key(channel_id, slug, ref))))

    async def note(self, channel_id: str, slug: ProjectSlug, ref: Ref, heard: Heard) -> None:
        """Note what a channel is about to hear: who was cut off then says it, and nobody else does."""
        key, keep, redis = self._key(channel_id, slug, ref), self._connection.retention, self._connection.redis
        await self._connection.ask(redis.set(key, heard.model_dump_json(), ex=keep))
        red = self._red(slug, ref)
        await self._connection.ask(redis.sadd(red, channel_id) if heard.is_red else redis.srem(red, channel_id))
        await self._connection.ask(redis.expire(red, keep))

    async def red(self, slug: ProjectSlug, ref: Ref) -> frozenset[str]:
        """Return the channels that have heard last that a branch or a tag failed."""
        found = cast("Awaitable[set[str]]", self._connection.redis.smembers(self._red(slug, ref)))
        return frozenset(await self._connection.ask(found))

    def _red(self, slug: ProjectSlug, ref: Ref) -> str:
        return self._connection.key("heard-red", f"{spelled_alike(slug)}:{ref}")

    def _key(self, channel_id: str, slug: ProjectSlug, ref: Ref) -> str:
        return self._connection.key("heard", f"{channel_id}:{spelled_alike(slug)}:{ref}")
