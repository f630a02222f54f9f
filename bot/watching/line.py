"""In which order looks have their turns at CircleCI, where there are fewer than are wanted."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from bot.budgets import NO_WAIT
from bot.models.build import Snapshot
from bot.models.circleci import PipelineId
from bot.models.slack import Watch, utc_now
from bot.pacing import Lane, Paced
from bot.store.line import Line
from bot.store.watches import Known
from bot.watching.schedule import Claim, Waits, rank
from bot.watching.triager import final_key

REQUESTS = 2  # of a look, as a rule
FIRST_GUESS = timedelta(seconds=0.1)  # between two turns, until one was refused


@dataclass
class Waiting:
    """A look that is about to begin; `is_alone` says that nobody stood in line when it was due."""

    name: str
    rank: float
    is_alone: bool = True
    has_begun: bool = False


_LOOK: ContextVar[Waiting | None] = ContextVar("look", default=None)


@contextmanager
def standing(look: Waiting) -> Iterator[None]:
    """Have what is read within the block take its turns for this look."""
    before = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(before)


def in_line(pipeline_id: PipelineId, snapshot: Snapshot, known: Known, waits: Waits) -> Waiting:
    """Return a look with its place: by what it has a claim to, and since when it waits."""
    since = snapshot.waits_since or utc_now()
    return Waiting(pipeline_id, rank(_claim(snapshot, known.watches), since, waits), is_alone=not known.others_wait)


def _claim(snapshot: Snapshot, watches: Sequence[Watch]) -> Claim:
    if not all(watch.root_ts for watch in watches):
        return Claim.NO_ROOT
    if snapshot.has_news:
        return Claim.NEWS
    build = snapshot.build
    if build is not None and build.workflows_finished and any(final_key(build) not in one.told for one in watches):
        return Claim.FINAL
    return Claim.NONE


class InLine(Lane):
    """The lane of looks: each waits in line, a short while, for its first turn, and goes on where it has begun.

    Who is refused keeps the place, and is told to come back when it may be next; so nobody who waits is overtaken by
    who comes later at the same rank, and none has to stand there meanwhile.
    """

    def __init__(self, budget: Paced, line: Line, *, to_begin: timedelta, to_go_on: timedelta) -> None:
        super().__init__(budget, patience=to_go_on, polite=True)
        self._first = Lane(budget, patience=NO_WAIT, polite=True)
        self._line = line
        self._to_begin = to_begin
        self._gap = FIRST_GUESS

    async def turn(self, whose: str = "") -> timedelta:
        """Take a turn; returns how long to stay away when there is none."""
        look = _LOOK.get()
        if look is None or look.has_begun:
            return await super().turn(whose)
        wait = await self._try_alone(look, whose) if look.is_alone else await self._in_line(look, whose)
        look.has_begun = not wait
        return wait

    async def is_paused(self, whose: str = "") -> bool:  # noqa: ARG002  # as all lanes
        """Say of a pause what is said of a budget that is spent: nothing was sent, so nobody was refused anything."""
        return False

    async def _try_alone(self, look: Waiting, whose: str) -> timedelta:
        return NO_WAIT if not await self._ask(whose) else await self._in_line(look, whose)

    async def _in_line(self, look: Waiting, whose: str) -> timedelta:
        until = time.monotonic() + self._to_begin.total_seconds()
        while True:
            stand = await self._line.enter(look.name, look.rank)
            wait = await self._ask(whose) if stand.is_next else self._gap
            if not wait:
                await self._line.leave(look.name)
                return NO_WAIT
            wait += self._gap * REQUESTS * stand.ahead
            if time.monotonic() + wait.total_seconds() > until:
                await self._line.away(look.name, wait)
                return wait
            await asyncio.sleep(wait.total_seconds())

    async def _ask(self, whose: str) -> timedelta:
        """Take a turn if there is one now, and learn from a refusal how far apart they are."""
        wait = await self._first.turn(whose)
        if wait and not await super().is_paused(whose):
            self._gap = wait
        return wait
