"""When a lock is to end, as people say it: `until 17:00`, `2h`, `for 90m`, `till tomorrow 9:00`. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import UsageError
from bot.grammar import Word
from bot.models import days, lengths
from bot.models.lengths import STOPS
from bot.models.spelling import BEFORE_A_TIME, UNITS

LONGEST = timedelta(days=30)
# One of these is the beginning of an end where a time is behind it, and otherwise of a reason: `by 23:00`, `by grace`.
_MAYBE = ("by",)
OF_A_REASON = " A reason with such a word goes in quotes."
HOW = "Write `until 17:00`, `until tomorrow 9:00`, `until 2026-12-01 09:00` or `for 2h`"

AT_ONCE = "It begins at once and has one end, and this tells of another time."
# Noted of a lock whose reason tells of a time, and which has no end.
NOT_GIVEN = "no_end"

MOST_WORDS = 9  # of an end, and one behind it
# A length of time behind one of these, or before one of those, says how long something has lasted or takes.
_NO_END = ("about", "after", "by", "every", "in", "last", "of", "over", "past", "since", "takes", "within")
_NO_END_EITHER = ("after", "ago", "before", "behind", "early", "in", "late", "later", "left", "of", "old", "too")
# Behind these it is told when something begins, and behind those an end goes on.
_FROM = ("from", "starting", "beginning")
_LEADS, _JOINED = ("on", "at", "the"), ("the", "of", "on", "at", "and", "or")
_LED_TO = (("the", "next"), ("next",), ("about",), ("around",), ("roughly",))
_ZONES = ("bst", "cest", "cet", "cdt", "cst", "edt", "eest", "eet", "est", "ist", "jst", "mdt", "mst", "pdt", "pst")
_UTC = ("gmt", "utc", "z")
_CLOCK = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?(am|pm)?", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:t([0-9]{1,2}:[0-9]{2}))?", re.IGNORECASE)


class End(NamedTuple):
    """A moment, and what of it is to be said, as in `formatters/locks.py`."""

    at: datetime
    notes: tuple[str, ...] = ()


class _Spoken(NamedTuple):
    """A time of the clock, in hours and minutes, and the day of it: a date, a day of the week, or none."""

    clock: tuple[int, int]
    day: str = ""
    is_utc: bool = False


def find(words: Sequence[Word], *, behind_a_branch: bool = False) -> tuple[str, list[Word]]:
    """Return the words that say when it ends, empty text for none, and what is left; raises UsageError for nonsense.

    They stand before the reason or behind it; `behind_a_branch` says that the first word may be what is locked.
    """
    found, start = list[tuple[int, int]](), 0
    while start < len(words):
        end = _said_at(words, start, behind_a_branch)
        found += [(start, end)] if end > start else []
        start = max(end, start + 1)
    if len(found) > 1:
        raise UsageError("Two ends are named, and I take one.", given=_joined(words[slice(*found[1])]))
    start, end = found[0] if found else (len(words), len(words))
    if at := _another_time(words, start, end, behind_a_branch=behind_a_branch):
        raise UsageError(f"{AT_ONCE} {HOW}.{OF_A_REASON}", given=_joined(words[slice(*at)]))
    if not found:
        return "", list(words)
    return _joined(words[start:end]).rstrip(STOPS), [*words[:start], *words[end:]]


def asks_for_a_zone(said: str) -> bool:
    """Say whether it depends on the zone of who says it: a length of time does not."""
    return said.lower().startswith((*BEFORE_A_TIME, *_MAYBE)) and not _spoken(said.split()[1:])[0].is_utc


def read(said: str, now: datetime, zone: str, *, longest: timedelta = LONGEST) -> End:
    """Return when a lock is to end that is set now; raises UsageError for what is past, too far away or none.

    `zone` is that of who says it, by its name; of one that is empty or unknown it is noted that it was read as UTC.
    """
    tokens = said.split()
    if not tokens or tokens[0].lower() not in (*BEFORE_A_TIME, *_MAYBE):
        return End(_checked(now + _length(said), now, said, longest))
    spoken, used = _spoken(tokens[1:])
    if used < len(tokens) - 1:
        raise _nonsense(said)
    known = UTC if spoken.is_utc else _zone(zone)
    naive, notes = _local(spoken, now.astimezone(known or UTC), said)
    at, moved = _moment(naive, known or UTC)
    notes = (*notes, *moved, *(() if known else ("utc",)))
    return End(_checked(at, now, said, longest), notes)


def _said_at(words: Sequence[Word], start: int, behind_a_branch: bool) -> int:  # a place, of one of our own
    """Return behind which word an end ends that begins at `start`; `start` itself where none does."""
    text = words[start].text.lower()
    if words[start].quoted:
        return start
    tokens = [word.text for word in words[start + 1 : start + MOST_WORDS]]
    if text in BEFORE_A_TIME:
        _, used = _spoken([] if any(word.quoted for word in words[start + 1 : start + 2]) else tokens)
        return start + 1 + used
    if text == "for":
        used = _measured_behind_for(_plain(words[start + 1 : start + MOST_WORDS]))
        return start + 1 + used if used else start
    if text in _MAYBE:
        used = _time_behind(tokens)
        return start + 1 + used if used and _is_edge(words, start, start + 1 + used, behind_a_branch) else start
    return start + _measured_alone(words, start, behind_a_branch)


def _another_time(words: Sequence[Word], start: int, end: int, *, behind_a_branch: bool) -> tuple[int, int] | None:
    """Return where a time is told beside the end: when it would begin, or what the end goes on with.

    `tomorrow for 2h`, `for 2h on friday`, `from 9:00`, `until noon the day after`.
    """
    text = ["" if word.quoted else word.text.lower() for word in words]
    for at in (at for at, word in enumerate(text) if word in _FROM and not start <= at < end):
        if (led := _led(text, at + 1, _LEADS)) < len(text) and _is_time(text[led]):
            return at, led + 1
    if start == end:
        return None
    before = text[start - 1] if start else ""
    if days.is_word(before.rstrip(STOPS)) or (_is_time(before) and not (start == 1 and behind_a_branch)):
        return start - 1, end
    led = len(text) if text[end - 1][-1:] in STOPS else _led(text, end, _JOINED)
    said = text[led].rstrip(STOPS) if led < len(text) else ""
    return (start, led + 1) if _is_time(said) or (led > end and said in (*UNITS, "weekend")) else None


def is_a_day(words: Sequence[Word], *, behind_a_branch: bool = False) -> bool:
    """Say whether words without an end are nothing but a day: who locks something *tomorrow* does not mean now."""
    text = ["" if word.quoted else word.text.lower() for word in words]
    told = text[int(behind_a_branch and len(text) > 1 and not _is_time(text[0])) :]
    return any(days.is_word(word.rstrip(STOPS)) for word in told) and all(
        word in _LEADS or _is_time(word) for word in told
    )


def _led(text: Sequence[str], at: int, by: Sequence[str]) -> int:
    """Return the first place that none of these words stand at."""
    return at + sum(1 for _ in takewhile(by.__contains__, text[at:]))


def _is_time(text: str) -> bool:
    """Say whether a word is a day or a time of the clock, and no version: `3.12` may be one."""
    bare = text.rstrip(STOPS)
    return days.is_word(bare) or ("." not in bare and _clock(bare) is not None)


def _plain(words: Sequence[Word]) -> list[str]:
    return [word.text for word in takewhile(lambda word: not word.quoted, words)]


def _is_edge(words: Sequence[Word], start: int, end: int, behind_a_branch: bool) -> bool:  # of one of our own
    return start == 0 or end == len(words) or (start == 1 and behind_a_branch)


def _measured_behind_for(tokens: Sequence[str]) -> int:
    """Return how many tokens are a length of time, and what leads to it; raises UsageError for one nobody can read."""
    leading = _leading(tokens)
    used = lengths.measured(tokens[leading:])
    unread = not used and any(like(tokens[leading:]) for like in (lengths.is_like_one, lengths.is_spoken))
    if unread or (not used and lengths.is_vague(tokens)):
        raise _nonsense(" ".join(["for", *tokens[: leading + 3]]))
    if used and lengths.is_cut_off((), _behind(tokens, leading + used)):
        raise _nonsense(" ".join(["for", *tokens[: leading + used + 3]]))
    return leading + used if used else 0


def _behind(tokens: Sequence[str], used: int) -> Sequence[str]:
    """Return the tokens behind so many; none where what these say ends with a stop."""
    return () if used and tokens[used - 1][-1:] in STOPS else tokens[used:]


def _leading(tokens: Sequence[str]) -> int:
    """Return how many tokens lead to a length of time behind `for`, as in `for the next 2h`."""
    text = [token.lower() for token in tokens[:2]]
    return next((len(one) for one in _LED_TO if tuple(text[: len(one)]) == one), 0)


def _measured_alone(words: Sequence[Word], start: int, behind_a_branch: bool) -> int:  # of one of our own
    """Return how many words from there are a length of time that nothing leads to; raises UsageError as above."""
    tokens = _plain(words[start : start + MOST_WORDS])
    before = words[start - 1].text.lower() if start else ""
    used = lengths.measured(tokens)
    behind = tokens[used].lower().rstrip(STOPS) if used < len(tokens) and tokens[used - 1][-1:] not in STOPS else ""
    if before in ("for", *_NO_END, *BEFORE_A_TIME) or behind in _NO_END_EITHER:
        return 0
    if not used and lengths.is_like_one(tokens):
        end = start + 1 + (len(tokens) > 1 and tokens[1].lower() in UNITS)
        if _is_edge(words, start, end, behind_a_branch):
            raise _nonsense(" ".join(tokens[: end - start]))
    if not used or lengths.is_loose(tokens) or not _is_edge(words, start, start + used, behind_a_branch):
        return 0
    first = int(behind_a_branch and words[0].text[:1].isdigit())  # a branch `2.0`
    if lengths.is_cut_off([word.text for word in words[first:start]], _behind(tokens, used)):
        raise _nonsense(_joined(words[max(start - 3, first) : start + used + 2]))
    return used


def _time_behind(tokens: Sequence[str]) -> int:
    """Return how many tokens are a time of the clock, 0 where none begins there; raises UsageError for half of one."""
    if not (tokens and _piece(tokens)[0]):
        return 0
    try:
        return _spoken(tokens)[1]
    except UsageError:
        if any(_clock(token.lower().rstrip(STOPS)) for token in tokens[:2]):
            raise
        return 0


def _joined(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _length(said: str) -> timedelta:
    tokens = said.split()
    if tokens and tokens[0].lower() == "for":
        tokens = tokens[1 + _leading(tokens[1:]) :]
    found = lengths.length(" ".join(tokens))
    if found is None:
        raise _nonsense(said)
    return found


def _spoken(tokens: Sequence[str]) -> tuple[_Spoken, int]:
    """Return the time that the first tokens say, and how many they are; raises UsageError where they say none."""
    found, used = dict[str, Any](), 0
    while used < len(tokens) and not (used and tokens[used - 1][-1:] in STOPS):
        said, taken = _piece(tokens[used : used + days.MOST_WORDS])
        if said is None or said.keys() & found.keys() or ("zone" in said and "clock" not in found):
            break
        found, used = found | said, used + taken
    given = " ".join(["until", *tokens[: used + 1]])
    if days.may_be_one(tokens[used:]):  # of two days none is a guess, and what is left of one would be the reason
        raise UsageError(f"I cannot tell which day that is. {HOW}.{OF_A_REASON}", given=given)
    if found.get("clock") is None:
        raise UsageError(f"At what time of that day? {HOW}.", given=given) if found.get("day") else _nonsense(given)
    if found.get("zone") in _ZONES:
        problem = "I read times in your own zone, as Slack knows it, or in UTC. Write it without the zone"
        raise UsageError(f"{problem}, or with `UTC`.", given=found["zone"].upper())
    return _Spoken(found["clock"], found.get("day", ""), "zone" in found), used


def _piece(tokens: Sequence[str]) -> tuple[dict[str, Any] | None, int]:
    """Return what the first of these tokens says of a time, None for nothing, and how many of them that takes."""
    text, behind = (word.rstrip(STOPS).lower() for word in (*tokens, "", "")[:2])
    day, taken = days.named(tokens)
    if taken:
        return {"day": day}, taken
    if text in ("at", "on"):
        return {} if _piece(tokens[1:])[0] else None, 1
    if days.may_be_one(tokens):
        return None, 1
    if behind in ("am", "pm") and (clock := _clock(text + behind)):
        return {"clock": clock}, 2
    if clock := _clock(text):
        return {"clock": clock}, 1
    if match := _DATE.fullmatch(text):
        return {"day": match[1], **({"clock": _clock(match[2])} if match[2] else {})}, 1
    if days.is_word(text):
        return {"day": text}, 1
    return ({"zone": text} if text in (*_UTC, *_ZONES) else None), 1


def _nonsense(said: str) -> UsageError:
    return UsageError(f"I cannot tell when that is. {HOW}.{OF_A_REASON}", given=said)


def _clock(text: str) -> tuple[int, int] | None:
    """Return hour and minute of `17:00`, `5pm`, `midnight`; 24 is the end of a day. A bare number says neither."""
    if text in ("noon", "midnight"):
        return (12, 0) if text == "noon" else (24, 0)
    match = _CLOCK.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "pm") if half else hour
    return (hour, minute) if (hour < 24 and minute < 60) or (hour, minute) == (24, 0) else None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _local(spoken: _Spoken, now: datetime, said: str) -> tuple[datetime, tuple[str, ...]]:
    """Return the moment in its own zone, and what was made of one that has passed."""
    today = now.date()
    if not spoken.day or spoken.day in ("today", "tomorrow"):
        at = _at(today + timedelta(days=spoken.day == "tomorrow"), spoken.clock)
        is_past = _moment(at, now.tzinfo or UTC)[0] <= now
        return (at + timedelta(days=1), ("tomorrow",)) if is_past and not spoken.day else (at, ())
    weekday = days.weekday(spoken.day)
    if weekday is None:
        return _at(_date(spoken.day, today, said), spoken.clock), ()
    at = _at(today + timedelta(days=(weekday - today.weekday()) % 7), spoken.clock)
    is_past = _moment(at, now.tzinfo or UTC)[0] <= now
    return (at + timedelta(days=7), ("next_week",)) if is_past else (at, ())


def _date(text: str, today: date, said: str) -> date:
    try:
        day = days.nearest(text, today)
    except ValueError:
        raise UsageError("There is no such day.", given=said) from None
    if day > today + LONGEST + timedelta(days=1):
        raise _too_far(said)
    if day < today - timedelta(days=1):
        raise _past(said)
    return day


def _at(day: date, clock: tuple[int, int]) -> datetime:
    hour, minute = clock
    return datetime.combine(day, time(hour % 24, minute)) + timedelta(days=hour // 24)


def _moment(naive: datetime, zone: ZoneInfo | object) -> tuple[datetime, tuple[str, ...]]:
    """Return a time of the clock as a moment: one that is skipped is an hour later, of two the second."""
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))  # type: ignore[arg-type]  # UTC is no ZoneInfo
    if first == second:
        return first, ()
    if first.astimezone(zone).replace(tzinfo=None) != naive:  # type: ignore[arg-type]  # as above
        return max(first, second), ("skipped",)
    return second, ("twice",)


def _checked(at: datetime, now: datetime, said: str, longest: timedelta) -> datetime:
    if at <= now:
        raise _past(said)
    if at > now + longest:
        raise _too_far(said, longest)
    return at.astimezone(UTC)


def _past(said: str) -> UsageError:
    return UsageError(f"That has passed already. {HOW}.", given=said)


def _too_far(said: str, longest: timedelta = LONGEST) -> UsageError:
    problem = f"That is more than {longest.days} days away, which is as far as an end may be. Name an earlier one"
    or_none = ", or none: it stays until it is unlocked then" if longest == LONGEST else ""
    return UsageError(f"{problem}{or_none}.", given=said)
