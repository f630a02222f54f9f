"""The playground's own clock: it stands still unless it is advanced, or runs at a speed of its own."""

import time
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


class Clock:
    """World time; `speed` is world seconds per real second, 0 for a clock that a story moves by hand."""

    def __init__(self, start: datetime = START, speed: float = 0) -> None:
        self._at = start
        self._speed = speed
        self._since = time.monotonic()

    def now(self) -> datetime:
        """Return the world's time, in UTC."""
        return self._at + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def advance(self, span: timedelta) -> None:
        """Let `span` go by."""
        self._at += span

    @property
    def speed(self) -> float:
        """World seconds per real second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._at, self._since, self._speed = self.now(), time.monotonic(), speed
