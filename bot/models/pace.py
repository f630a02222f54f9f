"""How often a far side may be asked: what its 429s, and the seconds without one, say of what it takes."""

from datetime import timedelta
from typing import NamedTuple, Self

from bot.models.fields import Model

START = 10.0  # a second, where nobody has chosen
MOST = 1000.0  # a second, the same: more than one person's token was ever seen to be given
FLOOR = 0.5  # a second
ADDED = 1.0  # a second more, each second
FASTEST_DOUBLINGS = 10  # lead from the floor to what is most


class Bounds(NamedTuple):
    """What is tried first, and what is never passed, in requests a second."""

    start: float
    most: float

    @property
    def floor(self) -> float:
        """The least that is left, whatever the far side answers."""
        return min(FLOOR, self.most)


class Allowed(NamedTuple):
    """At most `amount` requests in any so many `seconds`, at once if need be."""

    amount: int
    seconds: float


class Limited(NamedTuple):
    """A 429: the halvings there had been when its request was sent, how many turns were taken lately, its pause."""

    halvings: int
    used: float  # a second
    pause: timedelta


class Pace(Model):
    """So many requests a second since a moment, by the far side's clock or Redis', and how often it was halved."""

    rate: float
    since: float
    halvings: int = 0

    @classmethod
    def first(cls, bounds: Bounds, now: float) -> Self:
        """Return where it begins."""
        return cls(rate=bounds.start, since=now)

    def at(self, now: float, bounds: Bounds) -> float:
        """Return the rate of a moment: each whole second without a 429 doubles it until the first, then adds to it."""
        seconds = max(int(now - self.since), 0)
        grown = self.rate + ADDED * seconds if self.halvings else self.rate * 2 ** min(seconds, FASTEST_DOUBLINGS)
        return min(max(grown, bounds.floor), bounds.most)

    def after(self, limited: Limited, now: float, bounds: Bounds) -> "Pace":
        """Return it halved, unless the request was sent before the last halving and says nothing new.

        What was allowed and not used is no measure: of a rate that grew while nobody asked, as much is halved as was
        used, or as would have been tried first.
        """
        if limited.halvings != self.halvings:
            return self
        tried = min(self.at(now, bounds), max(limited.used, bounds.start))
        since = now + limited.pause.total_seconds()  # until then nothing is sent, and nothing learned
        return Pace(rate=max(tried / 2, bounds.floor), since=since, halvings=self.halvings + 1)


def allowed(rate: float) -> Allowed:
    """Return what a rate allows: a second's worth, or one."""
    amount = max(int(rate), 1)
    return Allowed(amount, amount / rate)


def bounds(per_second: float | None) -> Bounds | None:
    """Return the bounds that a setting means: a number is never passed, 0 lifts them, none leaves it to be learned."""
    if per_second is None:
        return Bounds(START, MOST)
    return Bounds(per_second, per_second) if per_second > 0 else None
