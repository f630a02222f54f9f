"""Socket Mode: hello, envelopes to exactly one connection each, acks, and Slack's ways to hang up.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from playground.slack.conversations import Json

MOST_CONNECTIONS = 10


class NoConnection(Exception):
    """Nobody is there to deliver to, or it went away before it acked."""


@dataclass(eq=False)
class _Connection:
    request: web.Request
    socket: web.WebSocketResponse
    # Told to go: it gets nothing more, as with Slack.
    leaving: bool = False
    sent: list[str] = field(default_factory=list)


class SocketHub:
    """The connections of one app."""

    def __init__(self, app_id: str, note: Callable[[str], None], changed: Callable[[], None]) -> None:
        self.enabled = True
        self.deaf = False
        self.connects: list[float] = []
        self._app_id = app_id
        self._note = note
        self._changed = changed
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._late: set[str] = set()
        self._numbers = count(1)
        self._turn = 0

    @property
    def connections(self) -> int:
        """How many connections would get envelopes."""
        return sum(not connection.leaving for connection in self._connections)

    def ticket(self) -> str:
        """Return what opens one connection."""
        ticket = f"ticket-{next(self._numbers)}"
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take a connection and read its acks until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401)
        self._tickets.discard(ticket)
        # autoping off: a deaf Slack must be able to leave pings unanswered.
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        connection = _Connection(request, socket)
        self.connects.append(time.monotonic())
        try:
            await self._welcome(connection)
            async for message in socket:
                await self._read(socket, message.type, message.data)
        finally:
            if connection in self._connections:
                self._connections.remove(connection)
            self._changed()
        return socket

    async def send(self, envelope: Json, seconds: float) -> Any:
        """Deliver to one connection and return its ack's payload; raises NoConnection, TimeoutError."""
        open_ones = [one for one in self._connections if not one.leaving and not one.socket.closed]
        if not open_ones:
            raise NoConnection("no connection is open")
        self._turn += 1
        chosen, envelope_id = open_ones[self._turn % len(open_ones)], str(envelope["envelope_id"])
        answer = self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        chosen.sent.append(envelope_id)
        try:
            await chosen.socket.send_json(envelope)
            async with asyncio.timeout(seconds):
                return await answer
        except ConnectionError as error:
            raise NoConnection("the connection broke") from error
        except TimeoutError:
            self._late.add(envelope_id)
            raise
        finally:
            self._waiting.pop(envelope_id, None)

    async def disconnect(self, reason: str, *, close: bool = False, one: bool = False) -> None:
        """Tell every connection, or one, to go: warning, refresh_requested, too_many_websockets or link_disabled."""
        for connection in self._connections[: 1 if one else None]:
            connection.leaving = connection.leaving or reason != "warning"
            await self._hang_up(connection, reason, close=close)
        self._changed()

    async def drop(self) -> None:
        """Lose every connection without a word."""
        for connection in list(self._connections):
            connection.leaving = True
            if connection.request.transport is not None:
                connection.request.transport.abort()
            for envelope_id in connection.sent:
                self._give_up(envelope_id)
        self._changed()

    async def close(self) -> None:
        """Close every connection, as when Slack goes away."""
        for connection in list(self._connections):
            with suppress(ConnectionError):
                await connection.socket.close()

    async def _welcome(self, connection: _Connection) -> None:
        if not self.enabled:
            await self._hang_up(connection, "link_disabled", close=True)
            return
        self._connections.append(connection)
        hello = {
            "type": "hello",
            "num_connections": self.connections,
            "debug_info": {"host": "pretend", "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }
        await connection.socket.send_json(hello)
        if self.connections > MOST_CONNECTIONS:
            oldest = next(one for one in self._connections if not one.leaving)
            oldest.leaving = True
            await self._hang_up(oldest, "too_many_websockets", close=True)
        self._changed()

    async def _read(self, socket: web.WebSocketResponse, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.PING and not self.deaf:
            await socket.pong(data)
        if kind is not WSMsgType.TEXT:
            return
        ack = json.loads(data)
        envelope_id = str(ack.get("envelope_id"))
        # Also over another connection than it was sent on: the client answers over its newest.
        answer = self._waiting.pop(envelope_id, None)
        if answer is not None and not answer.done():
            answer.set_result(ack.get("payload"))
        elif envelope_id in self._late:
            self._note(f"envelope {envelope_id} was acked too late")
        else:
            self._note(f"envelope {envelope_id} was acked twice, or never sent")

    async def _hang_up(self, connection: _Connection, reason: str, *, close: bool) -> None:
        with suppress(ConnectionError):
            await connection.socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "pretend"}}
            )
            if close:
                await connection.socket.close()

    def _give_up(self, envelope_id: str) -> None:
        answer = self._waiting.pop(envelope_id, None)
        if answer is not None and not answer.done():
            answer.set_exception(NoConnection("the connection was lost before it acked"))
