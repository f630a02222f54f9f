"""What is looked at right before a write goes out, each time it does: it may have waited long for its turn."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

Look = Callable[[], Awaitable[None]]


class _Looks(NamedTuple):
    look: Look
    put_off: Look | None


_LOOKS: ContextVar[tuple[_Looks, ...]] = ContextVar("last_looks", default=())


@contextmanager
def last_look(look: Look, put_off: Look | None = None) -> Iterator[None]:
    """Let no write of the block out unless `look` returns: what it raises is raised, and nothing is sent.

    What a block around it looks at is looked at before. `put_off` hears of one that went out and surely did nothing.
    """
    before = _LOOKS.set((*_LOOKS.get(), _Looks(look, put_off)))
    try:
        yield
    finally:
        _LOOKS.reset(before)


async def look_once_more() -> None:
    """Look, where somebody wants that."""
    for one in _LOOKS.get():
        await one.look()


async def was_put_off() -> None:
    """Say that what went out surely did nothing: it may be a long time until it goes out again."""
    for one in _LOOKS.get():
        if one.put_off is not None:
            await one.put_off()
