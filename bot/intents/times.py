"""The end of a lock as German and Spanish say it, in the words that `bot/ends.py` reads; and what is none. Pure."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from bot import ends
from bot.errors import UsageError
from bot.grammar import Word, split
from bot.intents.later import later_in
from bot.intents.time_words import DAYS, HALVES, LENGTHS, NEXT, NUMBERS, SPANS, bare, is_amount, joined
from bot.models.lengths import is_vague, measured, tells_of_time
from bot.models.spelling import BEFORE_A_TIME

_UNTIL = ("bis", "hasta")
_FROM = ("ab", "beginnend", "startend", "partir", "desde")
_FOR = ("für", "fuer", "por", "durante")
_LEADING = frozenset((*_UNTIL, *BEFORE_A_TIME, *_FOR, "for", "over", "über", "übers"))  # to an end
_AT, _OCLOCK = ("um", "a", "las", "al", "el", "den"), "uhr"
# Behind a time it says which half of the day is meant, so that the time alone would be another one.
_PARTS_OF_A_DAY = frozenset(
    (
        *("evening", "afternoon", "morning", "night", "tonight", "abend", "abends", "nachmittag", "nachmittags"),
        *("nachts", "nacht", "früh", "morgens", "vormittag", "vormittags", "tarde", "noche", "madrugada", "mañana"),
        *("halb", "media", "cuarto", "today", "tomorrow", "übermorgen", "uebermorgen", "weekend", "wochenende"),
    )
)
# Between an end and what goes on with it: `mittag am Freitag`, `dos días y medio`.
_JOINED = frozenset(
    (
        *("of", "on", "the", "and", "or", "am", "im", "den", "der", "des", "und", "oder", "ein", "eine", "einen"),
        *("del", "de", "el", "la", "los", "las", "y", "o", "un", "una"),
    )
)
_COUNTING = ("y", "und", "o", "oder", "and", "or", "bis", "von", "de")  # before a length, it is a part of one
_MORE = frozenset(("mehr", "länger", "más", "more", "longer", "then"))
_BEFORE_AN_END = frozenset(("before", "by", "over", "for", "vor", "über", "übers", "fürs", "antes", *_FOR))
_QUESTIONS = ("when", "wann", "cuándo", "cuando")
_OPEN = (("further", "notice"), ("auf", "weiteres"), ("nuevo", "aviso"))
_FREE = frozenset(("weekend", "wochenende"))
_LENGTH_ENDS = tuple(LENGTHS)
_NEAR, _MOST_SAID = 3, 5  # words


class Said(NamedTuple):
    """What a sentence says of an end: as a command has it, or in words that nobody can read; and the rest of it.

    `starts` are words by which something is to begin at another time than now, which nothing does.
    """

    left: str
    until: str = ""
    unread: str = ""
    starts: str = ""


def end_of(sentence: str) -> Said:
    """Return when a lock is to end by a sentence; what is `unread` would be lost, and is no end."""
    words = [word for word in split(sentence) if word.text]
    spoken = list(_in_english(words))
    try:
        until, left = ends.find(spoken)
    except UsageError:
        until, left = "", spoken
    if until and not _goes_on(spoken, left):
        at = _place(spoken, left)
        starts = later_in(joined(left[:at])) and (later_in(joined(words[:at])) or joined(left[:at]))
        return Said(joined(left), until, starts=starts)
    if (at := next((at for at in range(len(words)) if _is_open(words[at : at + ends.MOST_WORDS])), -1)) >= 0:
        return Said(joined(words[:at]) or sentence)
    if at := next((at for at in range(1, len(words)) if _begins(words[at : at + ends.MOST_WORDS])), 0):
        return Said(joined(words[:at]), unread=joined(words[at:]), starts=later_in(joined(words[:at])))
    starts = later_in(sentence)
    is_end = not _BEFORE_AN_END.isdisjoint(bare(words, at) for at in range(len(words)))
    return Said(
        sentence, unread=sentence if starts or tells_of_time(joined(spoken)) else "", starts="" if is_end else starts
    )


def tells_of_an_end(text: str) -> bool:
    """Say whether a text tells of an end, be it one that can be read or none."""
    said = end_of(text)
    return bool(said.until or said.unread)


def _in_english(words: Sequence[Word]) -> Iterator[Word]:
    """Yield the words with those of an end as English has them: the day and the time behind `bis`, and each length."""
    is_time = is_german = False
    for at, word in enumerate(words):
        text, after = word.text.casefold(), bare(words, at + 1)
        if text in (*_UNTIL, *BEFORE_A_TIME):
            is_time, is_german = True, text == "bis"
            yield Word("until")
        elif text in _FROM and (after in (*DAYS, *_AT, "de", "dem", "del") or after[:1].isdigit()):
            is_time = True
            yield Word("from")
        elif text in _FOR and (is_amount(after) or after in NUMBERS):
            yield Word("for")
        elif text in NUMBERS and (after in LENGTHS or after in ("halbe", "media")):
            yield from () if after in ("halbe", "media") else (Word(NUMBERS[text]),)
        elif bare(words, at) in LENGTHS and at and (bare(words, at - 1) in NUMBERS or is_amount(words[at - 1].text)):
            yield Word(LENGTHS[bare(words, at)])
        elif is_time and (text in (*_AT, _OCLOCK) or (text == "am" and (is_german or after in DAYS))):
            continue
        elif is_time and text.isdecimal() and (after == _OCLOCK or bare(words, at - 1) in ("um", "las")):
            yield Word(f"{text}:00")
        else:
            yield Word(DAYS.get(bare(words, at), word.text), word.quoted)


def _goes_on(spoken: Sequence[Word], left: Sequence[Word]) -> bool:
    """Say whether what stands behind the end is a part of it: `until 9:00 in the evening` is not `until 9:00`."""
    at = _place(spoken, left)
    if bare(left, at - 1) in _COUNTING:
        return True
    if not _PARTS_OF_A_DAY.isdisjoint(word.text.casefold() for word in left[at : at + _NEAR]):
        return True
    behind = [bare(left, place) for place in range(at, len(left))]
    linked = list(takewhile(_JOINED.__contains__, behind))
    if any(measured([word]) for word in behind[:_NEAR]):
        return True
    first, second = ([*behind[len(linked) :], "", ""])[:2]
    if first in HALVES or first.startswith(NEXT) or first[:1].isdigit() or first in SPANS:
        return True
    return bool(linked) and (tells_of_time(first) or second in LENGTHS or first in _MORE)


def _place(spoken: Sequence[Word], left: Sequence[Word]) -> int:
    """Return where the end stood in a sentence of which it was taken out."""
    return next((at for at, (one, other) in enumerate(zip(spoken, left, strict=False)) if one != other), len(left))


def _begins(words: Sequence[Word]) -> bool:
    """Say whether an end begins here, though not one that can be read."""
    if bare(words, 0) not in _LEADING:
        return False
    behind_it = [bare(words, at) for at in range(1, _MOST_SAID + 1)]
    if bare(words, 0) in _FOR and any(word.endswith(_LENGTH_ENDS) for word in behind_it):
        return True
    if bare(words, 0) not in (*_UNTIL, *BEFORE_A_TIME) and not _FREE.isdisjoint(behind_it[:_NEAR]):
        return True
    first, *behind = [bare([word], 0) for word in _in_english(words)] or [""]
    if first == "for":
        return bool(measured(behind)) or is_vague(behind)
    return first == "until" and bool(behind) and behind[0] not in _QUESTIONS


def _is_open(words: Sequence[Word]) -> bool:
    """Say whether the words mean an end that nobody knows yet: so is every lock that is given none."""
    if bare(words, 0) not in _LEADING:
        return False
    behind = [bare([word], 0) for word in words[1 : _NEAR + 1]]
    return any(tuple(behind[: len(one)]) == one for one in _OPEN)
