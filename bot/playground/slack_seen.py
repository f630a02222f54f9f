"""What stands before the pretend Slack: it sees each request first, and may answer in its place."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SeenRequest = Any


class FaultLayer(Protocol):
    """The part of a fault injector that is needed here: an aiohttp middleware, and what it saw."""

    @property
    def requests(self) -> list[SeenRequest]:
        """What was asked, in order."""
        ...

    @property
    def middleware(self) -> Middleware:
        """What aiohttp calls before each handler."""
        ...


class Seen:
    """Remembers the requests and lets them through."""

    def __init__(self) -> None:
        self.requests: list[SeenRequest] = []

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests.append((request.method, request.path))
            return await handler(request)

        self.middleware = middleware
