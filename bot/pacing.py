"""Turns at CircleCI, shared by all processes: as many as its answers let us learn that it takes, people's first."""

import asyncio
import random
import time
from datetime import timedelta

import structlog

from bot import metrics
from bot.budgets import CLEAR_SECONDS, NO_WAIT, POLITE_SHARE
from bot.models.pace import Bounds, Limited, Pace
from bot.store.turns import Standing, Turns
from bot.waits import Patience, is_polite, note, patience

SOON = timedelta(seconds=1)  # whoever has a number looks whether it may go sooner: the rate changes

log = structlog.get_logger(__name__)


class Paced:
    """The turns at a far side that says by its 429s how many it takes, in the order they are asked for.

    Without `bounds` everybody has one, unless it asked us to wait. It counts for each token alone: `whose` says which
    one this is about, and is empty for the default one.
    """

    def __init__(self, turns: Turns, name: str, bounds: Bounds | None, whose: str = "") -> None:
        self._turns = turns
        self._far_side = name
        self._name = f"{name}:{whose}" if whose else name
        self._is_default = not whose
        self._others: dict[str, Paced] = {}
        self._bounds = bounds
        self._known: Standing | None = None
        self._good_until = 0.0
        self._asking = asyncio.Lock()
        self._asked = 0
        self._halvings = 0
        self._heard_at = 0.0

    def of(self, whose: str) -> "Paced":
        """Return the turns with another token."""
        if not whose:
            return self
        if whose not in self._others:
            self._others[whose] = Paced(self._turns, self._far_side, self._bounds, whose)
        return self._others[whose]

    async def turn(
        self, *, patience: timedelta = NO_WAIT, in_line: timedelta | None = None, polite: bool = False
    ) -> timedelta:
        """Take a turn; returns no time, or how long to stay away without one.

        Waits for the end of a pause of at most `patience`, and at most as long for who was in line before, or
        `in_line`. The `polite` ones leave a share to the others. Raises StoreError.
        """
        until, number = time.monotonic() + (patience if in_line is None else in_line).total_seconds(), None
        while True:
            standing, left = await self._standing(), timedelta(seconds=max(until - time.monotonic(), 0))
            spread = NO_WAIT  # over which those who waited for one moment go
            if standing.paused:
                wait, spread, most = standing.paused, _spread(0.3), min(patience, left)
            elif self._bounds is None:
                return NO_WAIT
            else:
                rate, most = await self._rate(standing, self._bounds), left
                share = POLITE_SHARE if polite else 1
                turn = await self._turns.next(self._name, rate, number=number, patience=left, share=share)
                self._hear(turn.halvings)
                wait, number = turn.wait and turn.wait + _spread(1 / rate if polite else 0), turn.number
            if not wait or wait > most:
                return wait + spread
            self.note(wait)
            await asyncio.sleep((min(wait, SOON) if number else wait + spread).total_seconds())

    def note(self, wait: timedelta) -> None:
        """Take down, for whoever wants to tell a person, that a turn comes in so long."""
        note(self._far_side, wait.total_seconds())

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

    async def _rate(self, standing: Standing, bounds: Bounds) -> float:
        pace = standing.pace
        if pace is None:
            pace = Pace.first(bounds, standing.now)
            self._good_until = 0
            await self._turns.learn(self._name, None, pace)
        rate = pace.at(standing.now, bounds)
        if self._is_default:
            metrics.CIRCLECI_BUDGET.set(rate)
        return rate

    async def _standing(self) -> Standing:
        if self._known is not None and time.monotonic() < self._good_until:
            return self._known
        asked = self._asked
        async with self._asking:
            if self._known is None or asked == self._asked:  # else somebody has asked since, for all who wait
                self._asked += 1
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
    """One way to use what CircleCI takes, `polite` or as whoever uses it is.

    Who uses it waits `patience` long, and maybe longer `in_line`.
    `whose` is the token that is used, as `Paced` has it.
    """

    def __init__(
        self, budget: Paced, *, patience: timedelta, in_line: timedelta | None = None, polite: bool = False
    ) -> None:
        self._budget = budget
        self._patience = patience
        self._longest = patience if in_line is None else in_line
        self._polite = polite

    @property
    def patience(self) -> timedelta:
        """How long it is waited where CircleCI asks for it."""
        return self._longest if patience() is Patience.PATIENT else self._patience

    def waits(self, how_long: timedelta) -> None:
        """Take down, for whoever wants to tell a person, that it comes in so long."""
        self._budget.note(how_long)

    async def turn(self, whose: str = "") -> timedelta:
        """Take a turn; returns how long to stay away when there is none."""
        budget = self._budget.of(whose)
        longest = self._patience if patience() is Patience.HURRIED else self._longest
        return await budget.turn(patience=self.patience, in_line=longest, polite=self._polite or is_polite())

    async def is_paused(self, whose: str = "") -> bool:
        """Say whether it is the far side who let nobody have a turn."""
        return await self._budget.of(whose).is_paused()

    async def pause(self, how_long: timedelta, whose: str = "") -> None:
        """Give nobody a turn for a while."""
        await self._budget.of(whose).pause(how_long)

    async def limited(self, how_long: timedelta, *, sent_at: float, whose: str = "") -> None:
        """Give nobody a turn for a while, and fewer turns from then on."""
        await self._budget.of(whose).limited(how_long, sent_at=sent_at)
