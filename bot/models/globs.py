"""Whether a name fits globs, of which those with a `!` leave something out. Pure."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def matches(patterns: Sequence[str], names: Iterable[str]) -> bool:
    """Say whether a name fits: any pattern without `!`, and none with it; no pattern fits everything."""
    named = list(names)
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if any(fnmatchcase(name, pattern) for name in named for pattern in unwanted):
        return False
    return not wanted or any(fnmatchcase(name, pattern) for name in named for pattern in wanted)
