"""What was found lately and may be wanted again: the newest of it, as much as has room. Pure."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lately(Generic[K, V]):
    """Values by key, each with its weight; what was not asked for longest makes room for others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._found = OrderedDict[K, tuple[V, int]]()

    def get(self, key: K) -> V | None:
        """Return a value, if it is still here."""
        found = self._found.get(key)
        if found is None:
            return None
        self._found.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Keep a value in the place of the one that was there."""
        _, before = self._found.pop(key, (None, 0))
        self._found[key] = (value, weight)
        self._weight += weight - before
        while self._weight > self._most:
            _, (_, lost) = self._found.popitem(last=False)
            self._weight -= lost
