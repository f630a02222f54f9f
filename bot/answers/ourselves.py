"""The bot itself: who it is, what can be said to it, how its installation stands."""

from datetime import datetime

from bot.answers import Answer
from bot.answers.lines import How
from bot.answers.mine import MyWait
from bot.answers.people import PolicyDecision
from bot.models.build import State
from bot.models.checkup import Finding
from bot.models.circleci import Ref
from bot.models.fields import Model
from bot.models.help import CommandHelp


class Greeting(Answer):
    """Who the bot is and what to try first."""


class News(Model):
    """A build that somebody may want to do something about, as it stood at the last look.

    `jobs` are those that wait for an approval, or that failed, `since` when; `is_over` says that it is certain that it
    has ended. So many `others` of the channel are in the same state, and perhaps more where it `may_be_more`.

    Or it is a branch that is `red` by what the channel has subscribed to, under the name by which it is known there,
    since that build `or_before`; `looking` is who looks at it.
    """

    state: State
    jobs: tuple[str, ...] = ()
    since: datetime | None = None
    is_over: bool = False
    others: int = 0
    may_be_more: bool = False
    red: str = ""
    or_before: bool = False
    looking: str = ""
    snoozed_until: datetime | None = None


class Row(Model):
    """Something that somebody can do here now, by the `word` of a command: `line` says all of it, `typed` the same.

    It is about a project, a branch or a tag, and one build where that has a number; `news` is why it is worth doing.
    Without a `line` nothing is filled in: `typed` is an example.
    """

    word: str
    line: str = ""
    typed: str = ""
    title: str = ""
    ref: Ref | None = None
    number: int = 0
    news: News | None = None


class HelpHere(Answer):
    """What one person can do in one place now, the most urgent first; what it is about was found in this way.

    Before all of it comes what is `waiting` there for their answer, or for them to agree. The place has so many
    `subscriptions` that they may read, None where that is not known soon; `to_subscribe` is a line that would be one.
    By these something `is_red`, as far as it was told.
    """

    waiting: tuple[MyWait, ...] = ()
    rows: tuple[Row, ...]
    title: str = ""
    ref: Ref | None = None
    how: How = How.CHANNEL
    subscriptions: int | None = None
    to_subscribe: str = ""
    is_red: bool = False


class Overview(Answer):
    """Every command that somebody can use in this installation; `is_cut` says that they may not use others."""

    commands: tuple[CommandHelp, ...]
    is_cut: bool = False


class CommandPage(Answer):
    """How one command is used, and whether the one who asks may.

    `is_dropped` says that it is about what CircleCI Cloud, where we are, has not got any more.
    """

    command: CommandHelp
    decision: PolicyDecision | None = None
    is_dropped: bool = False


class CheckUp(Answer):
    """What a check-up of the installation found, in the order of setting it up."""

    findings: tuple[Finding, ...]
