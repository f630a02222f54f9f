"""One reading of a thing for all who wait for the same: a wide build is dear to read."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Reading(NamedTuple, Generic[T]):
    at: float
    found: asyncio.Task[T]


class Readings(Generic[K, T]):
    """Reads by `read`, and knows by `clock` when each began; one that is older than `fresh` is forgotten."""

    def __init__(self, read: Callable[[K], Awaitable[T]], clock: Callable[[], float], *, fresh: float) -> None:
        self._read = read
        self._clock = clock
        self._fresh = fresh
        self._kept = dict[K, _Reading[T]]()

    async def since(self, what: K, moment: float) -> T:
        """Return what a reading found that began then or later: who was told something is told nothing older."""
        while True:
            reading = self._kept.get(what)
            if reading is None or (reading.found.done() and reading.at < moment):
                reading = self._begun(what)
            found = await asyncio.shield(reading.found)  # who is cut off does not cut off the others
            if reading.at >= moment:
                return found

    def _begun(self, what: K) -> _Reading[T]:
        now = self._clock()
        self._kept = {one: kept for one, kept in self._kept.items() if now - kept.at < self._fresh}
        self._kept[what] = _Reading(now, asyncio.ensure_future(self._read(what)))
        return self._kept[what]
