"""All that a Redis holds, as JSON and back: every key with its type, its value, and the milliseconds it has left."""

import re
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

Json = dict[str, Any]
NOTHING = timedelta(0)
# Heartbeats of workers, and turns at the far sides: they live for seconds.
PASSING = re.compile(r"ci-chatops:(workers|worker-tasks|task-workers|leases)\b.*|ci:(budget|pace|turns):.*")


async def read(url: str) -> Json:
    """Return what is there at one moment: whoever writes waits until all of it is read."""
    async with Redis.from_url(url) as redis:
        await redis.client_pause(10_000, all=False)
        found = {str(_text(name)): await _read(redis, name) for name in await _names(redis)}
        await redis.client_unpause()
    return found


async def write(url: str, contents: Json, ago: timedelta, lost: re.Pattern[str]) -> None:
    """Put it there as it is so long afterwards: what has run out since is gone, and so is what is `lost`."""
    async with Redis.from_url(url) as redis:
        for name, one in contents.items():
            left = timedelta(milliseconds=one["left"]) - ago if "left" in one else None
            if not lost.fullmatch(name) and (left is None or left > NOTHING):
                await _write(redis, name, one["type"], one["value"])
                await (redis.persist(name) if left is None else redis.pexpire(name, left))


# In the types of redis-py an answer is bytes or text or both: `redis` is any.
async def _names(redis: Any) -> list[bytes]:
    return [name for name in sorted(await redis.keys("*")) if not PASSING.fullmatch(name.decode())]


async def _read(redis: Any, name: bytes) -> Json:
    kind, left = (await redis.type(name)).decode(), await redis.pttl(name)
    match kind:
        case "string":
            value: object = _text(await redis.get(name))
        case "hash":
            value = _texts(await redis.hgetall(name))
        case "set":
            value = [_text(one) for one in sorted(await redis.smembers(name))]
        case "zset":
            value = [[_text(one), score] for one, score in await redis.zrange(name, 0, -1, withscores=True)]
        case "list":
            value = [_text(one) for one in await redis.lrange(name, 0, -1)]
        case "stream":
            value = await _read_stream(redis, name)
        case _:
            raise LookupError(f"{name!r} is a {kind}")
    return {"type": kind, "value": value} | ({"left": left} if left > 0 else {})


async def _read_stream(redis: Any, name: bytes) -> Json:
    """Return the entries, and of each group what it took last, and what it began and has not ended."""
    entries = [[_text(entry_id), _texts(fields)] for entry_id, fields in await redis.xrange(name)]
    groups = []
    for group in await redis.xinfo_groups(name):
        begun = await redis.xpending_range(name, group["name"], "-", "+", 100)
        pending = [_text(one["message_id"]) for one in begun]
        groups.append({"name": _text(group["name"]), "last": _text(group["last-delivered-id"]), "pending": pending})
    return {"entries": entries, "groups": groups}


async def _write(redis: Any, name: str, kind: str, value: Any) -> None:
    match kind:
        case "string":
            await redis.set(name, _bytes(value))
        case "hash":
            await redis.hset(name, mapping=_all_bytes(value))
        case "set":
            await redis.sadd(name, *map(_bytes, value))
        case "zset":
            await redis.zadd(name, dict(value))
        case "list":
            await redis.rpush(name, *map(_bytes, value))
        case "stream":
            await _write_stream(redis, name, value)


async def _write_stream(redis: Any, name: str, value: Json) -> None:
    """Write it so that whatever a worker had begun waits for another one: it died long ago."""
    for entry_id, fields in value["entries"]:
        await redis.xadd(name, _all_bytes(fields), id=entry_id)
    for group in value["groups"]:
        await redis.xgroup_create(name, group["name"], id=group["last"], mkstream=True)
        if group["pending"]:
            await redis.xclaim(name, group["name"], "worker#1", 0, group["pending"], idle=10**6, force=True)


def _texts(found: dict[bytes, bytes]) -> Json:
    return {str(_text(field)): _text(value) for field, value in sorted(found.items())}


def _text(value: bytes) -> Any:
    """Return text as it is, and what is none, such as docket's pickled arguments, as Python writes bytes."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"bytes": value.decode("latin-1").encode("unicode_escape").decode()}


def _all_bytes(kept: Json) -> dict[str, bytes]:
    return {field: _bytes(one) for field, one in kept.items()}


def _bytes(value: Any) -> bytes:
    if isinstance(value, dict):
        return str(value["bytes"]).encode().decode("unicode_escape").encode("latin-1")
    return str(value).encode()
