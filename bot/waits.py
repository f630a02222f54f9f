"""How long something waits for its turn at a far side: for whoever wants to tell a person of it, and at the most."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta


class Wait:
    """The newest wait for one far side of all that is done within `noted`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._until = 0.0

    @property
    def left(self) -> timedelta:
        """What is left of it."""
        return timedelta(seconds=max(self._until - time.monotonic(), 0))

    def begins(self, seconds: float) -> None:
        """Take down that it waits so long from now."""
        self._until = time.monotonic() + seconds


_NOTED: ContextVar[Wait | None] = ContextVar("noted", default=None)


@contextmanager
def noted(name: str) -> Iterator[Wait]:
    """Yield the wait for a far side that what runs within the block meets."""
    wait = Wait(name)
    before = _NOTED.set(wait)
    try:
        yield wait
    finally:
        _NOTED.reset(before)


def note(name: str, seconds: float) -> None:
    """Take down, where somebody wants to know, that a turn at this far side comes in so many seconds."""
    wait = _NOTED.get()
    if wait is not None and wait.name == name:
        wait.begins(seconds)


_PATIENT: ContextVar[bool] = ContextVar("patient", default=False)


@contextmanager
def patiently() -> Iterator[None]:
    """Let what runs within the block wait as long where a far side asks for it as for who was in line before."""
    before = _PATIENT.set(True)
    try:
        yield
    finally:
        _PATIENT.reset(before)


def is_patient() -> bool:
    """Say whether this runs within such a block."""
    return _PATIENT.get()
