"""Who hears of a build that is looked at for them: channels that subscribed, and people whose own it is."""

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

from bot.models.build import Build
from bot.models.circleci import Pipeline


class Judge(Protocol):
    """Who decides what channels are told of a build that is over, and tells them."""

    async def judged(self, build: Build, but: Collection[str] = ()) -> timedelta | None:
        """Tell each channel what it has subscribed to; returns the pause before another try, None where all is told.

        Those with the marks of `but` are told nothing. Of a build that passed, the jobs may not have been read.
        """

    async def was_there(self, build: Build, marks: Collection[str]) -> timedelta | None:
        """Note for subscriptions with these marks that it had ended before they were made; returns the same."""

    async def waits(self, build: Build) -> timedelta | None:
        """Tell them what of it waits for an approval, or what became of that; returns the same. All jobs were read."""

    async def holds(self, build: Build) -> timedelta | None:
        """Tell them of a build that waits for a person that it has repaired its branch, if it has; returns the same."""


class Own(Protocol):
    """Who tells people of their own builds."""

    async def are_about(self, pipeline: Pipeline) -> bool:
        """Say whether anybody wants to be told of a build as their own."""

    async def is_read(self, pipeline: Pipeline) -> None:
        """Note whose it is that is looked at."""

    async def over(self, build: Build) -> timedelta | None:
        """Tell of an end, as above."""

    async def goes_on(self, build: Build) -> None:
        """Tell of what waits in a build that has not ended."""
