"""Messages about red branches that no subscription of their channel keeps true any more, until each says so."""

import json
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import cast

from bot.models.circleci import ProjectSlug
from bot.models.red import Orphan
from bot.models.slugs import spelled_alike
from bot.store.connection import Connection, or_none

KEPT = timedelta(days=90)  # as long as what is known of their branches

# Takes what is known of a branch aside where a message says that it is red, or a run may have posted one.
ASIDE = """
local function aside(orphans, title, data, twice)
  local one = cjson.decode(data)
  local root, posting = one['root_ts'], one['posting']
  local has_root = one['red_since'] > 0 and root ~= nil and root ~= cjson.null
  if not has_root and (posting == nil or posting == cjson.null) then return end
  local name = one['channel_id'] .. ' ' .. (has_root and root or one['project_slug'] .. ' ' .. one['branch'])
  local orphan = '{"title":' .. title .. ',"is_twice":' .. twice .. ',"state":' .. data .. '}'
  redis.call('HSET', orphans, name, orphan)
end
"""
_TAKE = (
    ASIDE
    + """
for at = 3, #ARGV do
  local data = redis.call('HGET', KEYS[1], ARGV[at])
  if data then
    aside(KEYS[2], ARGV[1], data, 'false')
    redis.call('HDEL', KEYS[1], ARGV[at])
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
"""
)


class Orphans:
    """Whoever forgets what a channel was told of a branch, or moves it, leaves its message here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.key = connection.key("red:orphans")
        self._take = connection.script(_TAKE)

    async def take(self, known: str, names: Sequence[str], title: str) -> None:
        """Forget what is kept under this key of branches, in one step with keeping which messages are about them."""
        args: list[str | int] = [json.dumps(title), int(KEPT.total_seconds()), *names]
        await self._connection.ask(self._take(keys=[known, self.key], args=args))

    async def add(self, one: Orphan) -> None:
        """Keep one of which nothing else is kept."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.hset(self.key, one.name, one.model_dump_json())
        pipeline.expire(self.key, KEPT)
        await self._connection.ask(pipeline.execute())

    async def all(self) -> list[Orphan]:
        """Return all of them."""
        kept = cast("Awaitable[list[str]]", self._connection.redis.hvals(self.key))
        found = [or_none(Orphan, data) for data in await self._connection.ask(kept)]
        return [one for one in found if one]

    async def of(self, channel_id: str, slug: ProjectSlug) -> list[Orphan]:
        """Return those of a channel that are about a project, by the name that it had then."""
        place = (channel_id, spelled_alike(slug))
        return [
            one for one in await self.all() if (one.state.channel_id, spelled_alike(one.state.project_slug)) == place
        ]

    async def gone(self, one: Orphan) -> None:
        """Forget one: it says so, or never will."""
        await self._connection.ask(self._connection.redis.hdel(self.key, one.name))
