"""How long something waits for its turn at a far side: for whoever wants to tell a person of it, and at the most."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from enum import StrEnum


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


MOST_PATIENT = 100  # in this process: each takes one of the worker's places, and others want some too


class Patience(StrEnum):
    """How long something waits for its turn at CircleCI."""

    USUAL = "usual"  # shortly for the end of a pause, longer for who was in line before
    PATIENT = "patient"  # as long for the end of a pause as for who was in line before
    HURRIED = "hurried"  # shortly for both


_PATIENCE: ContextVar[Patience] = ContextVar("patience", default=Patience.USUAL)
_patient = 0


@contextmanager
def patiently() -> Iterator[None]:
    """Let what runs within the block wait patiently, or in a hurry where too many do so already."""
    global _patient  # noqa: PLW0603  # all that is patient in this process
    is_room = _patient < MOST_PATIENT
    before = _PATIENCE.set(Patience.PATIENT if is_room else Patience.HURRIED)
    _patient += is_room
    try:
        yield
    finally:
        _patient -= is_room
        _PATIENCE.reset(before)


def patience() -> Patience:
    """Return how long this waits."""
    return _PATIENCE.get()


_POLITE: ContextVar[bool] = ContextVar("polite", default=False)


@contextmanager
def politely() -> Iterator[None]:
    """Let what runs within the block leave its share of the turns at CircleCI to people."""
    before = _POLITE.set(True)
    try:
        yield
    finally:
        _POLITE.reset(before)


def is_polite() -> bool:
    """Say whether this leaves a share to people."""
    return _POLITE.get()
