"""What is looked at right before a write goes out, each time it does: it may have waited long for its turn."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Look = Callable[[], Awaitable[None]]
_LOOK: ContextVar[Look | None] = ContextVar("last_look", default=None)


@contextmanager
def last_look(look: Look) -> Iterator[None]:
    """Let no write of the block out unless `look` returns: what it raises is raised, and nothing is sent."""
    before = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(before)


async def look_once_more() -> None:
    """Look, where somebody wants that."""
    if (look := _LOOK.get()) is not None:
        await look()
