"""Which project each channel uses, and what each person did there last."""

from collections.abc import Awaitable
from typing import cast

from bot.masks import masked
from bot.models.caller import Caller
from bot.models.channel import LastAct, Used
from bot.store.connection import Connection, or_none


class Channels:
    """By Slack's id of a channel, which stays when it is renamed; of one that is archived nobody asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._uses = connection.key("uses")

    async def used(self, channel_id: str) -> Used | None:
        """Return what a channel uses; None where it uses nothing, or where another version alone can read it."""
        found = self._connection.redis.hget(self._uses, channel_id)
        return or_none(Used, await self._connection.ask(cast("Awaitable[str | None]", found)))

    async def use(self, channel_id: str, used: Used) -> None:
        """Let a channel use it, in the place of what it has used."""
        put = self._connection.redis.hset(self._uses, channel_id, used.model_dump_json())
        await self._connection.ask(put)

    async def use_nothing(self, channel_id: str) -> bool:
        """Let a channel use nothing; False where it did not use anything."""
        gone = self._connection.redis.hdel(self._uses, channel_id)
        return bool(await self._connection.ask(gone))

    async def last_of(self, caller: Caller) -> LastAct | None:
        """Return what somebody did last where they speak."""
        found = await self._connection.ask(self._connection.redis.get(self._last(caller)))
        return or_none(LastAct, found)

    async def did(self, caller: Caller, act: LastAct) -> None:
        """Remember it; what holds something like a secret is not kept, and nor is what was before it."""
        key, redis = self._last(caller), self._connection.redis
        if masked(act.line) != act.line:
            await self._connection.ask(redis.delete(key))
            return
        await self._connection.ask(redis.set(key, act.model_dump_json(), ex=self._connection.retention))

    def _last(self, caller: Caller) -> str:
        return self._connection.key("last", f"{caller.channel_id}:{caller.person_id}")
