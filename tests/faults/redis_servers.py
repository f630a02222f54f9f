"""Debian's redis-server as a process that a test can stop, start again, and dress up."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest


class RedisServer:
    """One server on a unix socket in `folder`, with an append-only file; `url` leads to it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"unix://{folder / 'redis.sock'}"

    async def start(self) -> None:
        """Return when it takes connections; skips the test on a machine without the server."""
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
        self._process = await asyncio.create_subprocess_exec(
            *(binary, "--port", "0", "--unixsocket", str(self._folder / "redis.sock"), "--dir", str(self._folder)),
            *("--appendonly", "yes", "--save", "", *self._options),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while b"ready to accept" not in (await self._process.stdout.readline()).lower():
                assert self._process.returncode is None

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it, politely or not."""
        if self._process is not None and self._process.returncode is None:
            self.signal(number)
            await self._process.communicate()

    def signal(self, number: int) -> None:
        """Let it stand still, or go on."""
        assert self._process is not None
        self._process.send_signal(number)


@asynccontextmanager
async def redis_server(folder: Path, *options: str) -> AsyncIterator[RedisServer]:
    """Run a server."""
    server = RedisServer(folder, *options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def certificate(folder: Path, names: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """Make a certificate for `names` and its key; skips the test without openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed (Debian: apt install openssl)")
    key, chain = folder / "key.pem", folder / "chain.pem"
    process = await asyncio.create_subprocess_exec(
        *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=redis"),
        *(
            "-addext",
            f"subjectAltName={names}",
            "-addext",
            "keyUsage=digitalSignature,keyCertSign",
            "-keyout",
            str(key),
            "-out",
            str(chain),
        ),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    return key, chain


class Name:
    """An address behind which a server can be exchanged, as a fail-over does: open connections stay where they are."""

    def __init__(self, leads_to: RedisServer) -> None:
        self.leads_to = leads_to
        self.port = 0


@asynccontextmanager
async def one_name(leads_to: RedisServer) -> AsyncIterator[Name]:
    """Put an address before a server."""
    name = Name(leads_to)
    async with _passed_on(lambda: name.leads_to.url.removeprefix("unix://")) as name.port:
        yield name


@asynccontextmanager
async def pretending(path: str, real: bytes, shown: bytes) -> AsyncIterator[int]:
    """Stand before a server and change its words, such as its version; yields the port."""
    assert len(real) == len(shown)
    async with _passed_on(lambda: path, lambda answer: answer.replace(real, shown)) as port:
        yield port


@asynccontextmanager
async def _passed_on(path: Callable[[], str], shown: Callable[[bytes], bytes] = bytes) -> AsyncIterator[int]:
    """Lead each connection to the server that is at `path` then; yields the port, and closes all at the end."""
    under_way = set[asyncio.Future[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(path())
        passing = asyncio.gather(_pump(reader, to_server), _pump(from_server, writer, shown), return_exceptions=True)
        under_way.add(passing)
        passing.add_done_callback(under_way.discard)
        with suppress(asyncio.CancelledError):
            await passing

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for passing in under_way:
            passing.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, shown: Callable[[bytes], bytes] = bytes
) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(shown(data))
            await writer.drain()
    finally:
        writer.close()
