"""The words of a sentence that tell of another time than now. Pure."""

from collections.abc import Sequence

from bot.grammar import Word, split
from bot.intents.time_words import DAYS, HALVES, LENGTHS, NEXT, SPANS, bare, is_number, joined
from bot.models.lengths import tells_of_time
from bot.models.spelling import UNITS

_BEFORE_LATER = (
    *("in", "at", "after", "before", "on", "the", "from", "starting", "um", "am", "nach", "ab", "erst", "der", "des"),
    *("einer", "einem", "que", "a", "las", "el", "la", "en", "dentro", "de", "desde", "partir", "esta", "heute"),
)
# Another time by one word; one of `next` with a span or a day behind it; and what has to come about first.
_LATER = frozenset(
    (
        *(
            "later",
            "afterwards",
            "eventually",
            "overnight",
            "weekend",
            "übermorgen",
            "uebermorgen",
            "später",
            "spaeter",
        ),
        *("danach", "nachher", "demnächst", "irgendwann", "wochenende", "übers", "luego", "después", "despues"),
    )
)
_THEN = ("viene", "entrante")  # la semana que viene
_ONCE = frozenset(("after", "once", "when", "whenever", "sobald", "nachdem", "wenn", "cuando", "as soon as", "tras"))
_NOT_ONCE = frozenset(("all", "more", "again", "possible", "you", "möglich", "du", "ihr", "puedas", "puedan", "geht"))
_GREETING = ("good", "guten", "gute", "buenos", "buenas")
_EVENING = ("tonight", "evening", "afternoon", "abend", "abends", "nachmittag", "noche", "tarde")
_HOURS = (
    *("eins", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    *("una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
)


def later_in(sentence: str) -> str:
    """Return the words of a sentence that tell of another time than now; empty text where none do."""
    words = [word for word in split(sentence) if word.text]
    found = [at for at in range(len(words)) if _is_later(words, at)]
    if not found:
        return ""
    start, end = found[0], len(words) if any(_is_once(words, at) for at in found) else found[-1] + 1
    while start and (_leads_later(words, start - 1) or is_number(words, start - 1)):
        start -= 1
    return joined(words[start:end])


def _leads_later(words: Sequence[Word], at: int) -> bool:
    said = bare(words, at)
    return said in _BEFORE_LATER or said in HALVES or said in SPANS or said.startswith(NEXT)


def _is_later(words: Sequence[Word], at: int) -> bool:
    """Say whether a word is another time; a length of time has a number before it, and a greeting is none."""
    said, before = bare(words, at), bare(words, at - 1)
    text = DAYS.get(said, LENGTHS.get(said, said))
    if text in ("", "today") or before in _GREETING:
        return False
    if said in _LATER or said in _THEN or _is_once(words, at):
        return True
    if before.startswith(NEXT) and (text in UNITS or said in SPANS or tells_of_time(text)):
        return True
    if text in UNITS or said.endswith(("stunde", "stunden")):
        return is_number(words, at - 1) or before in HALVES
    if before in ("um", "las", "halb") and (said in HALVES or said in _HOURS):
        return True
    return text in _EVENING or tells_of_time(text) or (text.isdecimal() and before in ("um", "las"))


def _is_once(words: Sequence[Word], at: int) -> bool:
    """Say whether something has to come about first: `after the release`, but not `once more`."""
    behind = {bare(words, at + 1), bare(words, at + 2)}
    is_soon = [bare(words, at + place) for place in range(3)] == ["as", "soon", "as"]
    return (is_soon and bare(words, at + 3) not in _NOT_ONCE) or (
        bare(words, at) in _ONCE and behind != {""} and _NOT_ONCE.isdisjoint(behind)
    )
