"""Turns at CircleCI, shared by all processes: as many as its answers let us learn that it takes, people's first."""

import asyncio
import random
import time
from datetime import timedelta

import structlog

from bot import metrics
from bot.budgets import CLEAR_SECONDS, NO_WAIT, POLITE_SHARE
from bot.models.pace import Bounds, Limited, Pace, allowed
from bot.store.turns import Standing, Turns
from bot.waits import note

log = structlog.get_logger(__name__)


class Paced:
    """The turns at a far side that says by its 429s how many it takes, in the order they are asked for.

    Without `bounds` everybody has one, unless it asked us to wait.
    """

    def __init__(self, turns: Turns, name: str, bounds: Bounds | None) -> None:
        self._turns = turns
        self._name = name
        self._bounds = bounds
        self._known: Standing | None = None
        self._good_until = 0.0
        self._halvings = 0
        self._heard_at = 0.0

    async def turn(self, *, patience: timedelta = NO_WAIT, polite: bool = False) -> timedelta:
        """Take a turn, waiting for it at most `patience`; returns no time, or how long to stay away without one.

        The `polite` ones leave a share to the others. Who has waited for a turn that was given out before a pause or a
        halving asks for another one. Raises StoreError.
        """
        until = time.monotonic() + patience.total_seconds()
        while True:
            left = timedelta(seconds=max(until - time.monotonic(), 0))
            wait, is_ours = await self._next(left, polite=polite)
            if wait > left or (is_ours and not wait):
                return wait
            given_out = time.monotonic()
            note(self._name, wait.total_seconds())
            await asyncio.sleep(wait.total_seconds())
            if is_ours and await self._still_counts(given_out):
                return NO_WAIT

    async def is_paused(self) -> bool:
        """Say whether it is the far side who let nobody have a turn."""
        return (await self._standing()).paused > NO_WAIT

    async def pause(self, how_long: timedelta) -> None:
        """Give nobody a turn for a while, in no process: the far side said so."""
        self._good_until = 0
        await self._turns.pause(self._name, how_long)

    async def limited(self, how_long: timedelta, *, sent_at: float) -> None:
        """Pause, and take a 429 as a measure of what the far side takes; its request was sent at a monotonic time."""
        await self.pause(how_long)
        if self._bounds is None:
            return
        standing = await self._standing()
        seen = standing.pace or Pace.first(self._bounds, standing.now)
        used = await self._turns.used(self._name, standing.now)
        halvings = self._halvings - (sent_at < self._heard_at)
        learned = seen.after(Limited(halvings, used, how_long), standing.now, self._bounds)
        if learned is not seen and await self._turns.learn(self._name, standing.pace, learned):
            log.info("asks_less_often", what=self._name, per_second=round(learned.rate, 2))
            self._hear(learned.halvings)

    async def _next(self, left: timedelta, *, polite: bool) -> tuple[timedelta, bool]:
        """Return when the next turn is, and whether it was taken."""
        standing = await self._standing()
        if standing.paused:
            return standing.paused + _spread(0.3), False
        if self._bounds is None:
            return NO_WAIT, True
        rate = (standing.pace or await self._begun(self._bounds, standing.now)).at(standing.now, self._bounds)
        metrics.CIRCLECI_BUDGET.set(rate)
        share = allowed(POLITE_SHARE * rate) if polite else None
        turn = await self._turns.next(self._name, allowed(rate), share, left)
        self._hear(turn.halvings)
        if polite and turn.wait:
            return turn.wait + _spread(1 / rate), False
        return turn.wait, turn.wait <= left

    async def _still_counts(self, given_out: float) -> bool:
        standing = await self._standing()
        return not standing.paused and self._heard_at <= given_out

    async def _begun(self, bounds: Bounds, now: float) -> Pace:
        first = Pace.first(bounds, now)
        self._good_until = 0
        await self._turns.learn(self._name, None, first)
        return first

    async def _standing(self) -> Standing:
        if self._known is None or time.monotonic() >= self._good_until:
            self._known = await self._turns.standing(self._name)
            self._good_until = 0 if self._known.paused else time.monotonic() + CLEAR_SECONDS
            self._hear(self._known.pace.halvings if self._known.pace else 0)
        return self._known

    def _hear(self, halvings: int) -> None:
        """Note when this process learned of a halving: what was sent before met the limit of before."""
        if halvings != self._halvings:
            self._halvings, self._heard_at, self._good_until = halvings, time.monotonic(), 0


def _spread(seconds: float) -> timedelta:
    return timedelta(seconds=random.uniform(0, seconds))  # noqa: S311  # spreads, hides nothing


class Lane:
    """One way to use what CircleCI takes: those who wait for it `patience` long, `polite` or not."""

    def __init__(self, budget: Paced, *, patience: timedelta, polite: bool = False) -> None:
        self._budget = budget
        self._polite = polite
        self.patience = patience

    async def turn(self) -> timedelta:
        """Take a turn; returns how long to stay away when there is none."""
        return await self._budget.turn(patience=self.patience, polite=self._polite)

    async def is_paused(self) -> bool:
        """Say whether it is the far side who let nobody have a turn."""
        return await self._budget.is_paused()

    async def pause(self, how_long: timedelta) -> None:
        """Give nobody a turn for a while."""
        await self._budget.pause(how_long)

    async def limited(self, how_long: timedelta, *, sent_at: float) -> None:
        """Give nobody a turn for a while, and fewer turns from then on."""
        await self._budget.limited(how_long, sent_at=sent_at)
