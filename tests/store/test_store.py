"""What is kept survives its process and is nobody else's; a server that is away is said to be."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bot.embedded import EmbeddedServer
from bot.errors import StoreError
from bot.store import Store
from bot.store.connection import CONNECTIONS, why
from tests.store.conftest import KEEP


async def test_what_was_kept_survives_the_server(tmp_path: Path) -> None:
    for expected in (True, False):
        async with EmbeddedServer(tmp_path) as server:
            store = Store(server.url, retention=KEEP)
            assert await store.claims.first("sent") is expected
            await store.close()


async def test_two_bots_never_share_a_data_folder(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path):
        with pytest.raises(StoreError, match="DATA_DIR"):
            await EmbeddedServer(tmp_path).__aenter__()


async def test_a_lost_redis_is_said_as_such(tmp_path: Path) -> None:
    store = Store(f"unix://{tmp_path}/nothing", retention=KEEP)
    with pytest.raises(StoreError):
        await store.probe()
    await store.close()


@asynccontextmanager
async def answering(answers: Sequence[bytes]) -> AsyncIterator[str]:
    """Stand for a server behind a name: each new connection is answered in the next way, the last one for good."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        while said := await reader.read(65536):
            hello = b"CLIENT" in said or b"SELECT" in said or b"HELLO" in said
            reads = b"$-1\r\n" if b"GET" in said else answer
            writer.write(b"+OK\r\n" * max(said.count(b"CLIENT"), 1) if hello else reads)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}?protocol=2"
    finally:
        server.close()


@pytest.mark.parametrize("code", ["READONLY no", "LOADING Redis is loading", "MASTERDOWN Link is down", "CLUSTERDOWN"])
async def test_a_server_that_is_no_primary_is_left_at_once(code: str, capfd: pytest.CaptureFixture[str]) -> None:
    async with answering([f"-{code}\r\n".encode(), b"+OK\r\n"]) as url:
        store = Store(url, retention=KEEP)
        await store.probe()
        await store.close()
    assert "outage" not in capfd.readouterr().out


async def test_an_outage_is_told_once_though_a_replica_answers(capfd: pytest.CaptureFixture[str]) -> None:
    refusing = b"-READONLY no\r\n"
    async with answering([*[refusing] * 8, b"+OK\r\n"]) as url:
        store = Store(url, retention=KEEP)
        for _ in range(2):
            with pytest.raises(StoreError, match="ReadOnlyError"):
                await store.probe()
            assert not await store.claims.is_taken("what can still be read")
        await store.probe()
        await store.close()
    told = capfd.readouterr().out
    assert told.count("outage_begins") == told.count("outage_ends") == 1


@pytest.mark.parametrize(
    ("error", "context", "said"),
    [
        (RedisConnectionError("Error 111"), ConnectionRefusedError(111, "failed"), "no connection: is it running?"),
        (RedisConnectionError("Error -2"), socket.gaierror(-2, "not known"), "its name leads nowhere"),
        (RedisConnectionError("HELLO must"), AuthenticationError("HELLO must"), "it refuses the user or the password"),
        (AuthenticationError("invalid"), None, "it refuses the user or the password"),
        (RedisConnectionError("Error 1"), ssl.SSLCertVerificationError(1, "self-signed"), "its certificate is not one"),
        (RedisConnectionError("Error 1"), ssl.SSLError(1, "wrong version"), "no connection by TLS"),
        (RedisTimeoutError("Timeout connecting"), TimeoutError(), "no answer in time: is it running?"),
        (ResponseError("DB index is out of range"), None, "ResponseError: DB index is out of range"),
    ],
)
def test_why_redis_does_not_answer_is_said_in_words(error: Exception, context: Exception | None, said: str) -> None:
    error.__context__ = context
    assert why(error).startswith(said)


async def test_who_asks_first_is_answered_first(store: Store) -> None:
    """redis-py's pool gives a connection that comes back to whoever comes next, and lets who waits wait."""
    others, answered, longest = 8 * CONNECTIONS, 0, 0
    connection = store.claims._connection

    async def ask_often() -> None:
        nonlocal answered, longest
        for _ in range(20):
            before = answered
            await connection.ask(connection.redis.exists("nothing"))
            answered += 1
            longest = max(longest, answered - before)

    await asyncio.gather(*(ask_often() for _ in range(others)))
    assert longest <= others + CONNECTIONS


async def test_who_waits_for_redis_can_be_cancelled(store: Store) -> None:
    connection = store.claims._connection

    async def ask_on() -> None:
        while True:
            await connection.ask(connection.redis.exists("nothing"))

    for _ in range(10):
        tasks = [asyncio.create_task(ask_on()) for _ in range(2 * CONNECTIONS)]
        await connection.ask(connection.redis.exists("something"))
        for task in tasks:
            task.cancel()
        _, lost = await asyncio.wait(tasks, timeout=5)
        assert not lost
