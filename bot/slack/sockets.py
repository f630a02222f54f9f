"""Socket Mode: two connections, so that one hears while Slack renews the other, and no storm when Slack sends us away.

https://docs.slack.dev/apis/events-api/using-socket-mode : up to ten connections for an app, each of which Slack renews
every few hours; an envelope goes to one of them.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from functools import partial

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.outside import proxy_for

log = structlog.get_logger(__name__)

CONNECTIONS = 2
PING_SECONDS = 5  # a connection is called stale after four pings without an answer
CONNECT_SECONDS = 30  # the library tries for ever, with an address that is good once
CALM_SECONDS = 300
FREE = 2 * CONNECTIONS  # the first ones, and one renewal of each
LONGEST_PAUSE_SECONDS = 60


class Reconnects:
    """How long to wait before the next connection: not at all now and then, twice as long each time in a storm."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lately: deque[float] = deque()

    def pause(self) -> float:
        """Count one more, and return the seconds to wait before it."""
        now = self._now()
        while self._lately and self._lately[0] < now - CALM_SECONDS:
            self._lately.popleft()
        self._lately.append(now)
        too_many = len(self._lately) - FREE
        if too_many == 1:
            log.warning("slack_socket_restless", connects=len(self._lately), within_seconds=CALM_SECONDS)
        return min(2.0 ** (too_many - 1), LONGEST_PAUSE_SECONDS) if too_many > 0 else 0


class Sockets:
    """The connections of this process; `connect` returns when one hears."""

    def __init__(self, app: AsyncApp, app_token: str, *, ping_seconds: float = PING_SECONDS) -> None:
        clients = partial(_Client, app, app_token, Reconnects(), ping_seconds)
        self._handlers = [_Handler(app, clients()) for _ in range(CONNECTIONS)]

    async def connect(self) -> None:
        """Open them all."""
        await asyncio.gather(*(handler.client.connect_to_new_endpoint(force=True) for handler in self._handlers))

    async def close(self) -> None:
        """Take nothing more."""
        for handler in self._handlers:
            await handler.client.close()  # type: ignore[no-untyped-call]  # slack_sdk has no type for it

    async def is_connected(self) -> bool:
        """Say whether any of them hears."""
        return any([await handler.client.is_connected() for handler in self._handlers])


class _Client(SocketModeClient):
    """Slack's client, which reconnects at once and, sent away many times, as often side by side (bolt-js#2225)."""

    def __init__(self, app: AsyncApp, app_token: str, reconnects: Reconnects, ping_seconds: float) -> None:
        super().__init__(app_token, logger=app.logger, web_client=app.client, ping_interval=ping_seconds)
        self._reconnects = reconnects
        self._connecting = False

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Connect anew, once at a time and with growing pauses, until it worked or we are closed."""
        if self._connecting:
            return
        self._connecting = True
        try:
            while not self.closed and not await self._connected(force):
                force = True
        finally:
            self._connecting = False

    async def issue_new_wss_url(self) -> str:
        """Ask for an address, and take the way to it that all else takes; it may be on another host."""
        url = await super().issue_new_wss_url()
        self.proxy = proxy_for(url)
        return url

    async def _connected(self, force: bool) -> bool:
        pause = self._reconnects.pause()
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # spreads, hides nothing
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await super().connect_to_new_endpoint(force)
        except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("slack_socket_not_connected", error=type(error).__name__)
            return False
        return True


class _Handler(AsyncSocketModeHandler):
    """Bolt's handler, with a client of ours."""

    def __init__(self, app: AsyncApp, client: _Client) -> None:
        self.app = app
        self.client = client
        client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]  # as Bolt does it
