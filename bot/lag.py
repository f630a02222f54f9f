"""How late the event loop is: what holds it up keeps everybody waiting, Slack's three seconds included."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from bot import metrics

EVERY_SECONDS = 0.1


@asynccontextmanager
async def measured() -> AsyncIterator[None]:
    """Measure while the body runs."""
    task = asyncio.create_task(_measure(), name="lag")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _measure() -> None:
    while True:
        began = monotonic()
        await asyncio.sleep(EVERY_SECONDS)
        metrics.LOOP_LAG.observe(max(0.0, monotonic() - began - EVERY_SECONDS))
