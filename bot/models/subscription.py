"""What a channel wants to hear of a project's branches, whoever started their builds."""

import hashlib
import re
from datetime import datetime
from enum import StrEnum

from bot.models import spelling
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug
from bot.models.fields import Model
from bot.models.globs import matches
from bot.models.likeness import is_slip
from bot.models.slugs import spelled_alike


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


OURS = (*Event, *Mode)
USUAL = (Event.BROKE, Event.FIXED)
MENTION = "mention="


class Wish(Model):
    """What of a project is to be told: `branches` are globs, and `!` excludes; none means the default branch.

    `mention` is Slack's id of a user group or a person, for what broke, and `mention_name` what that is called.
    """

    branches: tuple[str, ...] = ()
    events: tuple[Event, ...] = USUAL
    mode: Mode = Mode.THREAD
    mention: str = ""
    mention_name: str = ""


class Subscription(Wish):
    """The rule with this `id` of ours: the channel's, not that of who made it.

    `default_branch` is what it was then: whichever it is by now is meant where no branches are named. It is `paused`
    with the reason for which nothing can be told at the moment.
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
    paused: str = ""

    def wants(self, branch: str, default_branch: str) -> bool:
        """Say whether it is about a branch, where the project's default branch is that one by now."""
        return matches(self.branches, [branch]) if self.branches else branch == default_branch

    @property
    def maker(self) -> Caller:
        """Who made it, in its channel: what they may look at is told there."""
        return Caller(
            person_id=self.made_by,
            name=self.made_by_name,
            team_id=self.team_id,
            place=Place(channel_id=self.channel_id),
            delivery_id=f"subscription:{self.id}",
        )

    @property
    def mark(self) -> str:
        """What tells it from one with the same id that was ended before it was made."""
        return f"{self.id}@{self.made_at.isoformat()}"

    @property
    def line(self) -> str:
        """What names it behind `unsubscribe`, and would make it again behind `subscribe`."""
        where = [one for one in (self.mode,) if one is not Mode.THREAD]
        mention = [f"{MENTION}{_mentioned(self.mention)}"] if self.mention else []
        return " ".join([self.project_slug, *map(as_typed, self.branches), *self.events, *where, *mention])


# What stands in a sentence about branches: without quotes none of it is one, or a rule would wait for it for ever.
OF_SENTENCES = frozenset(
    (
        *(
            "us",
            "me",
            "we",
            "to",
            "of",
            "on",
            "for",
            "from",
            "at",
            "in",
            "the",
            "and",
            "or",
            "about",
            "if",
            "when",
            "whenever",
        ),
        *("breaks", "fails", "passes", "is", "red", "green", "not", "no", "never", "except", "but", "without", "only"),
        *("all", "any", "every", "everything", "branch", "branches", "builds", "please", "tomorrow", "today", "until"),
    )
)


# What a branch that is typed without quotes does not begin with: it may be meant for somebody, or for a build.
NO_BRANCHES = (*spelling.MENTIONS, "@", "#")
_ID = re.compile(r"[SUW](?:0[A-Z0-9]{3,30}|[A-Z0-9]{8,30})")


def as_typed(branch: str) -> str:
    """Return a branch, or a glob, as it can be typed: in quotes where it would be read as anything else."""
    text = branch.lower()
    is_ours = text in OURS or is_of_sentences(branch) or slip(text) is not None or branch.startswith(NO_BRANCHES)
    return spelling.quoted(branch) if is_ours else spelling.as_typed(branch)


def is_of_sentences(word: str) -> bool:
    """Say whether a word stands in a sentence, and in no rule."""
    return word.lower() in OF_SENTENCES or word.endswith(",")


def slip(word: str) -> str | None:
    """Return the word of ours in which another may be a slip."""
    return next((one for one in OURS if is_slip(word.lower(), one)), None)


def is_id(text: str) -> bool:
    """Say whether it is Slack's id of a group or a person, and surely no name in capitals."""
    return bool(_ID.fullmatch(text)) and any(map(str.isdecimal, text))


def _mentioned(person_or_group: str) -> str:
    """Return whom to mention as it can be typed, and by Slack's own sign for them where the id may be a name."""
    if is_id(person_or_group):
        return person_or_group
    return f"<!subteam^{person_or_group}>" if person_or_group.startswith("S") else f"<@{person_or_group}>"


def id_of(channel_id: str, project: str, wish: Wish) -> str:
    """Return the id of what a channel wants to hear: the same events of the same branches are one, whoever asks."""
    asked = [channel_id, spelled_alike(project), *sorted(set(wish.branches)), "|", *sorted(set(wish.events))]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:12]
