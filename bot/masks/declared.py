"""Values that are declared to be secret, found however they are written.

A value may stand in a text as it is, as base64, URL-encoded, escaped for JSON or HTML, wrapped over lines, indented, or
with characters in it that nobody sees. So a text is read several times, each time with one more layer of such writing
taken off; only where a value is found in a reading is it worked out where that stands in the text.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote

import regex

from bot.masks.shapes import MASK
from bot.masks.unseen import UNSEEN

SHORTEST_DECLARED = 6  # what is shorter stands in half of all words
SHORTEST_ANY_CASE = 8
LAYERS = 3

# What stands for something else; the rest of a text stands for itself.
_WRITTEN = regex.compile(
    r"""
      \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2} | \\u[0-9a-fA-F]{4} | \\[\\/"'bfnrt]
    | %[0-7][0-9a-fA-F] | (?:%[89a-fA-F][0-9a-fA-F])++
    | &(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos|nbsp);
    """,
    regex.VERBOSE,
)
# Blanks, ends of lines, and what nobody sees.
_UNSEEN = rf"{UNSEEN}\p{{Cf}}\p{{Z}}"
# Not a single blank, which most texts are full of: it is even already.
_SPACING = regex.compile(rf"(?!\x20(?![{_UNSEEN}]))[{_UNSEEN}]++")
_SPACING_OF_FORMS = regex.compile(rf"[{_UNSEEN}+]++")
_TOKEN = regex.compile(r"[A-Za-z0-9_.+/=:@-]+")
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BLANKS, _LINE_ENDS = frozenset(" \t\xa0"), frozenset("\n\r\x0b\x0c\x85\u2028\u2029")
_SMALL = {ord(letter.upper()): letter for letter in "abcdefghijklmnopqrstuvwxyz"}

Written = Callable[["regex.Match[str]"], str] | str


class _Reading(NamedTuple):
    """A text with some layers of writing taken off, and where each of its characters stood before that."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


class _Wanted(NamedTuple):
    """What is looked for, in readings whose spacing `spacing` finds and `instead` makes even."""

    spacing: "regex.Pattern[str]"
    instead: Written
    exact: tuple[str, ...] = ()
    any_case: tuple[str, ...] = ()

    def is_in(self, text: str) -> bool:
        """Say whether anything of it stands in a text whose spacing is even."""
        small = _small(text) if self.any_case else ""
        return any(one in text for one in self.exact) or any(one in small for one in self.any_case)

    def spans(self, reading: _Reading) -> Iterator[tuple[int, int]]:
        """Yield where it stands, in the text that the reading was made from."""
        for wanted, text in ((self.exact, reading.text), (self.any_case, _small(reading.text))):
            for one in wanted:
                at = text.find(one)
                while at >= 0:
                    yield reading.starts[at], reading.ends[at + len(one) - 1]
                    at = text.find(one, at + 1)


class Declared:
    """The declared values."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: tuple[str, ...] = ()
        self._wanted: tuple[_Wanted, ...] = ()
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Declare more of them; those that are too short are left out."""
        new = [value for value in values if not is_too_short(value) and value.lower() not in MASK]
        self._values = _longest_first([*self._values, *new])
        spaced = [value for value in self._values if _has_spacing(value)]
        words = [value for value in self._values if not _has_spacing(value)]
        readings = {one for value in words for one in _readings(value, _SPACING, _even)}
        any_case = {one for one in readings if len(one) >= SHORTEST_ANY_CASE and _TOKEN.fullmatch(one)}
        encoded = {one for value in self._values for one in _base64(value)}
        wanted = (
            _Wanted(_SPACING, _even, _longest_first({*(readings - any_case), *encoded}), _lowered(any_case)),
            # One of several words may be wrapped between any two of them, and a form has a plus there.
            _Wanted(_SPACING_OF_FORMS, "", _longest_first(_readings_of_all(spaced))),
        )
        self._wanted = tuple(one for one in wanted if one.exact or one.any_case)

    def masked(self, text: str) -> str:
        """Return `text` without them."""
        for value in self._values:
            text = text.replace(value, MASK)
        found = [one for one in self._wanted if any(map(one.is_in, _readings(text, one.spacing, one.instead)))]
        return _without(text, found) if found else text


def is_too_short(value: str) -> bool:
    """Say whether a value is too short to be masked: too many words have it in them."""
    return (
        len(_SPACING_OF_FORMS.sub("", value) if _has_spacing(value) else _SPACING.sub("", value.strip()))
        < SHORTEST_DECLARED
    )


def _without(text: str, wanted: Sequence[_Wanted]) -> str:
    spans = sorted({span for one in wanted for reading in _placed(text, one) for span in one.spans(reading)})
    kept, end = list[str](), 0
    for start, stop in spans:
        if start >= end:
            kept += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*kept, text[end:]])


def _readings(text: str, spacing: "regex.Pattern[str]", instead: Written) -> Iterator[str]:
    """Yield the text with its spacing made even, and so with more and more layers of writing taken off."""
    yield str(spacing.sub(instead, text))
    for _ in range(LAYERS):
        if not any(mark in text for mark in "\\%&"):
            return
        text, taken_off = _WRITTEN.subn(_stands_for, text)
        if not taken_off:
            return
        yield str(spacing.sub(instead, text))


def _readings_of_all(values: Iterable[str]) -> set[str]:
    return {one for value in values for one in _readings(value, _SPACING_OF_FORMS, "")}


def _placed(text: str, wanted: _Wanted) -> Iterator[_Reading]:
    """Yield the same readings, with the places."""
    reading = _Reading(text, range(len(text)), range(1, len(text) + 1))
    yield _taken_off(reading, wanted.spacing, wanted.instead)
    for _ in range(LAYERS):
        reading = _taken_off(reading, _WRITTEN, _stands_for)
        yield _taken_off(reading, wanted.spacing, wanted.instead)


def _taken_off(before: _Reading, pattern: "regex.Pattern[str]", written: Written) -> _Reading:
    parts, starts, ends, end = list[str](), list[int](), list[int](), 0
    for match in pattern.finditer(before.text):
        meant = written if isinstance(written, str) else written(match)
        parts += [before.text[end : match.start()], meant]
        starts += [*before.starts[end : match.start()], *[before.starts[match.start()]] * len(meant)]
        ends += [*before.ends[end : match.start()], *[before.ends[match.end() - 1]] * len(meant)]
        end = match.end()
    text = "".join([*parts, before.text[end:]])
    return _Reading(text, [*starts, *before.starts[end:]], [*ends, *before.ends[end:]])


def _stands_for(match: "regex.Match[str]") -> str:
    """Return what a piece of writing stands for."""
    piece = match[0]
    if piece[0] == "%":
        return unquote(piece)
    if piece[0] == "&":
        return unescape(piece)
    if piece[1] != "u":
        return _LETTERS.get(piece[1], piece[1])
    units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in piece[2:].split("\\u"))
    return units.decode("utf-16-be", errors="replace")


def _even(match: "regex.Match[str]") -> str:
    """Return one blank for several, and nothing for the end of a line and the blanks around it."""
    return "" if _LINE_ENDS.intersection(match[0]) or not _BLANKS.intersection(match[0]) else " "


def _has_spacing(value: str) -> bool:
    """Say whether a value is more than one word."""
    return len(value.split()) > 1


def _base64(value: str) -> Iterator[str]:
    """Yield the characters that stand for a value in base64, wherever in a longer text it begins."""
    content = value.encode(errors="replace")
    for before in range(3):
        encoded = b64encode(b"\0" * before + content).decode()
        # The first and the last may stand for a part of their neighbours too.
        inside = encoded[(0, 2, 3)[before] : (before + len(content)) * 8 // 6]
        yield inside
        yield inside.translate({ord("+"): "-", ord("/"): "_"})


def _small(text: str) -> str:
    small = text.lower()
    return small if len(small) == len(text) else text.translate(_SMALL)


def _lowered(values: Iterable[str]) -> tuple[str, ...]:
    return _longest_first(value.lower() for value in values)


def _longest_first(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values), key=lambda value: (-len(value), value)))
