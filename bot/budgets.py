"""Turns at Slack, shared by all processes: so many a second, and none while it asked us to wait."""

import asyncio
import math
import random
import time
from datetime import timedelta
from typing import NamedTuple

from bot.store.turns import Turns

POLITE_SHARE = 0.8  # what may wait leaves a fifth to what should not
CLEAR_SECONDS = 0.2  # how long a look for a pause is good
NO_WAIT = timedelta(0)


class Window(NamedTuple):
    """At most `amount` turns in any `seconds`."""

    amount: int
    seconds: int

    @property
    def gap(self) -> float:
        """Seconds between two turns that come evenly."""
        return self.seconds / self.amount


def window(per_second: float, *, burst: float = 1, share: float = 1) -> Window | None:
    """Return the window for a rate and the burst it tolerates; None where 0 has lifted it."""
    if per_second <= 0:
        return None
    seconds = max(1, math.ceil(burst / per_second))
    return Window(max(1, math.floor(per_second * seconds * share)), seconds)


class Budget:
    """The turns for one kind of call, or for each `key` of it, such as a channel."""

    def __init__(self, turns: Turns, name: str, per_second: float = 0, *, burst: float = 1) -> None:
        self._turns = turns
        self._name = name
        self._whole = window(per_second, burst=burst)
        self._polite = window(per_second, burst=burst, share=POLITE_SHARE)
        self._clear: dict[str, float] = {}

    async def turn(self, key: str = "", *, patience: timedelta = NO_WAIT, polite: bool = False) -> timedelta:
        """Take a turn, waiting for it at most `patience`; returns no time, or how long to stay away without one.

        The `polite` ones leave a share to the others. Raises StoreError.
        """
        until = time.monotonic() + patience.total_seconds()
        name = f"{self._name}:{key}" if key else self._name
        while wait := await self._wait(name, polite=polite):
            if time.monotonic() + wait > until:
                return timedelta(seconds=wait)
            await asyncio.sleep(wait)
        return NO_WAIT

    async def pause(self, how_long: timedelta, key: str = "") -> None:
        """Give nobody a turn for a while, in no process: the far side said so."""
        name = f"{self._name}:{key}" if key else self._name
        self._clear.pop(name, None)
        await self._turns.pause(name, how_long)

    async def _wait(self, name: str, *, polite: bool) -> float:
        if paused := await self._paused(name):
            return paused + random.uniform(0, 0.3)  # noqa: S311  # spreads, hides nothing
        if polite and self._polite and not await self._turns.take(f"{name}:polite", *self._polite):
            return self._polite.gap * random.uniform(1, 2)  # noqa: S311  # as above
        if self._whole and not await self._turns.take(name, *self._whole):
            return self._whole.gap * random.uniform(0.5, 1)  # noqa: S311  # as above
        return 0

    async def _paused(self, name: str) -> float:
        if time.monotonic() < self._clear.get(name, 0):
            return 0
        seconds = (await self._turns.paused(name)).total_seconds()
        if not seconds:
            self._clear[name] = time.monotonic() + CLEAR_SECONDS
        return seconds
