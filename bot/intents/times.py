"""The end of a lock as German and Spanish say it, in the words that `bot/ends.py` reads; and what is none. Pure."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from bot import ends
from bot.errors import UsageError
from bot.grammar import Word, split
from bot.models.lengths import STOPS, is_vague, measured, tells_of_time
from bot.models.spelling import BEFORE_A_TIME, UNITS

_UNTIL = ("bis", "hasta")
_FOR = ("für", "fuer", "por", "durante")
_LEADING = frozenset((*_UNTIL, *BEFORE_A_TIME, *_FOR, "for"))  # to an end
_DAYS = {
    **dict.fromkeys(("heute", "hoy"), "today"),
    **dict.fromkeys(("morgen", "mañana"), "tomorrow"),
    **dict.fromkeys(("montag", "lunes"), "monday"),
    **dict.fromkeys(("dienstag", "martes"), "tuesday"),
    **dict.fromkeys(("mittwoch", "miércoles"), "wednesday"),
    **dict.fromkeys(("donnerstag", "jueves"), "thursday"),
    **dict.fromkeys(("freitag", "viernes"), "friday"),
    **dict.fromkeys(("samstag", "sonnabend", "sábado"), "saturday"),
    **dict.fromkeys(("sonntag", "domingo"), "sunday"),
    **dict.fromkeys(("mittag", "mittags", "mediodía"), "noon"),
    **dict.fromkeys(("mitternacht", "medianoche"), "midnight"),
}
_NUMBERS = {
    **dict.fromkeys(("ein", "eine", "einen", "einer", "un", "una"), "one"),
    **dict.fromkeys(("zwei", "dos"), "two"),
    **dict.fromkeys(("drei", "tres"), "three"),
    **dict.fromkeys(("vier", "cuatro"), "four"),
    **dict.fromkeys(("fünf", "cinco"), "five"),
    **dict.fromkeys(("sechs", "seis"), "six"),
    **dict.fromkeys(("halbe", "media"), "half"),
}
_LENGTHS = {
    **dict.fromkeys(("stunde", "stunden", "hora", "horas"), "hours"),
    **dict.fromkeys(("minute", "minuten", "minuto", "minutos"), "minutes"),
    **dict.fromkeys(("tag", "tage", "tagen", "día", "dia", "días", "dias"), "days"),
    **dict.fromkeys(("woche", "wochen", "semana", "semanas"), "weeks"),
}
_AT, _OCLOCK = ("um", "a", "las", "al", "el", "den"), "uhr"
# Behind a time it says which half of the day is meant, so that the time alone would be another one.
_PARTS_OF_A_DAY = frozenset(
    (
        *("evening", "afternoon", "morning", "night", "tonight", "abend", "abends", "nachmittag", "nachmittags"),
        *("nachts", "nacht", "früh", "morgens", "vormittag", "vormittags", "tarde", "noche", "madrugada", "mañana"),
        *("halb", "media", "cuarto", "today", "tomorrow"),
    )
)
# Between an end and what goes on with it: `mittag am Freitag`, `dos días y medio`.
_JOINED = frozenset(
    (
        *("of", "on", "the", "and", "am", "im", "den", "und", "ein", "eine", "einen"),
        *("del", "de", "el", "la", "y", "un", "una"),
    )
)
_HALVES = frozenset(("half", "halb", "halbe", "halben", "medio", "media", "viertel", "cuarto", "quarter"))
_BEFORE_LATER = ("in", "at", "after", "on", "um", "am", "nach", "a", "las", "el", "en", "dentro", "de", "esta", "heute")
_GREETING = ("good", "guten", "gute", "buenos", "buenas")
_EVENING = ("tonight", "evening", "afternoon", "abend", "abends", "nachmittag", "noche", "tarde")
_QUESTIONS = ("when", "wann", "cuándo", "cuando")
_OPEN = (("further", "notice"), ("auf", "weiteres"), ("nuevo", "aviso"))
_NEAR = 3  # words


class Said(NamedTuple):
    """What a sentence says of an end: as a command has it, or in words that nobody can read; and the rest of it."""

    left: str
    until: str = ""
    unread: str = ""


def end_of(sentence: str) -> Said:
    """Return when a lock is to end by a sentence; what is `unread` would be lost, and is no end."""
    words = [word for word in split(sentence) if word.text]
    spoken = list(_in_english(words))
    try:
        until, left = ends.find(spoken)
    except UsageError:
        until, left = "", spoken
    if until and not _goes_on(spoken, left):
        return Said(_joined(left), until)
    if (at := next((at for at in range(len(words)) if _is_open(words[at : at + ends.MOST_WORDS])), -1)) >= 0:
        return Said(_joined(words[:at]) or sentence)
    if at := next((at for at in range(1, len(words)) if _begins(words[at : at + ends.MOST_WORDS])), 0):
        return Said(_joined(words[:at]), unread=_joined(words[at:]))
    return Said(sentence, unread=sentence if tells_of_time(_joined(spoken)) else "")


def later_in(sentence: str) -> str:
    """Return the words of a sentence that tell of another time than now; empty text where none do."""
    words = [word for word in split(sentence) if word.text]
    found = [at for at in range(len(words)) if _is_later(words, at)]
    if not found:
        return ""
    start = found[0]
    while start and (_bare(words, start - 1) in _BEFORE_LATER or _is_number(words, start - 1)):
        start -= 1
    return _joined(words[start : found[-1] + 1])


def _is_later(words: Sequence[Word], at: int) -> bool:
    """Say whether a word is another time; a length of time has a number before it, and a greeting is none."""
    said, before = _bare(words, at), _bare(words, at - 1)
    text = _DAYS.get(said, _LENGTHS.get(said, said))
    if text in ("", "today") or before in _GREETING:
        return False
    if text in UNITS:
        return _is_number(words, at - 1)
    return text in _EVENING or tells_of_time(text) or (text.isdecimal() and before in ("um", "las"))


def _is_number(words: Sequence[Word], at: int) -> bool:
    text = _bare(words, at)
    return text in _NUMBERS or _is_amount(text) or bool(measured([text, "hours"]))


def tells_of_an_end(text: str) -> bool:
    """Say whether a text tells of an end, be it one that can be read or none."""
    said = end_of(text)
    return bool(said.until or said.unread)


def _joined(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words).rstrip(STOPS)


def _in_english(words: Sequence[Word]) -> Iterator[Word]:
    """Yield the words with those of an end as English has them: the day and the time behind `bis`, and each length."""
    is_time = False
    for at, word in enumerate(words):
        text, after = word.text.casefold(), _bare(words, at + 1)
        if text in (*_UNTIL, *BEFORE_A_TIME):
            is_time = True
            yield Word("until")
        elif text in _FOR and (_is_amount(after) or after in _NUMBERS):
            yield Word("for")
        elif text in _NUMBERS and (after in _LENGTHS or after in ("halbe", "media")):
            yield from () if after in ("halbe", "media") else (Word(_NUMBERS[text]),)
        elif (
            _bare(words, at) in _LENGTHS and at and (_bare(words, at - 1) in _NUMBERS or _is_amount(words[at - 1].text))
        ):
            yield Word(_LENGTHS[_bare(words, at)])
        elif is_time and text in (*_AT, _OCLOCK):
            continue
        elif is_time and text.isdecimal() and (after == _OCLOCK or _bare(words, at - 1) in ("um", "las")):
            yield Word(f"{text}:00")
        else:
            yield Word(_DAYS.get(_bare(words, at), word.text), word.quoted)


def _bare(words: Sequence[Word], at: int) -> str:
    return words[at].text.casefold().rstrip(STOPS) if 0 <= at < len(words) and not words[at].quoted else ""


def _is_amount(text: str) -> bool:
    return text.replace(",", ".").replace(".", "", 1).isdecimal()


def _goes_on(spoken: Sequence[Word], left: Sequence[Word]) -> bool:
    """Say whether what stands behind the end is a part of it: `until 9:00 in the evening` is not `until 9:00`."""
    at = next((place for place, (one, other) in enumerate(zip(spoken, left, strict=False)) if one != other), len(left))
    if not _PARTS_OF_A_DAY.isdisjoint(word.text.casefold() for word in left[at : at + _NEAR]):
        return True
    behind = [_bare(left, place) for place in range(at, len(left))]
    joined = list(takewhile(_JOINED.__contains__, behind))
    first = behind[len(joined)] if len(joined) < len(behind) else ""
    return first in _HALVES or (bool(joined) and tells_of_time(first))


def _begins(words: Sequence[Word]) -> bool:
    """Say whether an end begins here, though not one that can be read."""
    if _bare(words, 0) not in _LEADING:
        return False
    if _bare(words, 0) in _FOR and any(_bare(words, at) in _LENGTHS for at in range(1, _NEAR + 1)):
        return True
    first, *behind = [_bare([word], 0) for word in _in_english(words)] or [""]
    if first == "for":
        return bool(measured(behind)) or is_vague(behind)
    return first == "until" and bool(behind) and behind[0] not in _QUESTIONS


def _is_open(words: Sequence[Word]) -> bool:
    """Say whether the words mean an end that nobody knows yet: so is every lock that is given none."""
    if _bare(words, 0) not in _LEADING:
        return False
    behind = [_bare([word], 0) for word in words[1 : _NEAR + 1]]
    return any(tuple(behind[: len(one)]) == one for one in _OPEN)
