"""The verbs of CircleCI's API v1.1, https://circleci.com/docs/api/v1/ , and the log documents it points to."""

import json
import re

from bot.circleci.answers import decode, project_path
from bot.circleci.transport import Transport
from bot.errors import Unavailable
from bot.models.circleci import ClassicBuild, Model, User

API = "/api/v1.1/"
SHORTEST_FRAGMENT = 40  # anything shorter may be a cut time stamp

_MESSAGE = re.compile(r'"message"\s*:\s*"((?:[^"\\]++|\\.)*+)', re.DOTALL)
_FRAGMENT = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_CUT_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?\Z")


class OutputTail(Model):
    """The end of a step's output.

    `shortened` says that more came before, `complete` that the end of `text` is the end of the log.
    """

    text: str
    shortened: bool = False
    complete: bool = True


class Classic:
    """API v1.1. Every verb raises a CircleCIError when CircleCI does not do it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def me(self) -> User:
        """Return whom the token belongs to; everything else in that answer is private."""
        return decode(User, (await self._transport.request("GET", API + "me")).data)

    async def build(self, slug: str, number: int) -> ClassicBuild:
        """Return a job with its steps; those of an old job are gone."""
        return decode(ClassicBuild, (await self._transport.request("GET", API + project_path(slug, number))).data)

    async def output(self, url: str, max_bytes: int = 262_144, deadline_seconds: float = 20) -> OutputTail:
        """Return the end of the log behind an `output_url`, in bounded memory and time.

        The address is good for minutes, needs no login and is a secret: it is never logged or kept.
        """
        tail, total, complete = bytearray(), 0, True
        try:
            async with self._transport.download(url, deadline_seconds=deadline_seconds) as chunks:
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
        text = messages(bytes(tail[-max_bytes:]).decode(errors="ignore"), cut=shortened)
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
    whole = _CUT_ESCAPE.sub(r"\1", escaped)
    try:
        return str(json.loads(f'"{whole}"', strict=False))
    except ValueError:
        return whole
