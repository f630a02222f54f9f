"""What the names of the background tasks mean: one line for each."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import structlog

from bot import metrics
from bot.circleci.reads import Reads
from bot.errors import StoreError
from bot.operations import Operations
from bot.slack.dispatch import Dispatcher
from bot.store import Store
from bot.watching import engine
from bot.watching.engine import POLL, Engine, Task, again, every, once
from bot.watching.operator import Operator
from bot.watching.triager import Triager
from bot.watching.watcher import Watcher

SWEEP_EVERY = timedelta(seconds=60)
STORE_PAUSE, LOOK_PAUSE = timedelta(seconds=5), timedelta(seconds=30)
log = structlog.get_logger(__name__)


def tasks(
    dispatcher: Dispatcher, operations: Operations, watcher: Watcher, triager: Triager, sweep: "Sweep"
) -> dict[str, Task]:
    """Return the task behind each name; one of an older version keeps its name."""
    look = steadily(watcher.look, "look_failed", pause=LOOK_PAUSE)
    return {
        engine.HANDLE: once(dispatcher.handle),
        engine.PRESS: once(dispatcher.press),
        engine.POLL: again(look, lateness=metrics.POLL_LATENESS),
        engine.LOOK_FOR: again(operations.look_for),
        engine.EXPIRE: again(steadily(operations.expire, "expire_failed", pause=None)),
        engine.TRIAGE: again(steadily(triager.triage, "triage_failed", pause=None)),
        engine.RERUN_ONCE: once(operations.rerun_once),
        engine.SWEEP: every(SWEEP_EVERY, sweep),
    }


Again = Callable[..., Awaitable[timedelta | None]]


def steadily(run: Again, event: str, *, pause: timedelta | None) -> Again:
    """Return the same, where an unexpected error costs one run; it is tried again after a `pause`, or not at all."""

    async def steady(*ids: str) -> timedelta | None:
        try:
            return await run(*ids)
        except StoreError:
            return STORE_PAUSE  # the log has the outage's beginning, and will have its end
        except Exception:
            log.exception(event, pipeline=ids[0])
            return pause

    return steady


class Sweep:
    """Gives each watched pipeline a poll that has lost its own, and has the tokens tried once a day."""

    def __init__(self, store: Store, engine: Engine, operator: Operator, circleci: Reads) -> None:
        self._store = store
        self._engine = engine
        self._check_tokens = partial(operator.check_tokens, circleci)

    async def __call__(self) -> None:
        """Sweep once."""
        watching = await self._store.watches.watching()
        metrics.WATCHES.set(len(watching))
        for pipeline_id in watching:
            await self._engine.add(POLL, pipeline_id)
        await self._check_tokens()
