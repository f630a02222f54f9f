"""The listening socket, which needs no proxy before it: who says nothing is let go, and nobody takes all the room.

asyncio's own would accept until no file can be opened any more, and write a line for each time it could not.
"""

import asyncio
import errno
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from bot import metrics
from bot.logs import Outage

Protocols = Callable[[], asyncio.BaseProtocol]

MOST = 256  # Slack and CircleCI need a few
ENOUGH_FILES = 4096
BACKLOG = 128
PATIENCE_SECONDS = 10  # for a whole request
KEEP_ALIVE_SECONDS = 75  # until the next one; a proxy must not find it closed just then
ANSWER_SECONDS = 60
PAUSE_SECONDS = 0.1
NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
NO_ROOM = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Door:
    """Accepts for `protocols` from `open` to `close`: at most `most` at a time, each given `patience` for a request."""

    def __init__(self, protocols: Protocols, *, most: int, patience: float = PATIENCE_SECONDS) -> None:
        self._protocols = protocols
        self._most = most
        self._patience = patience
        self._until: dict[asyncio.BaseTransport, float] = {}
        self._answered: set[asyncio.BaseTransport] = set()
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._accepting = Outage("accepting connections")

    @property
    def port(self) -> int:
        """The port that is listened on; 0 while none is."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else 0

    async def open(self, host: str, port: int) -> None:
        """Listen on each address of the host; raises OSError when the port is taken."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, _, _, _, address in dict.fromkeys(found):
            self._sockets.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
        for listening in self._sockets:
            listening.setblocking(False)
            self._tasks.append(asyncio.create_task(self._accept(listening), name="door"))
        self._tasks.append(asyncio.create_task(self._sweep(), name="door's sweep"))

    async def close(self) -> None:
        """Accept nothing more; what is connected stays so."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listening in self._sockets:
            listening.close()

    def came_in(self, transport: asyncio.BaseTransport) -> None:
        """Note that a whole request is here: it is not in anybody's way now."""
        self._answered.add(transport)
        self._give(transport, ANSWER_SECONDS)

    def went_out(self, transport: asyncio.BaseTransport) -> None:
        """Note that it is answered; another may come."""
        self._answered.discard(transport)
        self._give(transport, KEEP_ALIVE_SECONDS)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError as error:
                if error.errno in NO_FILES:
                    self._accepting.failed(error.strerror)
                    self._make_room()
                    await asyncio.sleep(PAUSE_SECONDS)
                continue
            self._accepting.worked()
            try:
                await self._take(connection)
            except OSError:
                connection.close()  # it has gone

    async def _take(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        if self._is_full() and not self._make_room():
            metrics.CONNECTIONS_DROPPED.labels("full").inc()
            with connection:
                connection.send(NO_ROOM)
            return
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(self._protocols, connection)
        if transport not in self._until:
            self._give(transport, self._patience)

    def _give(self, transport: asyncio.BaseTransport, seconds: float) -> None:
        self._until.pop(transport, None)  # so that who waits longest stands first
        self._until[transport] = monotonic() + seconds

    def _is_full(self) -> bool:
        if len(self._until) >= self._most:
            self._forget_closed()
        return len(self._until) >= self._most

    def _make_room(self) -> bool:
        """Let the one go that keeps us waiting longest; False where all have sent their request."""
        for transport in self._until:
            if transport not in self._answered:
                self._drop(transport, "room")
                return True
        return False

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(1, self._patience / 4))
            self._forget_closed()
            now = monotonic()
            for transport in [one for one, until in self._until.items() if until < now]:
                self._drop(transport, "late")

    def _forget_closed(self) -> None:
        for transport in [one for one in self._until if one.is_closing()]:
            self._forget(transport)

    def _drop(self, transport: asyncio.BaseTransport, why: str) -> None:
        self._forget(transport)
        metrics.CONNECTIONS_DROPPED.labels(why).inc()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def _forget(self, transport: asyncio.BaseTransport) -> None:
        self._until.pop(transport, None)
        self._answered.discard(transport)


def room() -> int:
    """Return how many connections there may be: half of the files that this process may open are for its own use.

    That number is raised first, as far as it may be and is of use.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if resource.RLIM_INFINITY != soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, soft // 2)
