"""How well sentences are understood that somebody wrote who had not seen the table of phrases.

The table may not copy them: what is measured would be its memory.
"""

from pathlib import Path
from typing import NamedTuple

from bot.grammar import split
from bot.intents.index import normalized
from bot.intents.reading import Reading
from bot.intents.table import phrases
from bot.intents.values import take
from bot.slack.secrecy import Spoken, secret_in
from tests.intents.reading import KNOWN, PROJECTS, ROUTER, read

SPOKEN = Spoken.of(ROUTER, ())
MOST_WORDS = 2  # so short that there are not many ways to say it: "stop", "who broke", "is green"
FIRST, AMONG_THREE, MOST_ACCEPTED = 80, 93, 3  # of a hundred, of a hundred, of twenty that ask for nothing


class Phrasing(NamedTuple):
    """A sentence, and the command that it asks for, or `nothing`."""

    command: str
    text: str


def phrasings() -> list[Phrasing]:
    rows = (Path(__file__).parent / "phrasings.txt").read_text(encoding="utf-8").splitlines()
    return [Phrasing(*(part.strip() for part in row.split("\t"))) for row in rows if row.strip()]


def understood(text: str) -> Reading:
    """Return what a sentence is read as; one that speaks of secrets is refused before."""
    return Reading() if secret_in(text, SPOKEN) else read(text)


def meant(phrasing: Phrasing) -> str:
    command = ROUTER.named(phrasing.command)
    assert command is not None, phrasing
    return command.name


def test_they_are_understood() -> None:
    asking = [one for one in phrasings() if one.command != "nothing"]
    nothings = [one.text for one in phrasings() if one.command == "nothing"]
    found = {one: [it.command for it in understood(one.text).meant] for one in asking}
    first = [one for one, names in found.items() if names[:1] == [meant(one)]]
    among_three = [one for one, names in found.items() if meant(one) in names[:3]]
    accepted = [text for text in nothings if understood(text).is_sure]
    figures = f"first {len(first)}, among three {len(among_three)} of {len(asking)}; taken for one {len(accepted)} of"
    print(f"{figures} {len(nothings)}")  # noqa: T201  # `pytest -s` shows it
    assert (len(asking), len(nothings)) == (100, 20)
    assert len(first) >= FIRST, [one for one in asking if one not in first]
    assert len(among_three) >= AMONG_THREE, [one for one in asking if one not in among_three]
    assert len(accepted) <= MOST_ACCEPTED, accepted


def test_none_of_them_is_in_the_table() -> None:
    known = {normalized(phrase) for of in phrases().values() for phrase in of}
    left = {text: normalized(take(split(text), PROJECTS, KNOWN)[1]) for _, text in phrasings()}
    copied = [text for text, words in left.items() if len(words.split()) > MOST_WORDS and words in known]
    assert copied == []
    assert [text for text in left if normalized(text) in known] == []


def test_each_word_of_the_table_is_a_command_and_none_is_said_for_two() -> None:
    said = [(normalized(phrase), name) for name, of in phrases().items() for phrase in of]
    assert [name for name in phrases() if ROUTER.named(name) is None] == []
    twice = {words for words, name in said for other, its in said if words == other and name != its}
    assert twice == set()
