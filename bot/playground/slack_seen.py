"""Stands in for faults.py until it is there."""

from collections.abc import Awaitable, Callable

from aiohttp import web

SeenRequest = tuple[str, str]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Faults:
    """Notes the requests."""

    def __init__(self) -> None:
        self.requests: list[SeenRequest] = []

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests.append((request.method, request.path))
            return await handler(request)

        self.middleware = middleware
