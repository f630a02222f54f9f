"""A deploy or a rerun of a branch that may run still: what was asked for, and how it stood at the last look."""

from datetime import datetime

from bot.models.attempt import Attempt
from bot.models.build import State
from bot.models.fields import Model


class Beside(Model):
    """What was asked for last of one pipeline, and the deploy that is `rerun`, if it is one and that is known.

    `state` is that of the last look, None before there was one; what is on hold is so `held_since`.
    """

    asked: Attempt
    deployed: Attempt | None = None
    state: State | None = None
    held_since: datetime | None = None
