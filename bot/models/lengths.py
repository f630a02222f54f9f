"""A length of time, as people say it: `2h`, `1.5h`, `2h30`, `90 minutes`, `half an hour`, `two hours`. Pure."""

import re
from collections.abc import Sequence
from datetime import timedelta

from bot.models.spelling import UNITS

STOPS = ".,;:!"  # what may stand behind a word of a sentence
_ONE = ("a", "an", "one")
_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {
    **dict.fromkeys(_ONE, 1.0),
    **{word: float(number) for number, word in enumerate(_WORDS, 2)},
    "fifteen": 15.0,
    "twenty": 20.0,
    "thirty": 30.0,
    "forty": 40.0,
    "fifty": 50.0,
    "sixty": 60.0,
    "ninety": 90.0,
    "forty-five": 45.0,
}
_SIZES = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
# Said of how long something takes or has lasted, and with one of them nothing is meant exactly.
_VAGUE = ("about", "around", "couple", "few", "least", "most", "several", "some", "roughly", "another")
_PART = re.compile(r"([0-9]{1,5}(?:[.,][0-9]{1,2})?)(weeks?|w|days?|d|hours?|hrs?|hr?|minutes?|mins?|m)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,5}(?:[.,][0-9]{1,2})?")
_CLOCK = re.compile(r"[0-9]{1,2}[:.][0-9]{2}|[0-9]{1,2}(?:[:.][0-9]{2})?(?:am|pm)")
_TIMES = (
    *("until", "till", "noon", "midnight", "eod", "today", "tomorrow", "tonight"),
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
)
_WITHOUT_SIGNS = dict.fromkeys(map(ord, "-+~<>≈−–"), " ")
MOST_PARTS = 4


def measured(tokens: Sequence[str]) -> int:
    """Return how many of the first tokens are a length of time, 0 for none."""
    return _read(tokens)[1]


def length(said: str) -> timedelta | None:
    """Return how long it is, None for what is no length of time."""
    tokens = said.split()
    found, used = _read(tokens)
    return found if used and used == len(tokens) else None


def is_loose(tokens: Sequence[str]) -> bool:
    """Say whether it is rather said in passing: `one day`, `a minute`."""
    return bool(tokens) and tokens[0].lower() in _ONE and _unit(tokens[1:]) != "h"


def is_like_one(tokens: Sequence[str]) -> bool:
    """Say whether the first tokens can hardly be meant as anything else, and cannot be read: `-2h`, `2-3 hours`."""
    first = tokens[0].lower().rstrip(STOPS) if tokens else ""
    parts = first.translate(_WITHOUT_SIGNS).split()
    if first == "" or len(parts) > MOST_PARTS or not all(_compound(part) or _NUMBER.fullmatch(part) for part in parts):
        return False
    is_signed = first != "".join(parts)
    return bool(is_signed and parts and (_compound(parts[-1]) or _unit(tokens[1:])))


def is_vague(tokens: Sequence[str]) -> bool:
    """Say whether they speak of a length of time that nobody can measure: `a few hours`, `a couple of days`."""
    words = [token.lower().rstrip(STOPS) for token in tokens[:4]]
    upto = next((place for place, word in enumerate(words) if word in UNITS or _compound(word)), 0)
    return upto > 0 and any(word in _VAGUE for word in words[:upto])


def tells_of_time(text: str) -> bool:
    """Say whether a text tells of a time or of a length of time, so that an end may have been meant by it."""
    words = [word.lower().rstrip(STOPS) for word in text.split()]
    return any(
        word in _TIMES or (len(word) > 1 and word in UNITS) or _compound(word) or _is_clock(word) for word in words
    )


def _is_clock(word: str) -> bool:
    return _CLOCK.fullmatch(word) is not None


def _read(tokens: Sequence[str]) -> tuple[timedelta, int]:
    """Return how long the first tokens are, and how many they are: one amount behind another, with or without `and`."""
    total, used, unit = timedelta(), 0, ""
    while used < len(tokens) and not (used and tokens[used - 1][-1:] in STOPS):
        joined = bool(used) and tokens[used].lower() == "and"
        rest = tokens[used + joined :]
        if joined and unit and _are(rest, "a", "half"):
            return total + _SIZES[unit] / 2, used + 3
        found, taken, unit = _amount(rest)
        if not taken:
            break
        total, used = total + found, used + joined + taken
    return total, used


def _amount(tokens: Sequence[str]) -> tuple[timedelta, int, str]:
    """Return one amount, how many tokens say it, and its unit."""
    first = tokens[0].lower() if tokens else ""
    if found := _compound(first.rstrip(STOPS)):
        return found[0], 1, found[1]
    if first == "half":
        behind = 2 if len(tokens) > 1 and tokens[1].lower() in _ONE else 1
        unit = _unit(tokens[behind:])
        return (_SIZES[unit] / 2, behind + 1, unit) if unit else (timedelta(), 0, "")
    number = float(first.replace(",", ".")) if _NUMBER.fullmatch(first) else _NUMBERS.get(first)
    unit = _unit(tokens[1:])
    if number is None or not unit:
        return timedelta(), 0, ""
    return number * _SIZES[unit], 2, unit


def _compound(text: str) -> tuple[timedelta, str] | None:
    """Return how long one word is, and its last unit: `90m`, `1h30m`, `1.5h`, `2h30`."""
    total, place, unit = timedelta(), 0, ""
    while (part := _PART.match(text, place)) and (not unit or _SIZES[part[2][0].lower()] < _SIZES[unit]):
        unit, place = part[2][0].lower(), part.end()
        total += float(part[1].replace(",", ".")) * _SIZES[unit]
    tail = text[place:]
    if tail and not (unit == "h" and len(tail) == 2 and tail.isdecimal() and tail < "60"):
        return None
    return (total + timedelta(minutes=int(tail or 0)), unit) if unit else None


def _unit(tokens: Sequence[str]) -> str:
    word = tokens[0].lower().rstrip(STOPS) if tokens else ""
    return word[0] if word in UNITS else ""


def _are(tokens: Sequence[str], *words: str) -> bool:
    return tuple(token.lower().rstrip(STOPS) for token in tokens[: len(words)]) == words
