"""Names that look like others: what mixes alphabets, or holds what nobody sees, in words to who is about to agree."""

import re
import unicodedata
from collections.abc import Iterator

from bot.models import git
from formatters.blocks import clean, code
from formatters.unseen import unseen

MOST_NOTES = 3
# Alphabets of which some letters look like those of another; who writes `修正` or `שלום` beside Latin misleads nobody.
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN", "LISU")
# Letters that are drawn as Latin ones; a word of nothing else is read as Latin.
_LOOK_LATIN = frozenset("асеорхуѕіјһԁԛԝӏАВЕКМНОРСТХЅІЈԌԚԜҮοναικρυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧϲϳօսոցհԼՕՍ")
# Drawn as / . - or : are; a rule about `release/*` does not mean them.
_LOOK_LIKE_SIGNS = frozenset(
    "\u2044\u2215\u29f8\uff0f\u2024\uff0e\u2010\u2011\u2012\u2013\u2014\u2212\uff0d\uff1a\ua789\u2236"
)
_WORD = re.compile(r"[^\W\d_]+")
_BLANKS = re.compile(r" {2,}")


def careful(*names: str) -> str:
    """Return why one should be careful with some of these names, for mrkdwn, or empty text; each is spelled out."""
    noted = [f"Careful: this name {why}: {code(spelled, 300)}." for why, spelled in _noted(names)]
    more = len(noted) - MOST_NOTES
    return " ".join([*noted[:MOST_NOTES], *([f"And {more} more names like that."] if more > 0 else [])])


def careful_plainly(*names: str) -> str:
    """Return the same of the first such name, for a dialog."""
    return next((f"Careful: this name {clean(why, 90)}: {clean(spelled, 90)}" for why, spelled in _noted(names)), "")


def exactly(text: str) -> str:
    """Return text for a dialog so that it is read as it is: what hides or looks like others as its code point.

    So is each of several blanks, of which one would be shown.
    """
    odd = {at for row in _BLANKS.finditer(text) for at in range(*row.span())}
    return _spelled(text, odd.union(*(places for _, places in _odd(text))))


def _odd(text: str) -> Iterator[tuple[str, set[int]]]:
    yield from _mixed(text)
    yield from _dressed(text)
    yield from _hidden(text)


def _noted(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield why each name that asks for care does, and the name with the code points of what is odd."""
    for name in dict.fromkeys(names):
        found = list(_odd(name))
        if found:
            odd = set[int]().union(*(places for _, places in found))
            yield " and ".join(dict.fromkeys(why for why, _ in found)), _spelled(name, odd)


def _mixed(name: str) -> Iterator[tuple[str, set[int]]]:
    """Yield the words that mix alphabets, and those of another alphabet that look Latin."""
    for word in _WORD.finditer(name):
        of = {at: _alphabet(name[at]) for at in range(*word.span())}
        alphabets = [one for one in _ALPHABETS if one in of.values()]
        if len(alphabets) > 1:
            listed = " and ".join(one.title() for one in alphabets)
            yield f"mixes {listed} letters", {at for at, one in of.items() if one in alphabets[1:]}
        elif alphabets and alphabets != ["LATIN"] and all(name[at] in _LOOK_LATIN for at in of):
            yield f"looks Latin and is {alphabets[0].title()}", set(of)


def _alphabet(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _dressed(name: str) -> Iterator[tuple[str, set[int]]]:
    """Yield letters, digits and signs that Unicode has a second time, in another dress, and phonetic letters."""
    letters = {
        at
        for at, one in enumerate(name)
        if one.isalnum() and (unicodedata.normalize("NFKC", one) != one or _is_phonetic(one))
    }
    if places := letters - unseen(name):
        yield "holds letters that look like others", places
    if places := {at for at, one in enumerate(name) if one in _LOOK_LIKE_SIGNS}:
        yield "holds signs that look like others", places


def _is_phonetic(character: str) -> bool:
    return "\u0250" <= character <= "\u02af" or "\u1d00" <= character <= "\u1d2b"


def _hidden(name: str) -> Iterator[tuple[str, set[int]]]:
    """Yield what nobody sees, and blanks that are no plain space."""
    blanks = {at for at, one in enumerate(name) if one.isspace() and one != " "}
    if places := blanks | unseen(name):
        yield "holds what nobody sees", places


def _spelled(name: str, odd: set[int]) -> str:
    return "".join(f"[{git.code_point(one)}]" if at in odd else one for at, one in enumerate(name))
