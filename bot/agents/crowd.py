"""How much of this process agents may have: Slack and CircleCI come in by the same port, and people wait for them.

What a call may do is counted elsewhere, over all processes (`desk.py`). Here stands what any request costs.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

from bot.models.agent import Agent

MINUTE = 60
FOR_A_CALL = 4  # requests: a client that connects anew for each call sends three before it
OF_ALL, OF_ONE = 2, 8  # what part of the room all agents have, and those of one person
SOON = 1  # seconds until there may be room again


class TooMany(Exception):
    """Who sends more than there is room for, and in how many seconds that is otherwise."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Crowd:
    """Counts the requests of agents that are open in `room` connections, and those that each sends in a minute."""

    def __init__(self, room: int, calls_per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._of_all, self._of_one = max(room // OF_ALL, 1), max(room // OF_ONE, 1)
        self._per_minute = FOR_A_CALL * calls_per_minute
        self._clock = clock
        self._minute = 0
        self._sent: Counter[str] = Counter()
        self._open: Counter[str] = Counter()

    def refuse_if_over(self, digest: str) -> None:
        """Raise TooMany for a token that has sent enough in this minute: nothing need be looked up for that."""
        minute, second = divmod(self._clock(), MINUTE)
        if minute != self._minute:
            self._minute = int(minute)
            self._sent.clear()
        if self._sent[digest] >= self._per_minute:
            raise TooMany(ceil(MINUTE - second))

    @contextmanager
    def let_in(self, agent: Agent) -> Iterator[None]:
        """Count a request for as long as it is answered; raises TooMany."""
        self.refuse_if_over(agent.digest)
        self._sent[agent.digest] += 1
        if self._open[agent.owner_id] >= self._of_one or self._open.total() >= self._of_all:
            raise TooMany(SOON)
        self._open[agent.owner_id] += 1
        try:
            yield
        finally:
            self._open[agent.owner_id] -= 1
            self._open += Counter()  # whoever has none open is forgotten
