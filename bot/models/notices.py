"""What somebody wants to be told of their own builds, in direct messages, and what they were told."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.models.build import Build, State
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.fields import Model, Time

DAY = 24 * 60  # minutes


class About(StrEnum):
    """What of a build is told: that it failed, that it ended in whatever way, that something waits for them."""

    FAILED = "failed"
    ENDED = "ended"
    WAITING = "waiting"


class Quiet(Model):
    """Hours in which nothing but what waits is told, in minutes since midnight; they may go over that."""

    begins: int
    ends: int

    def holds(self, when: datetime) -> bool:
        """Say whether a moment is in them, on the clock of the zone that it is in."""
        minute = when.hour * 60 + when.minute
        return (minute - self.begins) % DAY < (self.ends - self.begins) % DAY

    def __str__(self) -> str:
        return "-".join(f"{minute // 60}:{minute % 60:02}" for minute in (self.begins, self.ends))


class Notice(Model):
    """What one person wants to be told, since then, in the `channel_id` of their direct messages with us.

    `zone` is the name of their time zone, as Slack said last; empty text is UTC. `waiting_since` is when they began to
    ask for what waits, where that was later.
    """

    person_id: str
    name: str = ""
    team_id: str = ""
    channel_id: str
    about: tuple[About, ...]
    quiet: Quiet | None = None
    zone: str = ""
    since: Time
    waiting_since: Time | None = None

    def is_quiet(self, now: datetime) -> bool:
        """Say whether it is one of their quiet hours."""
        return self.quiet is not None and self.quiet.holds(now.astimezone(zone_named(self.zone)))

    @property
    def line(self) -> str:
        """What is typed behind `notify` for the same."""
        return " ".join(["me", *self.about, *([f"quiet {self.quiet}"] if self.quiet else [])])


class ToldOf(Model):
    """What one person was told of one build: `root_ts` is the message about it, `told` the keys of what was said.

    `shown` is the digest of what that message says.
    """

    root_ts: str = ""
    told: frozenset[str] = frozenset()
    shown: str = ""


class Held(Model):
    """The end of a build that came in somebody's quiet hours, to be told after them; `key` names the attempt.

    `failed` are the first jobs that did, and `tests` the first of `tests_failed`. The `build` is kept, without its
    jobs, where it can be run again. `mentioned_in` is the channel in which a message mentioned them for it meanwhile:
    it is told beside others, and not by itself.
    """

    key: str
    pipeline_id: PipelineId
    number: int
    project_slug: ProjectSlug
    title: str
    ref: Ref | None = None
    state: State
    took: timedelta
    failed: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    tests_failed: int = 0
    build: Build | None = None
    mentioned_in: str = ""


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
