"""What a channel wants to hear of a project's branches, whoever started their builds."""

from datetime import datetime
from enum import StrEnum

from bot.models.circleci import ProjectSlug
from bot.models.fields import Model
from bot.models.globs import matches


class Event(StrEnum):
    """What can happen to a branch: it broke or is fixed, or any of its builds failed or passed."""

    BROKE = "broke"
    FIXED = "fixed"
    STILL_RED = "still-red"
    FAILED = "failed"
    PASSED = "passed"


class Mode(StrEnum):
    """Where it is told: one thread for each branch that is red, or each a message of its own."""

    THREAD = "thread"
    CHANNEL = "channel"


class Subscription(Model):
    """The rule with this `id` of ours: the channel's, not that of who made it.

    `branches` are globs, and `!` excludes; none of them means the default branch, whatever that is by now:
    `default_branch` is what it was then. `mention` is Slack's id of a user group or a person, for what broke.
    It is `paused` with the reason for which nothing can be told at the moment.
    """

    id: str
    channel_id: str
    made_by: str
    made_by_name: str = ""
    team_id: str = ""
    made_at: datetime
    project_slug: ProjectSlug
    project_id: str = ""
    project_title: str
    default_branch: str
    branches: tuple[str, ...] = ()
    events: tuple[Event, ...] = (Event.BROKE, Event.FIXED)
    mode: Mode = Mode.THREAD
    mention: str = ""
    paused: str = ""

    def wants(self, branch: str, default_branch: str) -> bool:
        """Say whether it is about a branch, where the project's default branch is that one by now."""
        return matches(self.branches, [branch]) if self.branches else branch == default_branch

    def asks_the_same(self, other: "Subscription") -> bool:
        """Say whether the other is about the same events of the same branches, wherever and to whom they are told."""
        mine, others = self.project_id or self.project_slug, other.project_id or other.project_slug
        return (self.channel_id, mine, frozenset(self.branches), frozenset(self.events)) == (
            other.channel_id,
            others,
            frozenset(other.branches),
            frozenset(other.events),
        )
