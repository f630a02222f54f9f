"""The face over real HTTP, before a desk that answers what a test wants."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.agents.bridge import Bridge
from bot.agents.crowd import Crowd
from bot.agents.face import Face
from bot.agents.shapes import Hints, Reply, Shape
from bot.models.agent import Agent, digest_of, new_token
from bot.models.slack import utc_now
from bot.server import AGENTS, READONLY, Server
from bot.store import Store
from tests.one_redis import redis_url

OF_PROJECT = {"type": "object", "properties": {"project": {"type": "string"}}, "additionalProperties": False}
READS = Hints(read_only=True, destructive=False, idempotent=True)
ACTS = Hints(read_only=False, destructive=True, idempotent=True)
SHAPES = (Shape("deploy", "Ask for a deploy.", OF_PROJECT, ACTS), Shape("status", "How it stands.", OF_PROJECT, READS))


@dataclass
class Desk:
    """Answers with what it was asked, once it `may`."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    fails: Exception | None = None
    begun: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def shapes(self, *, readonly: bool) -> tuple[Shape, ...]:
        """Return two, or the one that reads."""
        return tuple(one for one in SHAPES if one.hints.read_only or not readonly)

    async def call(self, agent: Agent, name: str, arguments: Mapping[str, Any], *, readonly: bool) -> Reply:
        """Say who asked for what."""
        self._noted(self.begun, name)
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self._noted(self.taken_back, name)
            raise
        if self.fails:
            raise self.fails
        self._noted(self.ended, name)
        return Reply({"agent": agent.name, "asked": {**arguments}, "readonly": readonly}, f"{name} for {agent.name}")

    def _noted(self, where: list[str], name: str) -> None:
        where.append(name)
        self.news.set()


@dataclass
class Stage:
    """A server with the face, the tokens of an agent, and what stands behind."""

    desk: Desk
    store: Store
    server: Server
    agent: Agent
    token: str

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.port}{AGENTS}"

    async def is_so(self, what: list[str], expected: list[str]) -> None:
        """Wait for what the desk tells."""
        async with asyncio.timeout(10):
            while what != expected:
                self.desk.news.clear()
                await self.desk.news.wait()


async def an_agent(store: Store, name: str, *, good_for: timedelta = timedelta(days=1)) -> tuple[Agent, str]:
    """Let somebody have made one; return it and its token."""
    token, now = new_token(), utc_now()
    owner = {"owner_id": "U0ADA", "owner_name": "Ada", "team_id": "T0ACME", "channel_id": "C0DEPLOYS"}
    agent = Agent(name=name, **owner, made_at=now, expires_at=now + good_for, digest=digest_of(token))
    assert await store.agents.add(agent)
    return agent, token


@asynccontextmanager
async def face(
    folder: Path,
    *,
    public_url: str | None = None,
    longest: float = 45,
    url: str | None = None,
    crowd: Crowd | None = None,
) -> AsyncIterator[Stage]:
    """Open it."""
    desk, store = Desk(), Store(redis_url(folder), retention=timedelta(days=1))
    desk.may.set()
    agent, token = await an_agent(store, "laptop")
    looked_up = Store(url, retention=timedelta(days=1)) if url else store
    try:
        crowd = crowd or Crowd(256, 30)
        async with Bridge(Face(desk, longest=longest), looked_up.agents, crowd, public_url=public_url) as bridge:
            taken = dict.fromkeys((AGENTS, READONLY), bridge.handle)
            server = Server("127.0.0.1", 0, not_ready=lambda: asyncio.sleep(0, []), taken=taken)
            await server.start()
            try:
                yield Stage(desk, store, server, agent, token)
            finally:
                await server.stop()
    finally:
        await store.close()
        await looked_up.close()
