"""Which command a sentence speaks of: how alike its letters are to what is said for each, by n-grams of letters. Pure.

Rows of two to four letters, words and pairs of words are weighed by how few phrases, and of how few commands, have them
(TF-IDF), and compared by the cosine: the words need not be those of a phrase, nor spelled well. What no phrase has
weighs most, so that a sentence about something else is like none of them.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log, sqrt
from typing import NamedTuple

SHORTEST, LONGEST = 2, 4
# How alike it is to all that is said for a command weighs more than how alike it is to one phrase.
OF_ALL, OF_ONE = 3.0, 1.0
MOST = 3  # commands that a sentence may speak of; each of their phrases is looked at
EVEN = 0.7  # what many phrases of a command have counts less than their number
OF_FEW_COMMANDS = 0.5  # how much it tells that few commands have a row of letters
LONGEST_SENTENCE = 300  # letters; who writes more tells a story
LEAST = 0.3  # that a row of letters tells which each phrase has
APOSTROPHES = "'’"
# Courtesies, which say nothing of what is wanted.
_COURTESIES = frozenset(
    (
        *("please", "pls", "plz", "hey", "hi", "hello", "kindly", "just", "thanks", "thank", "thx", "yo"),
        *("bot", "ci", "folks", "team", "guys", "dude", "bitte", "mal", "doch", "danke", "hallo", "eben", "kurz"),
        *("por", "favor", "gracias", "oye", "hola"),
    )
)
_OPENINGS = (
    *(
        "can you",
        "could you",
        "would you",
        "will you",
        "can u",
        "could u",
        "i would like to",
        "i want to",
        "id like to",
    ),
    *("kannst du", "konntest du", "konnt ihr", "wurdest du", "ich mochte", "puedes", "podrias", "quiero"),
)

Weights = dict[str, float]


class Scored(NamedTuple):
    """A command, and how alike a sentence is to what is said for it: from 0 to 1."""

    name: str
    score: float


class Index:
    """What is said for each command, taken apart once."""

    def __init__(self, phrases: Mapping[str, Sequence[str]]) -> None:
        normal = [(name, words) for name, of in phrases.items() for words in map(normalized, of) if words]
        rows = [(name, Counter(_grams(words))) for name, words in normal]
        self._rarity = _rarity(rows)
        self._unknown = max(self._rarity.values(), default=1.0)
        self._said = {words: name for name, words in normal}
        self._phrases: dict[str, list[Weights]] = {name: [] for name in phrases}
        whole: dict[str, Weights] = {name: {} for name in phrases}
        for name, grams in rows:
            self._phrases[name].append(weights := self._weighed(grams))
            for gram, weight in weights.items():
                whole[name][gram] = whole[name].get(gram, 0.0) + weight
        # By their rows of letters, since most commands have not most of them.
        self._having: dict[str, list[tuple[str, float]]] = {}
        for name, weights in whole.items():
            for gram, weight in _of_length_one({gram: weight**EVEN for gram, weight in weights.items()}).items():
                self._having.setdefault(gram, []).append((name, weight))

    def scores(self, sentence: str) -> list[Scored]:
        """Return the commands that a sentence may speak of, the likeliest first; one that is a phrase means its own."""
        words = normalized(sentence)
        said = self._weighed(Counter(_grams(words)))
        alike = self._alike(said)
        near = sorted(alike, key=alike.__getitem__, reverse=True)
        found = [Scored(name, self._score(said, name, alike[name])) for name in near[:MOST]]
        own = [Scored(name, 1.0)] if (name := self._said.get(words)) else []
        others = [one for one in found if one.name != name]
        return [*own, *sorted(others, key=lambda one: one.score, reverse=True)][:MOST]

    def _alike(self, said: Weights) -> dict[str, float]:
        """Return how alike it is to all that is said for each command."""
        alike: dict[str, float] = {}
        for gram, weight in said.items():
            for name, their in self._having.get(gram, ()):
                alike[name] = alike.get(name, 0.0) + weight * their
        return alike

    def _score(self, said: Weights, name: str, of_all: float) -> float:
        of_one = max((_product(weights, said) for weights in self._phrases[name]), default=0.0)
        return (OF_ALL * of_all + OF_ONE * of_one) / (OF_ALL + OF_ONE)

    def _weighed(self, grams: Mapping[str, int]) -> Weights:
        weights = {one: (1 + log(often)) * self._rarity.get(one, self._unknown) for one, often in grams.items()}
        return _of_length_one(weights)


def normalized(sentence: str) -> str:
    """Return the words of a sentence without accents, signs and courtesies."""
    words = _plain(sentence)
    return words.removeprefix(_opening(words))


def is_courtesy(word: str) -> bool:
    """Say whether a word says nothing of what is wanted."""
    return bool(word) and not normalized(word)


def asks_politely(sentence: str) -> bool:
    """Say whether somebody who asks wants something done: "could you …?"."""
    return bool(_opening(_plain(sentence)))


def _plain(sentence: str) -> str:
    plain = unicodedata.normalize("NFKD", sentence[:LONGEST_SENTENCE].casefold())
    kept = (one for one in plain if not unicodedata.combining(one) and one not in APOSTROPHES)
    letters = "".join(one if one.isalnum() else " " for one in kept)
    return " ".join(word for word in letters.split() if word not in _COURTESIES)


def _opening(words: str) -> str:
    return next((f"{one} " for one in _OPENINGS if words.startswith(f"{one} ")), "")


def _grams(normal: str) -> Iterator[str]:
    """Yield the rows of letters of each word with the blanks around it, the words, and their pairs."""
    words = normal.split()
    if not words:
        return
    for word in words:
        framed = f" {word} "
        for size in range(SHORTEST, LONGEST + 1):
            yield from (framed[at : at + size] for at in range(len(framed) - size + 1))
        yield f"={word}"
    yield from (f"{one}+{other}" for one, other in zip(["", *words], [*words, ""], strict=True))


def _rarity(rows: Sequence[tuple[str, Mapping[str, int]]]) -> Weights:
    """Return the weight of each row of letters: the fewer phrases, and commands, have it, the more it tells."""
    often: Counter[str] = Counter()
    of: dict[str, set[str]] = {}
    for name, grams in rows:
        often.update(grams.keys())
        for gram in grams:
            of.setdefault(gram, set()).add(name)
    commands = len({name for name, _ in rows})
    few = {gram: 1 + OF_FEW_COMMANDS * log((1 + commands) / (1 + len(names))) for gram, names in of.items()}
    return {gram: (log((1 + len(rows)) / (1 + number)) + LEAST) * few[gram] for gram, number in often.items()}


def _of_length_one(weights: Weights) -> Weights:
    length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {one: weight / length for one, weight in weights.items()}


def _product(one: Weights, other: Weights) -> float:
    return sum(weight * other[gram] for gram, weight in one.items() if gram in other)
