"""Whether a name fits globs, of which those with a `!` leave something out. Pure."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def fits_nothing(patterns: Sequence[str]) -> bool:
    """Say whether what is left out is surely all that is named, so that no name fits."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return all(any(_is_part(one, other) for other in unwanted) for one in wanted)


def _is_part(glob: str, other: str) -> bool:
    """Say whether whatever fits a glob surely fits another one: a star alone stands for another star."""
    return glob == other or (not set("?[").intersection(other) and fnmatchcase(glob, other))


def matches(patterns: Sequence[str], names: Iterable[str]) -> bool:
    """Say whether a name fits: any pattern without `!`, and none with it; no pattern fits everything."""
    named = list(names)
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if any(fnmatchcase(name, pattern) for name in named for pattern in unwanted):
        return False
    return not wanted or any(fnmatchcase(name, pattern) for name in named for pattern in wanted)
