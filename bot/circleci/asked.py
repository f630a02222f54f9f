"""What one question has asked CircleCI for, so that it asks for nothing twice.

Things change, and not everybody may read everything: nothing is remembered beyond the question of one person, and
nothing at all outside of one. An act reads all anew.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from bot.circleci.answers import Answer
from bot.circleci.documents import MEGABYTE
from bot.errors import Rejected

MOST_BYTES = 4 * MEGABYTE  # of answers; what comes when they are full, or would not fit, is asked for again

Ask = Callable[[], Awaitable[Answer]]


class _Memory:
    """The answers to one question; a refusal is one too, an outage is none."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer | Rejected] = {}
        # Whoever asks for the same meanwhile waits; if the first to ask is cut off, the next one asks.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._room = MOST_BYTES

    async def once(self, address: str, ask: Ask) -> Answer:
        """Return what was answered, or is answered now."""
        async with self._turns[address]:
            found = self._answers.get(address) or await self._asked(address, ask)
        if isinstance(found, Rejected):
            raise found
        return found

    async def _asked(self, address: str, ask: Ask) -> Answer | Rejected:
        found: Answer | Rejected
        try:
            found = await ask()
        except Rejected as error:
            found = error
        size = found.size if isinstance(found, Answer) else 0
        if size <= self._room:
            self._room -= size
            self._answers[address] = found
        return found


_memory: ContextVar[_Memory | None] = ContextVar("memory", default=None)


@contextmanager
def one_question() -> Iterator[None]:
    """Ask for nothing twice within the block, in whatever task; a question within a question is part of it."""
    token = _memory.set(_memory.get() or _Memory())
    try:
        yield
    finally:
        _memory.reset(token)


async def once(path: str, params: Mapping[str, str] | None, ask: Ask) -> Answer:
    """Return what `ask` brings, or has brought for the same question."""
    memory = _memory.get()
    return await memory.once(f"{path}?{sorted((params or {}).items())}", ask) if memory else await ask()
