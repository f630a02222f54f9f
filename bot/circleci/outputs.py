"""The documents with a step's output, and their end read in bounded memory."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from bot.errors import Unavailable
from bot.models.fields import Model

MOST_BYTES = 262_144
LONGEST_READ = 20.0  # seconds
SHORTEST_FRAGMENT = 40  # anything shorter may be a cut time stamp

_MESSAGE = re.compile(r'"message"\s*:\s*"([^"\\]*+(?:\\.[^"\\]*+)*+)', re.DOTALL)
_FRAGMENT = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")


class OutputTail(Model):
    """The end of a step's output.

    `shortened` says that more came before, `complete` that the end of `text` is the end of the log.
    """

    text: str
    shortened: bool = False
    complete: bool = True


async def read_tail(download: AbstractAsyncContextManager[AsyncIterator[bytes]], max_bytes: int) -> OutputTail:
    """Return the end of a document that comes in pieces; raises Unavailable when nothing of it came."""
    tail, total, complete = bytearray(), 0, True
    try:
        async with download as chunks:
            async for chunk in chunks:
                total += len(chunk)
                tail += chunk
                if len(tail) > 2 * max_bytes:
                    del tail[:-max_bytes]
    except Unavailable:
        if not tail:
            raise
        complete = False
    shortened = total > max_bytes
    document = bytes(tail[-max_bytes:]).decode(errors="ignore")
    # A document of megabytes takes a while, and others wait for the loop.
    text = await asyncio.to_thread(messages, document, cut=shortened)
    return OutputTail(text=text, shortened=shortened, complete=complete)


def messages(document: str, *, cut: bool) -> str:
    """Join the messages of a log document, a JSON array of `{type, time, message}`.

    With `cut` its head is missing, so that it may begin inside a message; the rest of that line is left out.
    Text that is no such document is returned as it is.
    """
    found = [match.group(1) for match in _MESSAGE.finditer(document)]
    if not cut:
        is_list = document.lstrip().startswith("[")
        return "".join(map(_unescaped, found)) if found or is_list else document
    text = "".join(map(_unescaped, [*_fragment(document), *found]))
    return text.partition("\n")[2] or text


def _fragment(document: str) -> list[str]:
    """Return the end of the message that the cut went through, if it did."""
    match = _FRAGMENT.match(document)
    fragment = match.group() if match else ""
    return [fragment] if len(fragment) >= SHORTEST_FRAGMENT else []


def _unescaped(escaped: str) -> str:
    whole = _without_cut_escape(escaped)
    try:
        return str(json.loads(f'"{whole}"', strict=False))
    except ValueError:
        return whole


def _without_cut_escape(escaped: str) -> str:
    cut = _CUT_ESCAPE.search(escaped, max(len(escaped) - len("\\u123"), 0))
    before = escaped[: cut.start()] if cut else escaped
    backslashes = len(before) - len(before.rstrip("\\"))
    # Behind an odd number of others, the last backslash is the end of an escape and not the beginning of one.
    return escaped if backslashes % 2 else before
