"""The table of phrases: what people say for each command, in three languages, a file for each beside this one."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

LANGUAGES = ("english", "german", "spanish")
_EITHER = re.compile(r"\(([^()]*)\)")


def phrases() -> dict[str, tuple[str, ...]]:
    """Return all that is said for each command, by the word that the table has for it."""
    found: dict[str, dict[str, None]] = {}
    for language in LANGUAGES:
        text = Path(__file__).with_name(f"{language}.txt").read_text(encoding="utf-8")
        for name, of in _parsed(text).items():
            found.setdefault(name, {}).update(dict.fromkeys(of))
    return {name: tuple(of) for name, of in found.items()}


def _parsed(text: str) -> Mapping[str, list[str]]:
    """Return the phrases below each word that begins a line."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("    "):
            found[name] += _each(line.strip())
        elif line and not line.startswith("#"):
            name = line.strip()
            found[name] = []
    return found


def _each(phrase: str) -> Iterator[str]:
    """Yield ways to say a phrase that has several of some of its words, so that each of them is in one at least."""
    parts = _EITHER.split(phrase)
    chosen = [part.split("|") if at % 2 else [part] for at, part in enumerate(parts)]
    for turn in range(max(map(len, chosen))):
        yield " ".join("".join(one[turn % len(one)] for one in chosen).split())
