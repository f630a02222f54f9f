"""Where a deploy is to go by a sentence: an environment, of which we know none, so that nobody is to think so. Pure."""

from bot.intents.index import is_courtesy
from bot.models.lengths import STOPS

_TO = frozenset(("to", "into", "onto", "nach", "hacia", "aufs", "ins"))
_BEFORE = frozenset((*_TO, "on", "in", "for", "at", "auf", "für", "a", "en", "para"))
_ARTICLES = frozenset(
    ("the", "our", "my", "die", "das", "der", "den", "dem", "unser", "unsere", "la", "el", "los", "las")
)
_PLACES = frozenset(
    (
        *("prod", "production", "preprod", "pre-prod", "preproduction", "staging", "stage", "uat", "qa", "sandbox"),
        *("produktion", "produktiv", "produktivumgebung", "produktivsystem", "testumgebung", "testsystem", "umgebung"),
        *("producción", "produccion", "preproducción", "preproduccion", "environment", "entorno", "pruebas"),
    )
)
# Of these the beginning, or the end, tells that it is one: `prod-eu`, `Testserver`.
_KINDS = ("server", "system", "umgebung", "cluster", "environment", "servidor", "entorno")
# Who puts something live deploys it; what goes to live, goes to a place.
_BEHIND = frozenset(("live", "vivo", "livesystem"))


def place_in(left: str) -> str:
    """Return the place that the words of a sentence name, of which project and branch were taken out.

    It is a usual name of an environment, behind a preposition or at the end, or whatever stands last behind `to`.
    """
    words = [word.strip(STOPS) for word in left.split() if not is_courtesy(word)]
    said = [word.casefold() for word in words]
    for at, word in enumerate(said):
        start = at - (at > 0 and said[at - 1] in _ARTICLES)
        before, is_last = said[start - 1] if start else "", at == len(said) - 1
        is_live = word in _BEHIND and (is_last or said[at + 1] not in _PLACES)
        is_named = _is_named(word)
        is_place = (is_named and is_last) or ((is_named or is_live) and before in _BEFORE)
        if is_place or (before in _TO and is_last and word not in _ARTICLES):
            return " ".join(words[start - (before in _BEFORE) : at + 1])
    return ""


def _is_named(word: str) -> bool:
    first = word.replace("_", "-").partition("-")[0].rstrip("0123456789")
    return word in _PLACES or first in _PLACES or word.endswith(_KINDS)
