"""How often the pretend CircleCI lets anybody ask, where a measurement limits it; the real one's limits are unknown."""

import math
import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 60


class Limit:
    """At most `per_minute` requests in any minute; what is refused does not count."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self.per_minute, self.refused = per_minute, 0
        self._now = now
        self._taken: deque[float] = deque()

    @property
    def left(self) -> int:
        """How many more there may be now."""
        while self._taken and self._taken[0] <= self._now() - WINDOW_SECONDS:
            self._taken.popleft()
        return self.per_minute - len(self._taken)

    def retry_after(self) -> int:
        """Take one; returns 0, or the seconds to wait when there is none left."""
        if self.left:
            self._taken.append(self._now())
            return 0
        self.refused += 1
        return math.ceil(self._taken[0] + WINDOW_SECONDS - self._now())
