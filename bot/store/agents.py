"""Agents, by their names and by the digests of their tokens."""

from collections.abc import Awaitable
from datetime import datetime
from typing import cast

from bot.models.agent import Agent
from bot.store.connection import Connection, decoded, or_none

# Keeps an agent under its name and its token's digest; 0 where the name is taken, or its owner has as many as may be.
_ADD = """
local of_owner = 0
for _, kept in ipairs(tonumber(ARGV[5]) > 0 and redis.call('HVALS', KEYS[1]) or {}) do
  if cjson.decode(kept)['owner_id'] == ARGV[4] then of_owner = of_owner + 1 end
end
if of_owner > 0 and of_owner >= tonumber(ARGV[5]) then return 0 end
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[1])
return 1
"""

# Returns whose token it is, in one go: it is asked for each call.
_WHOSE = """
local name = redis.call('HGET', KEYS[1], ARGV[1])
return name and redis.call('HGET', KEYS[2], name)
"""

# Forgets an agent under its name, its token and when it was used; 0 where it is gone, or another one by now.
_REMOVE = """
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept or cjson.decode(kept)['digest'] ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1
"""


class Agents:
    """They stay until somebody removes them: one whose time is up is shown as that."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._agents, self._tokens = connection.key("agents"), connection.key("agents:tokens")
        self._used = connection.key("agents:used")
        self._add, self._remove = connection.script(_ADD), connection.script(_REMOVE)
        self._whose = connection.script(_WHOSE)

    async def add(self, agent: Agent, *, most: int = 0) -> bool:
        """Keep a new one; False where there is one of its name, or where its owner has the `most` there may be."""
        args = [agent.name, agent.model_dump_json(), agent.digest, agent.owner_id, str(most)]
        return bool(await self._connection.ask(self._add(keys=[self._agents, self._tokens], args=args)))

    async def get(self, name: str) -> Agent | None:
        """Return the agent of this name; raises Unreadable for one that another version wrote."""
        data = await self._connection.ask(
            cast("Awaitable[str | None]", self._connection.redis.hget(self._agents, name))
        )
        return decoded(Agent, data) if data is not None else None

    async def of_token(self, digest: str) -> Agent | None:
        """Return the agent whose token this is the digest of, good or not."""
        data = await self._connection.ask(self._whose(keys=[self._tokens, self._agents], args=[digest]))
        agent = decoded(Agent, data) if data else None
        return agent if agent is not None and agent.digest == digest else None

    async def all(self) -> list[Agent]:
        """Return all of them that can be read, by name."""
        kept = cast("Awaitable[dict[str, str]]", self._connection.redis.hgetall(self._agents))
        found = [or_none(Agent, data) for data in (await self._connection.ask(kept)).values()]
        return sorted((one for one in found if one), key=lambda one: one.name)

    async def remove(self, agent: Agent) -> bool:
        """Forget one and its token; False where it was gone, or is another one of its name by now."""
        keys, args = [self._agents, self._tokens, self._used], [agent.name, agent.digest]
        return bool(await self._connection.ask(self._remove(keys=keys, args=args)))

    async def note_use(self, agent: Agent, now: datetime) -> None:
        """Note that it asked for something."""
        await self._connection.ask(self._connection.redis.hset(self._used, agent.name, now.isoformat()))

    async def last_used(self) -> dict[str, datetime]:
        """Return when each of them last asked for something, of those that did."""
        kept = cast("Awaitable[dict[str, str]]", self._connection.redis.hgetall(self._used))
        return {name: datetime.fromisoformat(when) for name, when in (await self._connection.ask(kept)).items()}
