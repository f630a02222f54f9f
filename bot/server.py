"""The HTTP server: Slack's events, and what operators ask: alive, ready, metrics."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Problems = Callable[[], Awaitable[list[str]]]

MAX_BODY_BYTES = 1_000_000  # Slack's bodies are smaller


class Server:
    """Listens from `start` to `stop`; `port` is the one really taken, for a PORT of 0."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        not_ready: Problems,
        slack_events: Handler | None = None,
        webhook: Handler | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._not_ready = not_ready
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        if slack_events is not None:
            application.router.add_post("/slack/events", slack_events)
        if webhook is not None:
            application.router.add_post("/circleci/webhook", webhook)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._runner.addresses[0][1]) if self._runner.addresses else self._port

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Take nothing more, and let what is under way finish."""
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's signature
        return web.json_response({"alive": True})

    async def _readyz(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's signature
        problems = await self._not_ready()
        return web.json_response({"ready": not problems, "problems": problems}, status=503 if problems else 200)

    async def _metrics(self, request: web.Request) -> web.Response:  # noqa: ARG002  # aiohttp's signature
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
