"""JSON documents, and long ones piece by piece.

`json` lets nobody else run until it has read a whole one, in a thread as well.
"""

import json
from json import JSONDecodeError
from json.decoder import WHITESPACE, scanstring  # type: ignore[attr-defined]  # they are there, and documented nowhere
from json.scanner import make_scanner
from typing import Any

from bot.errors import TooLarge

MEGABYTE = 1_000_000
MOST_MEGABYTES = 64
MOST_VALUES = 2_000_000  # in one document: each takes a hundred bytes, however short it is written
LONG = 500_000
LONGEST_STRING = 8 * MEGABYTE  # nothing can be read of one in pieces
DEEPEST = 20

_scan = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]  # a context is what it wants


def parsed(body: bytes) -> Any:
    """Return what a JSON document says; raises ValueError or RecursionError for what is none, TooLarge."""
    if len(body) <= LONG:
        return json.loads(body)
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:
        raise TooLarge(MOST_MEGABYTES)
    text = body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    return Document(text).read()


class Document:
    """A long text, of which one window after the other is read by `json`; a value longer than one, by its parts."""

    def __init__(self, text: str, *, window: int = LONG, longest_string: int = LONGEST_STRING) -> None:
        self._text = text
        self._size, self._longest_string = window, longest_string
        self._start, self._window = 0, text[:window]

    def read(self) -> Any:
        """Return what the document says; raises ValueError for one that is none."""
        value, end = self._value(self._behind_blanks(0), 0)
        if self._behind_blanks(end) != len(self._text):
            raise JSONDecodeError("Extra data", "", 0)
        return value

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        found = self._within_window(at)
        if found is None:
            self._start, self._window = at, self._text[at : at + self._size]
            found = self._within_window(at)
        if found is not None:
            return found
        first = self._text[at : at + 1]
        if first == '"':
            return self._string(at)
        if first not in ("[", "{") or depth == DEEPEST:
            raise JSONDecodeError("Expecting value", "", 0)
        return self._list(at, depth + 1) if first == "[" else self._object(at, depth + 1)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            string, end = scanstring(self._text[at : at + self._longest_string], 1)
        except ValueError:
            if len(self._text) - at > self._longest_string:
                raise TooLarge(MOST_MEGABYTES) from None
            raise
        return string, at + end

    def _within_window(self, at: int) -> tuple[Any, int] | None:
        """Return a value that ends before the window does; of a number near the window's end more may follow."""
        if not self._start <= at < self._start + len(self._window):
            return None
        is_last = self._start + len(self._window) == len(self._text)
        try:
            value, end = _scan(self._window, at - self._start)
        except (StopIteration, ValueError):
            if is_last and self._start == at:
                raise JSONDecodeError("Expecting value", "", 0) from None
            return None
        return (value, self._start + end) if is_last or end + len("e+0") <= len(self._window) else None

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        found = list[Any]()
        at, mark = self._first(at, "]")
        while mark == ",":
            value, at = self._value(at, depth)
            found.append(value)
            mark, at = self._mark(at, "]")
        return found, at

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        found = dict[str, Any]()
        at, mark = self._first(at, "}")
        while mark == ",":
            name, at = self._value(at, depth)
            if not isinstance(name, str):
                raise JSONDecodeError("Expecting property name", "", 0)
            _, at = self._mark(at, ":", only=":")
            found[name], at = self._value(at, depth)
            mark, at = self._mark(at, "}")
        return found, at

    def _first(self, at: int, end: str) -> tuple[int, str]:
        """Return where the first part begins, and a comma if there is one."""
        at = self._behind_blanks(at + 1)
        return (at + 1, end) if self._text[at : at + 1] == end else (at, ",")

    def _mark(self, at: int, end: str, only: str = "") -> tuple[str, int]:
        """Return the mark behind a value, and what follows it."""
        at = self._behind_blanks(at)
        mark = self._text[at : at + 1]
        if mark not in ((only,) if only else (",", end)):
            raise JSONDecodeError("Expecting ',' delimiter", "", 0)
        return mark, self._behind_blanks(at + 1) if mark != end or only else at + 1

    def _behind_blanks(self, at: int) -> int:
        return int(WHITESPACE.match(self._text, at).end())
