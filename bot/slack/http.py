"""HTTP mode: `POST /slack/events`, the one address for commands, events and buttons."""

import time

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

log = structlog.get_logger(__name__)

# https://docs.slack.dev/authentication/verifying-requests-from-slack
WINDOW_SECONDS = 300


class EventsHandler:
    """The route's handler: Bolt checks the signature, this one what Bolt trips over.

    Answers 401 for an old or unreadable timestamp, and logs by how much the clocks differ.
    """

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def handle(self, request: web.Request) -> web.Response:
        """Pass a request in time on to Bolt."""
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not (stamp.isascii() and stamp.isdecimal()):
            return web.Response(status=401)  # Bolt would answer 500 to a timestamp that is no number
        offset = int(time.time()) - int(stamp)
        if abs(offset) > WINDOW_SECONDS:
            log.warning("slack_request_refused", reason="timestamp", clock_offset_seconds=offset)
            return web.Response(status=401)
        return await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))
