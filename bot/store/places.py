"""The projects that patterns mean, and by which subscriptions each is meant."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import cast

from bot.errors import StoreError
from bot.models.slugs import spelled_alike
from bot.models.subscription import Fitting
from bot.store.connection import Connection, or_none

MOST_TRIES = 5

# Puts what is known of one in the place of what was seen, or of nothing; 0 where it has changed.
_PUT = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 1
"""


class Places:
    """One that nothing means is not kept; a subscription that was ended may be named until it is looked at."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._put = connection.script(_PUT)
        self.key = connection.key("subscriptions:places")

    async def all(self) -> dict[str, Fitting]:
        """Return all of them, by their slugs as all spellings are kept."""
        kept = cast("Awaitable[dict[str, str]]", self._connection.redis.hgetall(self.key))
        found = {name: or_none(Fitting, data) for name, data in (await self._connection.ask(kept)).items()}
        return {name: one for name, one in found.items() if one}

    async def change(self, one: Fitting, without: Collection[str], since: Mapping[str, datetime]) -> None:
        """Let one be meant by these subscriptions, since then where it was not, and by none of the others named."""

        def change(before: Fitting) -> Fitting:
            rules = {*before.rules}.difference(without).union(since)
            known = {one: before.since[one] for one in before.rules if one in before.since}
            new = {one: when for one, when in since.items() if one not in before.rules}
            kept = {one: when for one, when in (known | new).items() if one in rules}
            return before.model_copy(update={"rules": tuple(sorted(rules)), "since": kept})

        await self.save(one, change)

    async def save(self, one: Fitting, change: Callable[[Fitting], Fitting]) -> None:
        """Change what is known of one, which begins as this; `change` is pure, and may be asked again."""
        name = spelled_alike(one.slug)
        for _ in range(MOST_TRIES):
            found = cast("Awaitable[str | None]", self._connection.redis.hget(self.key, name))
            data = await self._connection.ask(found)
            after = change(or_none(Fitting, data) or one)
            kept = after.model_dump_json() if after.rules else ""
            if await self._connection.ask(self._put(keys=[self.key], args=[name, data or "", kept])):
                return
        raise StoreError(f"what means {one.slug} changes all the time")
