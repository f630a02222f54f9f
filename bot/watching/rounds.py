"""The looks of one process: a few times a second it has what is due, looks at all of it at once, and gives it back.

Who hangs or dies has a pipeline for a lease alone. `bot/store/looks.py` keeps when one is due; each look says when to
come back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple, Protocol

import structlog

from bot import metrics
from bot.errors import StoreError
from bot.store import Store
from bot.store.looks import Over, Taken
from bot.store.watches import Known

# So many looks at once; what else there is to do has places of its own (`bot/worker.py`), so that neither is in the
# other's way.
AT_ONCE = 200
EVERY = timedelta(milliseconds=100)
BROKEN_PAUSE = timedelta(seconds=1)
SHARE = 3  # a claim is lengthened once a third of its lease has gone by
AGAIN_SECONDS = 1
NOW = timedelta(0)

Look = Callable[..., Awaitable[timedelta | None]]
log = structlog.get_logger(__name__)


class Leased(Protocol):
    """The waiting times of the settings: how long a look is had, between two, and while somebody else tells."""

    @property
    def lease(self) -> timedelta: ...  # noqa: D102
    @property
    def pace(self) -> timedelta: ...  # noqa: D102
    @property
    def poll_interval(self) -> timedelta: ...  # noqa: D102


class _Claimed(NamedTuple):
    """A look that is under way, and since when its claim is as long as it can be."""

    taken: Taken
    since: float


class Rounds:
    """Looks until it is ended; `woke` is set by whoever asks for a look in this process."""

    def __init__(self, settings: Leased, store: Store, look: Look, woke: asyncio.Event) -> None:
        self._settings = settings
        self._store = store
        self._look = look
        self._woke = woke
        self._under_way: dict[asyncio.Task[timedelta | None], _Claimed] = {}
        self._over: list[Over] = []
        self._takes_more = self._goes_on = True
        self._is_broken = False

    async def run(self) -> None:
        """Go round until the end."""
        while self._goes_on:
            pause = await self._round()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._woke.wait()
        with suppress(StoreError):
            await self._give_back()

    async def end(self, seconds: float) -> None:
        """Take nothing more, and let what is under way end for so long; others look anew at what has not."""
        self._takes_more = False
        pause = seconds
        while self._under_way:
            await asyncio.wait(self._under_way, timeout=pause)
            for task in self._under_way:  # whatever it awaits may lose a cancel
                task.cancel()
            pause = AGAIN_SECONDS
        self._goes_on = False
        self._woke.set()

    async def _round(self) -> timedelta:
        """Give back, keep and take; returns the pause before the next round."""
        self._woke.clear()
        try:
            await self._give_back()
            await self._keep()
            await self._take()
        except StoreError:
            return BROKEN_PAUSE  # the log has the outage's beginning, and will have its end
        except Exception as error:  # noqa: BLE001  # whatever it is, builds are to be followed
            self._broke(error)
            return BROKEN_PAUSE
        self._is_broken = False
        return EVERY

    def _broke(self, error: Exception) -> None:
        if not self._is_broken:
            log.error("round_failed", exc_info=error)
        self._is_broken = True

    async def _give_back(self) -> None:
        """Let others have what was looked at, all in one step; what Redis has not taken is given back again."""
        if over := list(self._over):
            await self._store.looks.done(over)
            del self._over[: len(over)]

    async def _keep(self) -> None:
        """Lengthen the claims of looks that take long, all in one step."""
        now, lease = time.monotonic(), self._settings.lease
        long = {task: one for task, one in self._under_way.items() if now - one.since > lease.total_seconds() / SHARE}
        if long:
            await self._store.looks.keep([one.taken for one in long.values()], lease)
            self._under_way |= {task: _Claimed(one.taken, now) for task, one in long.items() if not task.done()}

    async def _take(self) -> None:
        """Begin the looks that are due, as many as there are places for."""
        free, began = AT_ONCE - len(self._under_way), time.monotonic()
        if not self._takes_more or free <= 0:
            return
        taken = await self._store.looks.take(free, self._settings.lease, busy=self._settings.poll_interval)
        if not taken:
            return
        try:
            known = await self._store.watches.begin([one.pipeline_id for one in taken], self._settings.pace)
        except Exception:
            self._over += [Over(one.pipeline_id, one.claim, BROKEN_PAUSE) for one in taken]
            raise
        for one, found in zip(taken, known, strict=True):
            self._begin(one, found, began)

    def _begin(self, taken: Taken, known: Known, began: float) -> None:
        metrics.POLL_LATENESS.observe(taken.late.total_seconds() + time.monotonic() - began)
        task = asyncio.ensure_future(self._look(taken.pipeline_id, known=known))
        self._under_way[task] = _Claimed(taken, began)
        task.add_done_callback(self._has_ended)

    def _has_ended(self, task: "asyncio.Task[timedelta | None]") -> None:
        """Note a look that is over; one that was cut off is looked at anew by whoever comes."""
        taken, _ = self._under_way.pop(task)
        pause: timedelta | None = NOW
        if not task.cancelled():
            error = task.exception()
            pause = BROKEN_PAUSE if error else task.result()
            if error:
                log.error("look_failed", of=taken.pipeline_id, exc_info=error)
        self._over.append(Over(taken.pipeline_id, taken.claim, pause))
        if not self._under_way:
            self._woke.set()
