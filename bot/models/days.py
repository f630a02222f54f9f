"""A day of the year as people write it: `Dec 3`, `3rd of December 2026`; what may be one or another is none. Pure."""

import re
from collections.abc import Sequence
from datetime import date

from bot.models.lengths import STOPS

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAY = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?")
_YEAR = re.compile(r"20[0-9]{2}")
# `12/3` is the third of December or the twelfth of March; `3.12.` may be a time at the end of a sentence.
_IN_NUMBERS = re.compile(r"([0-9]{1,2})([/.])([0-9]{1,2})(?:/[0-9]{2,4}|\.(?:[0-9]{2,4})?)?[,;:!]?")
_ORDINAL = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th)")
_BEFORE = ("at", "on", "the")
_SPANS = ("day", "week", "month")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_WORDS = 4
YEARLESS = "--"


def named(tokens: Sequence[str]) -> tuple[str, int]:
    """Return the day that the first tokens name with its month, and how many they are; empty text where they do not.

    It is `2026-12-03`, or `--12-03` where no year is said.
    """
    words = [token.lower().rstrip(STOPS) for token in tokens[:MOST_WORDS]]
    for order in (("month", "day"), ("day", "month"), ("day", "of", "month")):
        found = [_part(word, kind) for word, kind in zip(words, order, strict=False)]
        if len(found) == len(order) and all(found):
            parts = dict(zip(order, found, strict=True))
            used, rest = len(order), words[len(order) : len(order) + 1]
            # A full stop ends it, as one behind anything that is said; a comma stands before the year.
            year = rest[0] if rest and _YEAR.fullmatch(rest[0]) and tokens[used - 1][-1:] != "." else ""
            return f"{year or '-'}-{parts['month']:0>2}-{parts['day']:0>2}", used + bool(year)
    return "", 0


def may_be_one(tokens: Sequence[str]) -> bool:
    """Say whether the first tokens may be a day, however it is written."""
    words = [token.lower().strip("()") for token in tokens[: MOST_WORDS + 1]]
    while words and words[0] in _BEFORE:
        words = words[1:]
    if not words:
        return False
    is_told = _ORDINAL.fullmatch(words[0].rstrip(STOPS)) or (words[0] == "next" and _is_a_span(words[1:]))
    return bool(named(words)[1] or is_told or _in_numbers(words[0]))


def _is_a_span(words: Sequence[str]) -> bool:
    return bool(words) and (words[0].rstrip(STOPS) in _SPANS or words[0][:3] in [name[:3] for name in _WEEKDAYS])


def _in_numbers(word: str) -> bool:
    match = _IN_NUMBERS.fullmatch(word)
    if match is None or (match[2] == "." and word.rstrip(",;:!").count(".") < 2):
        return False
    first, second = int(match[1]), int(match[3])
    return 1 <= min(first, second) <= 12 and max(first, second) <= 31


def is_word(text: str) -> bool:
    """Say whether a word is a day by itself, seen from now."""
    return text in ("today", "tomorrow") or weekday(text) is not None


def weekday(text: str) -> int | None:
    """Return which day of the week a word is, in full or by its first three letters; 0 is a Monday."""
    return next((number for number, name in enumerate(_WEEKDAYS) if text in (name, name[:3])), None)


def nearest(text: str, today: date) -> date:
    """Return the day that `named` gave, of the year in which it is nearest; raises ValueError for none."""
    if not text.startswith(YEARLESS):
        return date.fromisoformat(text)
    years = [date.fromisoformat(f"{year}{text[1:]}") for year in (today.year - 1, today.year, today.year + 1)]
    return min(years, key=lambda one: abs(one - today))


def _part(word: str, kind: str) -> str:
    """Return the number of a day or a month that a word says; empty text where it says none."""
    if kind == "of":
        return word if word == "of" else ""
    if kind == "day":
        match = _DAY.fullmatch(word)
        return match[1] if match and 1 <= int(match[1]) <= 31 else ""
    spelled = "sep" if word == "sept" else word
    numbers = [number for number, name in enumerate(_MONTHS, 1) if spelled in (name, name[:3])]
    return str(numbers[0]) if numbers else ""
