"""A length of time, as people say it: `2h`, `1.5h`, `2h30`, `90 minutes`, `half an hour`, `two and a half hours`. Pure.

One that is said in more words than are read here is none: a part of it is another length (`is_cut_off`).
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

from bot.models.spelling import UNITS

STOPS = ".,;:!"  # what may stand behind a word of a sentence
_ONE = ("a", "an", "one")
_WORDS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_DIGITS = {"one": 1.0, **{word: float(number) for number, word in enumerate(_WORDS[:8], 2)}}
_TENS = {
    word: float(number)
    for number, word in zip(
        range(20, 100, 10), ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), strict=True
    )
}
_NUMBERS = {
    **dict.fromkeys(_ONE, 1.0),
    **{word: float(number) for number, word in enumerate(_WORDS, 2)},
    **_TENS,
    **{f"{ten}-{digit}": _TENS[ten] + _DIGITS[digit] for ten in _TENS for digit in _DIGITS},
}
_PIECES = ("half", "quarter", "quarters", "third", "thirds")
_MORE_NUMBERS = (*_PIECES, "dozen", "hundred", "couple")
_JOINING = ("and", "or", "to", "of", "plus", "so", "&")
_MORE_UNITS = ("second", "seconds", "fortnight", "fortnights", "month", "months", "year", "years")
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
_WITHOUT_SIGNS = dict.fromkeys(map(ord, "-+~<>≈−–/½¼¾"), " ")
MOST_PARTS = 4
_MOST_SAID = 6  # words before the unit


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
    return bool(tokens) and tokens[0].lower() in _ONE and _unit(tokens[1:]) not in ("", "h")


def is_like_one(tokens: Sequence[str]) -> bool:
    """Say whether the first tokens can hardly be meant as anything else, and cannot be read: `-2h`, `2-3 hours`."""
    first = tokens[0].lower().rstrip(STOPS) if tokens else ""
    parts = first.translate(_WITHOUT_SIGNS).split()
    if first == "" or len(parts) > MOST_PARTS or not all(_compound(part) or _NUMBER.fullmatch(part) for part in parts):
        return False
    is_signed = first != "".join(parts)
    return bool(is_signed and parts and (_compound(parts[-1]) or _unit(tokens[1:])))


def is_spoken(tokens: Sequence[str]) -> bool:
    """Say whether they are some number of units, though none that is read: `two dozen hours`, `2 months`."""
    words = [token.lower().rstrip(STOPS) for token in tokens[: _MOST_SAID + 1]]
    upto = next((at for at, word in enumerate(words) if len(word) > 1 and word in (*UNITS, *_MORE_UNITS)), 0)
    return upto > 0 and _is_numeral(words[0]) and (upto == 1 or words[0] not in _ONE or all(map(_counts, words[:upto])))


def is_cut_off(before: Sequence[str], behind: Sequence[str]) -> bool:
    """Say whether a length between these words is a part of one: `two and a` half hours, 2 hours `and a quarter`."""
    led = list(takewhile(_counts, reversed([_bare(word) for word in before])))
    if any(_is_numeral(word) and word not in _ONE for word in led):
        return True
    follows = list(takewhile(_counts, [_bare(word) for word in behind]))
    goes_on = any(map(_is_numeral, follows)) and (follows[0] == "or" or len(follows) == len(behind))
    return goes_on or any(word in _PIECES for word in follows)


def _bare(word: str) -> str:
    return word.lower().rstrip(STOPS)


def _is_numeral(word: str) -> bool:
    parts = word.translate(_WITHOUT_SIGNS).split() or ([word] if word else [])
    known = (*_NUMBERS, *_MORE_NUMBERS)
    return bool(parts) and (word in known or all(_NUMBER.fullmatch(part) or part in known for part in parts))


def _counts(word: str) -> bool:
    return word in _JOINING or _is_numeral(word)


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
        found, taken, named = _amount(rest)
        if not taken:
            halved = _half(rest) if joined and unit else 0
            return (total + _SIZES[unit] / 2, used + 1 + halved) if halved else (total, used)
        total, used, unit = total + found, used + joined + taken, named
    return total, used


def _amount(tokens: Sequence[str]) -> tuple[timedelta, int, str]:
    """Return one amount, how many tokens say it, and its unit."""
    if tokens and (found := _compound(tokens[0].lower().rstrip(STOPS))):
        return found[0], 1, found[1]
    number, used = _number(tokens)
    unit = _unit(tokens[used:])
    return (number * _SIZES[unit], used + 1, unit) if used and unit else (timedelta(), 0, "")


def _number(tokens: Sequence[str]) -> tuple[float, int]:
    """Return the number that the first tokens say, and how many they are: `half an`, `twenty four`, `2 and a half`."""
    first, second = (token.lower() for token in (*tokens, "", "")[:2])
    if first == "half" or (first in _ONE and second == "half"):
        return 0.5, 1 + (second in _ONE or second == "half")
    number = float(first.replace(",", ".")) if _NUMBER.fullmatch(first) else _NUMBERS.get(first)
    if number is None:
        return 0, 0
    used = 1
    if first in _TENS and second in _DIGITS:
        number, used = number + _DIGITS[second], 2
    halved = _half(tokens[used + 1 :]) if _are(tokens[used:], "and") else 0
    return (number + 0.5, used + 1 + halved) if halved and _unit(tokens[used + 1 + halved :]) else (number, used)


def _half(tokens: Sequence[str]) -> int:
    """Return how many of the first tokens say one half."""
    return 2 if _are(tokens, "a", "half") else int(_are(tokens, "half"))


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
