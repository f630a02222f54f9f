"""HTTP mode: `POST /slack/events`, the one address for commands, events and buttons."""

import hashlib
import hmac
import time
from collections.abc import Mapping

import structlog
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.server import only_header

log = structlog.get_logger(__name__)

# https://docs.slack.dev/authentication/verifying-requests-from-slack
WINDOW_SECONDS = 300
STAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
LONGEST_STAMP = 12
QUIET_SECONDS = 60
FOR_BOLT = ("content-type", "x-slack-retry-num", "x-slack-retry-reason", STAMP, SIGNATURE)


class EventsHandler:
    """The route's handler: nothing of a request is read before its signature, over the bytes that came.

    Answers 401 to what Slack did not sign, or signed long ago, and logs by how much the clocks differ then.
    """

    def __init__(self, app: AsyncApp, secret: SecretStr) -> None:
        self._app = app
        self._secret = secret
        self._quiet_until = 0.0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Pass what Slack signed on to Bolt; what Bolt cannot read has a line in the log, without what is in it."""
        body = await request.read()
        headers = {name: only_header(request.headers, name) for name in FOR_BOLT}
        if not is_slacks(body, headers[STAMP], headers[SIGNATURE], self._secret.get_secret_value()):
            self._note_refusal(headers)
            return web.Response(status=401)
        offset = int(time.time()) - int(headers[STAMP])
        if abs(offset) > WINDOW_SECONDS:
            log.warning("slack_request_refused", reason="timestamp", clock_offset_seconds=offset)
            return web.Response(status=401)
        try:
            asked = AsyncBoltRequest(
                body=body.decode(), headers={name: value for name, value in headers.items() if value}
            )
            answer = await self._app.async_dispatch(asked)
        except Exception as error:  # noqa: BLE001  # Bolt takes apart what it has not looked at, and trips in many ways
            log.warning("slack_request_unreadable", error=type(error).__name__, bytes=len(body))
            return web.Response(status=400)
        return await to_aiohttp_response(answer)

    def _note_refusal(self, headers: Mapping[str, str]) -> None:
        """Log what was signed with another secret, once a minute: it may be Slack, and the setting wrong."""
        if headers[SIGNATURE] and time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            log.warning("slack_request_refused", reason="signature: is SLACK_SIGNING_SECRET that of this app?")


def is_slacks(body: bytes, stamp: str, signature: str, secret: str) -> bool:
    """Say whether Slack signed these bytes at this time, compared in constant time."""
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= LONGEST_STAMP):
        return False
    signed = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={signed}".encode(), signature.encode())
