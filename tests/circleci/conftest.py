"""A pretend CircleCI for the client's unit tests: JSON in, requests noted."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import stamina
from aiohttp import web
from pydantic import SecretStr

from bot.circleci.transport import Transport
from bot.store import Store
from tests.one_redis import redis_url

SECRET = "CCIPAT_acme_SECRET"
DATE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HEADERS = {"Date": "Fri, 20 Nov 2026 10:00:00 GMT"}

Reply = httpx.Response | Exception | object


class FarSide:
    """Answers each path with what it was told; the last reply of a path is repeated."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._replies: dict[str, list[Reply]] = {}
        self.mock = httpx.MockTransport(self._handle)
        self.transport = Transport("https://circleci.example", SecretStr(SECRET), transport=self.mock)

    def says(self, call: str, *replies: Reply) -> None:
        """Answer `call` ("GET /path?query") with `replies` in order."""
        self._replies[call] = list(replies)

    @property
    def calls(self) -> list[str]:
        """What was asked, in order."""
        return [_call(request) for request in self.requests]

    def body(self, index: int = -1) -> object:
        """Return the JSON of a request."""
        return json.loads(self.requests[index].content)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        replies = self._replies.get(_call(request))
        if not replies:
            return httpx.Response(404, json={"message": "Not Found"}, headers=HEADERS)
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else httpx.Response(200, json=reply, headers=HEADERS)


def _call(request: httpx.Request) -> str:
    return f"{request.method} {request.url.raw_path.decode()}"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
async def far_side() -> AsyncIterator[FarSide]:
    far_side = FarSide()
    async with far_side.transport:
        yield far_side


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(redis_url(tmp_path), retention=timedelta(days=1))
    yield store
    await store.close()


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve `handler` on loopback for every path; yields the address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def page(*items: object, token: str | None = None) -> dict[str, object]:
    """Return a page of a list."""
    return {"items": list(items), "next_page_token": token}
