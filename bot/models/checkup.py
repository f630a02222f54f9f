"""What a check-up of an installation finds."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from bot.models.fields import Model
from bot.models.pace import Pace


class Verdict(StrEnum):
    """How a thing stands: well, worth a look, or broken."""

    OK = "ok"
    LOOK = "look"
    BROKEN = "broken"


class Finding(Model):
    """One line of a check-up: `what` was looked at, what was `found`, and for a bad one the `fix`."""

    what: str
    verdict: Verdict
    found: str
    fix: str = ""


class Identity(Model):
    """Whom a bot token belongs to, what it may do, and Slack's own time when it was asked."""

    team: str
    team_id: str
    user: str
    user_id: str
    bot_id: str
    scopes: frozenset[str]
    date: datetime | None = None


OLDEST_REDIS = 7


class Pulse(Model):
    """What the bot is about: how many pipelines it follows, who asked to be left alone, how late results were.

    `pace` is what was learned of CircleCI, to be read at `now`.
    `lags` are the newest results, in seconds from their end at CircleCI to Slack.
    """

    watching: int = 0
    paused: dict[str, timedelta] = Field(default_factory=dict)
    pace: Pace | None = None
    now: float = 0
    lags: tuple[float, ...] = ()


class Memory(Model):
    """A Redis server: its version, whether it keeps an append-only file, what it does when it is full, our pulse."""

    version: str
    append_only: bool
    when_full: str
    pulse: Pulse = Pulse()

    @property
    def major(self) -> int:
        """The first number of the version."""
        head = self.version.partition(".")[0]
        return int(head) if head.isdecimal() else 0

    @property
    def is_too_old(self) -> bool:
        """It lacks what the tasks are kept in."""
        return self.major < OLDEST_REDIS
