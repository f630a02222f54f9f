"""Which ends channels have heard themselves, beside their threads."""

from bot.models.circleci import ProjectSlug, Ref
from bot.models.heard import Heard
from bot.models.slugs import spelled_alike
from bot.store.connection import Connection, or_none


class Ends:
    """The last one of each branch or tag, by Slack's id of the channel."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def heard(self, channel_id: str, slug: ProjectSlug, ref: Ref) -> Heard | None:
        """Return what a channel has heard last; None where that is nothing, or another version alone can read it."""
        return or_none(Heard, await self._connection.ask(self._connection.redis.get(self._key(channel_id, slug, ref))))

    async def note(self, channel_id: str, slug: ProjectSlug, ref: Ref, heard: Heard) -> None:
        """Note what a channel is about to hear: who was cut off then says it, and nobody else does."""
        key, keep = self._key(channel_id, slug, ref), self._connection.retention
        await self._connection.ask(self._connection.redis.set(key, heard.model_dump_json(), ex=keep))

    def _key(self, channel_id: str, slug: ProjectSlug, ref: Ref) -> str:
        return self._connection.key("heard", f"{channel_id}:{spelled_alike(slug)}:{ref}")
