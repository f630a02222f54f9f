"""The connection to Redis, which follows the primary, and how records are read: what cannot be is in the log, once."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

import structlog
from pydantic import BaseModel, ValidationError
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bot.errors import StoreError, Unreadable
from bot.logs import Outage

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
log = structlog.get_logger(__name__)

# After so long nobody waits any more, and the system gives up a connection whose host is silent. A time-out of
# redis-py's own, which is there unless it is None, runs each command in `asyncio.wait_for`, which loses the cancel of
# whoever waits (python/cpython#86296).
SILENT_SECONDS = 5
_SILENCE = {
    "TCP_USER_TIMEOUT": SILENT_SECONDS * 1000,
    "TCP_KEEPIDLE": SILENT_SECONDS - 2,
    "TCP_KEEPINTVL": 1,
    "TCP_KEEPCNT": 2,
}
PROBE_SECONDS = 60
# Who asks first is answered first: redis-py's pool gives a connection that comes back to whoever comes next, and lets
# who waits for one wait on, for a second where there is much to do.
CONNECTIONS = 16
# What a server answers that has stopped being the primary, or is none yet. It surely did nothing.
NO_PRIMARY = (ReadOnlyError, MasterDownError, ClusterDownError, BusyLoadingError)

# Puts a value in the place of the one that was seen; 0 where it has changed, or is gone.
_SWAP_FIELD = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""


class Connection:
    """What each part of the store is given: the client, the prefix of all keys, how long things are kept."""

    def __init__(self, url: str, *, retention: timedelta, prefix: str) -> None:
        self.pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=5, socket_connect_timeout=2, decode_responses=True
        )
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self.redis = Redis.from_pool(self.pool)
        follow_primary(self.redis)
        self.retention = retention
        self.prefix = prefix
        self._outage = Outage("Redis")
        self._swap_field = self.script(_SWAP_FIELD)

    def key(self, kind: str, name: str | None = None) -> str:
        """Return the key of the one thing of this kind, or of that with a name."""
        return f"{self.prefix}{kind}" if name is None else f"{self.prefix}{kind}:{name}"

    async def ask(self, answer: Awaitable[T]) -> T:
        """Return what Redis answers; raises StoreError where it does not."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                found = await self._in_turn(answer)
        except (RedisError, OSError) as error:
            self._outage.failed(f"{type(error).__name__}: {error}")
            raise StoreError(f"Redis: {why(error)}") from error
        if self._outage.lasts and await self._writes():
            self._outage.worked()
        return found

    async def _in_turn(self, answer: Awaitable[T]) -> T:
        """Return what is answered; who is cancelled before their turn has asked nothing."""
        try:
            await self._turns.acquire()
        except asyncio.CancelledError:
            if isinstance(answer, Coroutine):
                answer.close()
            raise
        try:
            return await answer
        finally:
            self._turns.release()

    async def now(self) -> datetime:
        """Return the time of the server: the one clock that all processes share."""
        return moment(await self.ask(self.redis.time()))

    async def probe(self) -> None:
        """Write something; raises StoreError where that is refused, as a replica or a full server do."""
        await self.ask(self._probe())

    async def _writes(self) -> bool:
        """Say whether writing works too: a server that only reads has not come back."""
        with suppress(RedisError, OSError):
            return bool(await self._probe())
        return False

    def _probe(self) -> Awaitable[Any]:
        return self.redis.set(self.key("probe"), 1, ex=PROBE_SECONDS)

    def script(self, text: str) -> AsyncScript:
        """Return what runs as one step on the server; an answer of its own is to be asked for."""
        return self.redis.register_script(text)

    async def swap_field(self, key: str, field: str, seen: str, value: str) -> bool:
        """Put `value` in the place of what was `seen` in a hash; False where it is not there any more."""
        return bool(await self.ask(self._swap_field(keys=[key], args=[field, seen, value])))


def follow_primary(client: Redis) -> None:
    """Let a client look again where its name leads to, once a server is no primary any more, or its host is gone."""
    pool = client.connection_pool
    client.set_retry(_Anew(pool))
    pool.connection_kwargs["socket_timeout"] = None
    if "path" not in pool.connection_kwargs:  # a unix socket has no host
        known = {getattr(socket, name): value for name, value in _SILENCE.items() if hasattr(socket, name)}
        pool.connection_kwargs.update(socket_keepalive=True, socket_keepalive_options=known)


class _Anew(Retry):
    """Sends what a server refused because it is no primary once more, on a new connection, and closes all others.

    Each would be refused in its turn, and until then read what is old.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        super().__init__(ConstantBackoff(0.05), 1, NO_PRIMARY)
        self._pool = pool

    def __deepcopy__(self, memo: object) -> Self:
        return self  # each connection takes a copy, and would copy the pool too

    async def call_with_retry(
        self, do: Callable[[], Awaitable[T]], fail: Callable[..., Any], *rest: Any, **more: Any
    ) -> T:
        """Do it, or do it again."""

        async def failed(*error: Any) -> None:
            await self._pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]  # it has no type
            await self._pool.disconnect(inuse_connections=False)
            await fail(*error)

        return await super().call_with_retry(do, failed, *rest, **more)


def moment(answer: tuple[int, int]) -> datetime:
    """Return the server's TIME, which is in seconds and millionths of them."""
    seconds, millionths = answer
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=millionths)


def why(error: Exception) -> str:
    """Return in words why Redis did not do it; the log has its own."""
    match error.__context__ or error, error:
        case AuthenticationError() | AuthorizationError(), _:
            return "it refuses the user or the password of its address"
        case socket.gaierror(), _:
            return "its name leads nowhere"
        case ssl.SSLCertVerificationError(), _:
            return "its certificate is not one that I trust"
        case ssl.SSLError(), _:
            return "no connection by TLS: is it rediss:// there?"
        case _, RedisTimeoutError() | TimeoutError():
            return "no answer in time: is it running?"
        case _, RedisConnectionError() | OSError():
            return "no connection: is it running?"
    return f"{type(error).__name__}: {error}"


def decoded(kind: type[M], data: str | bytes) -> M:
    """Return a record; raises Unreadable for one of another version, once it is in the log."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        wrong = sorted({".".join(str(part) for part in item["loc"]) for item in error.errors()})
        log.error("record_unreadable", kind=kind.__name__, fields=wrong)  # noqa: TRY400  # its text would quote the record
        raise Unreadable(kind.__name__) from None


def or_none(kind: type[M], data: str | bytes | None) -> M | None:
    """Return a record that can be had again elsewhere; None for one that is missing, or of another version."""
    with suppress(Unreadable):
        return None if data is None else decoded(kind, data)
    return None
