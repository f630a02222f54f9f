"""What comes over the wire, read in bounded memory, and understood without holding up anybody else."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from bot.circleci.answers import UNREADABLE, Answer, answer, decode
from bot.circleci.documents import LONG, MEGABYTE, MOST_MEGABYTES
from bot.errors import TooLarge, Unavailable

MOST_WORDS = 100_000  # bytes of an error; nobody reads on
MOST_AT_ONCE = 100  # values made into models while others wait

M = TypeVar("M", bound=BaseModel)


async def content(response: httpx.Response, most: int) -> bytes | None:
    """Return the body, unpacked, or None where it is longer than `most`."""
    parts, length = list[bytes](), 0
    async for part in unpacked(response):
        parts.append(part)
        length += len(part)
        if length > most:
            return None
    return b"".join(parts)


def unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the body in pieces, each of some megabytes at most.

    Raises Unavailable for one that is packed twice, where a piece may be a thousand times a thousand times as long, or
    in a way that was not asked for.
    """
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("identity", "gzip", "deflate"):
        raise Unavailable(UNREADABLE)
    return response.aiter_bytes()


async def whole(response: httpx.Response) -> httpx.Response:
    """Return the response with its body; of an error as much as may be words. Raises TooLarge."""
    body = await content(response, MOST_MEGABYTES * MEGABYTE if response.is_success else MOST_WORDS)
    if body is None and response.is_success:
        raise TooLarge(MOST_MEGABYTES)
    packed = ("content-encoding", "content-length", "transfer-encoding")
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in packed]
    return httpx.Response(response.status_code, headers=headers, content=body or b"")


async def understood(response: httpx.Response, *, secret: str, now: datetime) -> Answer:
    """Return what `answer` does; of a long response in a thread."""
    if len(response.content) <= LONG:
        return answer(response, secret=secret, now=now)
    return await asyncio.to_thread(answer, response, secret=secret, now=now)


async def decode_all(model: type[M], items: Iterable[Any]) -> list[M]:
    """Return the items as models; raises Unavailable for what is none. Thousands of them take a while, in a thread."""
    listed = list(items)
    if len(listed) <= MOST_AT_ONCE:
        return [decode(model, one) for one in listed]
    return await asyncio.to_thread(lambda: [decode(model, one) for one in listed])
