"""What looks like a credential, or is declared to be one, taken out of a text: one place for all that is kept or shown.

Whoever writes a log chooses its text, so each pattern takes time in proportion to it (`tests/test_linear.py`). They are
all patterns of `regex`, which lets other threads run while it searches; `re` would hold up every ack meanwhile.
"""

from collections.abc import Iterable
from functools import lru_cache

from bot.masks.declared import SHORTEST_DECLARED as SHORTEST_DECLARED
from bot.masks.declared import Declared
from bot.masks.declared import is_too_short as is_too_short
from bot.masks.shapes import MASK as MASK
from bot.masks.shapes import without_shapes

SHORT = 300  # names of jobs, files and classes come again and again
_declared = Declared()


def declare(values: Iterable[str]) -> None:
    """From now on, mask these values too, in whatever shape: our own credentials, and those of the settings."""
    _declared.add(values)
    _short.cache_clear()


def masked(text: str) -> str:
    """Replace what is declared or looks like a credential; CircleCI masks only the variables it was told about."""
    return _short(text) if len(text) <= SHORT else _masked(text)


def _masked(text: str) -> str:
    return without_shapes(_declared.masked(text))


_short = lru_cache(maxsize=10_000)(_masked)
