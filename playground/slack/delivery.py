"""How something reaches the bot: an envelope over Socket Mode, or a signed POST. Three seconds for the ack."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp

from playground.slack.conversations import Json
from playground.slack.socket import NoConnection, SocketHub

COMMAND, EVENT, INTERACTIVE = "slash_commands", "events_api", "interactive"


@dataclass
class Delivery:
    """One thing sent to the bot, and how it was taken; `shown` is what Slack itself told the person."""

    kind: str
    payload: Json = field(repr=False)
    attempt: int = 0
    status: int | None = None
    body: Any = None
    seconds: float = 0
    error: str | None = None
    shown: str | None = None

    @property
    def acked(self) -> bool:
        """Say whether the bot acknowledged it in time."""
        return self.status == 200

    @property
    def what(self) -> str:
        """Name it for a list of problems."""
        event = self.payload.get("event") or {}
        return str(self.payload.get("command") or event.get("type") or self.payload.get("type"))


class Courier:
    """Delivers in the mode the app is set up for."""

    def __init__(self, hub: SocketHub | None, signing_secret: str, note: Callable[[str], None]) -> None:
        self.request_url: str | None = None
        self.ack_seconds = 3.0
        # For a bot whose host's clock is wrong.
        self.clock_offset_seconds = 0
        self._hub = hub
        self._secret = signing_secret
        self._note = note
        self._session: aiohttp.ClientSession | None = None
        self._envelopes = count(1)

    async def deliver(self, kind: str, payload: Json, *, attempt: int = 0, reason: str = "") -> Delivery:
        """Send once and wait for the ack, at most its budget; never raises for what the bot does."""
        delivery = Delivery(kind, payload, attempt)
        began = time.monotonic()
        try:
            if self._hub is not None:
                await self._over_socket(self._hub, delivery, reason)
            else:
                await self._over_http(delivery, reason)
        except TimeoutError:
            delivery.error = "operation_timeout"
            self._note(f"{delivery.what}: not acked within {self.ack_seconds} s")
        except (NoConnection, aiohttp.ClientError) as error:
            # The bot is not there: a story's weather, not the bot's fault.
            delivery.error = "dispatch_failed"
            delivery.body = str(error)
        if delivery.status not in (None, 200):
            delivery.error = "http_service_error"
            self._note(f"{delivery.what}: answered with HTTP status {delivery.status}")
        delivery.seconds = time.monotonic() - began
        return delivery

    async def verify(self) -> bool:
        """Ask the request URL for the challenge, as the app's settings page does."""
        asked = {"type": "url_verification", "token": "pretend-verification-token", "challenge": "pretend-challenge"}
        delivery = await self.deliver(EVENT, asked)
        answer = delivery.body.get("challenge") if isinstance(delivery.body, dict) else delivery.body
        return delivery.acked and answer == asked["challenge"]

    async def close(self) -> None:
        """Let go of the connection to the bot."""
        if self._session is not None:
            await self._session.close()

    async def _over_socket(self, hub: SocketHub, delivery: Delivery, reason: str) -> None:
        number = next(self._envelopes)
        envelope: Json = {
            "envelope_id": f"{number:08x}-0000-4000-8000-000000000000",
            "type": delivery.kind,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.kind != EVENT,
        }
        if delivery.kind == EVENT:
            envelope |= {"retry_attempt": delivery.attempt, "retry_reason": reason}
        delivery.body = await hub.send(envelope, self.ack_seconds)
        delivery.status = 200

    async def _over_http(self, delivery: Delivery, reason: str) -> None:
        if self.request_url is None:
            raise NoConnection("no request URL is set")
        if self._session is None:
            self._session = aiohttp.ClientSession()
        body, content_type = _encoded(delivery)
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        headers |= self.signed(body)
        if delivery.attempt:
            headers |= {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": reason}
        timeout = aiohttp.ClientTimeout(total=self.ack_seconds)
        async with self._session.post(
            self.request_url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            text = await answer.text()
            delivery.status = answer.status
            delivery.body = json.loads(text) if answer.content_type == "application/json" and text else text or None

    def signed(self, body: str) -> dict[str, str]:
        """Return the headers that prove a body is from Slack."""
        stamp = str(int(time.time()) + self.clock_offset_seconds)
        digest = hmac.new(self._secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _encoded(delivery: Delivery) -> tuple[str, str]:
    if delivery.kind == EVENT:
        return json.dumps(delivery.payload), "application/json"
    form = delivery.payload if delivery.kind == COMMAND else {"payload": json.dumps(delivery.payload)}
    return urlencode(form), "application/x-www-form-urlencoded"
