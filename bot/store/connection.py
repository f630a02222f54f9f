"""The connection to Redis, and how records are read: what cannot be read is said once, in the log."""

from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from bot.errors import StoreError, Unreadable
from bot.logs import Outage

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
log = structlog.get_logger(__name__)

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
            url, max_connections=16, timeout=5, socket_timeout=5, socket_connect_timeout=2, decode_responses=True
        )
        self.redis = Redis.from_pool(self.pool)
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
            found = await answer
        except (RedisError, OSError) as error:
            self._outage.failed(f"{type(error).__name__}: {error}")
            raise StoreError(f"Redis: {type(error).__name__}: {error}") from error
        self._outage.worked()
        return found

    def script(self, text: str) -> AsyncScript:
        """Return what runs as one step on the server; an answer of its own is to be asked for."""
        return self.redis.register_script(text)

    async def swap_field(self, key: str, field: str, seen: str, value: str) -> bool:
        """Put `value` in the place of what was `seen` in a hash; False where it is not there any more."""
        return bool(await self.ask(self._swap_field(keys=[key], args=[field, seen, value])))


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
