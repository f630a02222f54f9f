"""The HTTP server: Slack's events, CircleCI's webhooks, agents, and what operators ask: alive, ready, metrics."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.http import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.door import KEEP_ALIVE_SECONDS, PATIENCE_SECONDS, Door, room

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Problems = Callable[[], Awaitable[list[str]]]

MAX_BODY_BYTES = 1024**2  # aiohttp's own limit; Slack's bodies are smaller
MAX_HEADERS = 64
SHUTDOWN_SECONDS = 2
EVENTS, WEBHOOK, AGENTS, READONLY = "/slack/events", "/circleci/webhook", "/mcp", "/mcp/readonly"


class Server:
    """Listens from `start` to `stop`; `port` is the one really taken, for a PORT of 0.

    What is POSTed is `taken` by the handler of its path, whose body is here, whole and as it was sent: what it means is
    not looked at before the handler knows who sent it. With `metrics_token`, figures and reasons are for who shows it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        not_ready: Problems,
        metrics_token: str | None = None,
        taken: Mapping[str, Handler] | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._host, self._port, self._patience = host, port, patience
        self._not_ready = not_ready
        self._metrics_token = metrics_token
        self._routes: dict[str, tuple[str, Handler]] = {
            "/healthz": ("GET", self._healthz),
            "/readyz": ("GET", self._readyz),
            "/metrics": ("GET", self._metrics),
        }
        self._routes |= {path: ("POST", handler) for path, handler in (taken or {}).items()}
        # aiohttp's router looks at more of a request than it can read.
        self._protocols = web.Server(
            self._answer,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=1,
            max_headers=MAX_HEADERS,
            logger=_logger(),
            auto_decompress=False,  # what is signed are the bytes that came
        )
        self._door: Door

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._door.port

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._door = Door(self._protocols, most=room(), patience=self._patience)
        try:
            await self._door.open(self._host, self._port)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Take nothing more, and let what is under way finish."""
        await self._door.close()
        self._protocols.pre_shutdown()
        await self._protocols.shutdown(SHUTDOWN_SECONDS)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        method, handler = self._routes.get(request.path, ("", None))
        if handler is None:
            return web.Response(status=404)
        if request.method != method and (request.method, method) != ("HEAD", "GET"):
            return web.Response(status=405, headers={"Allow": method})
        await self._take_in(request)
        if request.transport is None:
            return web.Response(status=400)
        transport = request.transport
        self._door.came_in(transport)
        try:
            return await handler(request)
        finally:
            self._door.went_out(transport)

    async def _take_in(self, request: web.BaseRequest) -> None:
        """Read the body, within bounds of size and time, before anybody is asked to handle it."""
        try:
            async with asyncio.timeout(self._patience):
                await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        except (web.RequestPayloadError, ConnectionError):
            raise web.HTTPBadRequest from None

    async def _healthz(self, request: web.BaseRequest) -> web.Response:  # noqa: ARG002  # aiohttp's signature
        return web.json_response({"alive": True})

    async def _readyz(self, request: web.BaseRequest) -> web.Response:
        problems = await self._not_ready()
        reasons = {"problems": problems} if self._may_look_inside(request) else {}
        return web.json_response({"ready": not problems, **reasons}, status=503 if problems else 200)

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        if not self._may_look_inside(request):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _may_look_inside(self, request: web.BaseRequest) -> bool:
        if self._metrics_token is None:
            return True
        shown = only_header(request.headers, "authorization")
        return hmac.compare_digest(shown.encode(), f"Bearer {self._metrics_token}".encode())


def _logger() -> logging.Logger:
    """Return aiohttp's own, which would write a traceback for each stranger who speaks no HTTP."""
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def only_header(headers: Mapping[str, str], name: str) -> str:
    """Return a header; nothing for one that is missing, came twice or is no ASCII."""
    values = [value for key, value in headers.items() if key.lower() == name]
    return values[0] if len(values) == 1 and values[0].isascii() else ""
