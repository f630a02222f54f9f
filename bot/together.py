"""Does work side by side."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Do all `work` side by side and return the results in order; the first failure is raised as itself."""
    me = asyncio.current_task()
    before = me.cancelling() if me else 0
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        # Python 3.11.2 leaves the group's own cancel counted, and no `asyncio.timeout` would end well after that.
        while me and me.cancelling() > before:
            me.uncancel()
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
