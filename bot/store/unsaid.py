"""What channels are still to be told of what somebody has changed for them: in the order in which it was changed."""

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import cast

from bot.models.fields import Model
from bot.store.connection import Connection, or_none
from bot.store.fence import held as fenced
from formatters.blocks import Message


class ToSay(Model):
    """A message, and the name by which it is said once."""

    name: str
    message: Message


class Unsaid:
    """Each is kept until its channel was told, or takes nothing any more."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channels = connection.key("unsaid")

    async def add(self, channel_id: str, one: ToSay) -> None:
        """Let it be said behind all that is to be said there; whoever is alone there adds nothing twice."""
        if one.name in [other.name for other in await self.of(channel_id)]:
            return
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.rpush(self._key(channel_id), one.model_dump_json())
        pipeline.expire(self._key(channel_id), self._connection.retention)
        pipeline.sadd(self._channels, channel_id)
        pipeline.expire(self._channels, self._connection.retention)
        await self._connection.ask(pipeline.execute())

    async def of(self, channel_id: str) -> list[ToSay]:
        """Return what is to be said in a channel, the oldest first; what another version alone can read is left out."""
        kept = cast("Awaitable[list[str]]", self._connection.redis.lrange(self._key(channel_id), 0, -1))
        found = [or_none(ToSay, data) for data in await self._connection.ask(kept)]
        return [one for one in found if one]

    async def is_said(self, channel_id: str, one: ToSay) -> None:
        """Forget what was said, or never will be."""
        await self._connection.ask(self._connection.redis.lrem(self._key(channel_id), 1, one.model_dump_json()))

    async def channels(self) -> list[str]:
        """Return those in which something is to be said."""
        found = cast("Awaitable[set[str]]", self._connection.redis.smembers(self._channels))
        return sorted(await self._connection.ask(found))

    async def nothing_left(self, channel_id: str) -> None:
        """Note that all is said in a channel; who adds something meanwhile has it noted anew."""
        await self._connection.ask(self._connection.redis.srem(self._channels, channel_id))
        if await self.of(channel_id):
            await self._connection.ask(self._connection.redis.sadd(self._channels, channel_id))

    def alone(self, channel_id: str, lease: timedelta, *, wait: timedelta) -> AbstractAsyncContextManager[bool]:
        """Let one at a time change what a channel hears, so that it reads of it in that order."""
        return fenced(self._connection, self._connection.key("fence", f"unsaid:{channel_id}"), lease, wait=wait)

    def speaking(self, channel_id: str, lease: timedelta, *, wait: timedelta) -> AbstractAsyncContextManager[bool]:
        """Let one at a time say what is to be said there."""
        return fenced(self._connection, self._connection.key("fence", f"saying:{channel_id}"), lease, wait=wait)

    def _key(self, channel_id: str) -> str:
        return self._connection.key("unsaid", channel_id)
