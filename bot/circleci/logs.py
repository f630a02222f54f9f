"""A step's raw output made readable and safe to show.

Whoever writes a log chooses its text, so each pattern takes time in proportion to it (`tests/test_linear.py`). They are
all patterns of `regex`, which lets other threads run while it searches; `re` would hold up every ack meanwhile.
"""

import regex

from bot.masks import masked
from bot.models.terminal import without_escapes

LONGEST_LINE = 1000

_LINE_ENDS = regex.compile("(?<!\r)\r+\n|[\u2028\u2029\x85]")
# Controls, and what turns the direction of text or is not seen at all.
_INVISIBLE = regex.compile("[\x00-\x07\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SURROGATES = regex.compile("[\ud800-\udfff]")


def tail(text: str, lines: int) -> tuple[str, ...]:
    """Return the last `lines` lines of `text` as a terminal would show them, without secrets of a well-known shape."""
    shown = masked("\n".join(_line(line) for line in _plain(text).split("\n"))).rstrip()
    if not shown or lines < 1:
        return ()
    return tuple(_shortened(line) for line in shown.split("\n")[-lines:])


def _plain(text: str) -> str:
    return _SURROGATES.sub("\ufffd", _LINE_ENDS.sub("\n", without_escapes(text)))


def _line(line: str) -> str:
    """Resolve redraws (the last one wins) and backspaces."""
    drawn = [part for part in line.split("\r") if part.strip()]
    line = drawn[-1] if drawn else ""
    if "\b" in line:
        kept: list[str] = []
        for character in line:
            if character != "\b":
                kept.append(character)
            elif kept:
                kept.pop()
        line = "".join(kept)
    return _INVISIBLE.sub("", line.expandtabs(4)).rstrip()


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
