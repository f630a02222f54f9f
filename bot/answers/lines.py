"""Lines that may be meant, where one does not name all that it is about."""

from enum import StrEnum

from bot.answers import Answer
from bot.models.circleci import Ref
from bot.models.fields import Model


class How(StrEnum):
    """By what a project was found that a line does not name in full."""

    IN_FULL = "in full"
    SHORT = "short"  # by a name that only it has
    THREAD = "thread"  # the thread is about it
    CHANNEL = "channel"  # the channel uses it
    HEARD = "heard"  # all subscriptions of the channel are to it
    FOLLOWED = "followed"  # the channel follows a build of this number
    LIKE = "like"  # its name is nearly what was typed
    ORDER = "order"  # its branch was named first
    RED = "red"  # its branch is red where they speak
    LAST = "last"  # it is what they did last
    PART = "part"  # the thread is about some workflows of it alone


class LineMeant(Model):
    """A line in full, and what it is about: a project, and of it a branch or a tag, or a build by its number.

    `more` are the words behind that, such as parameters.
    """

    line: str
    title: str
    ref: Ref | None = None
    number: int = 0
    job: int = 0
    more: tuple[str, ...] = ()
    how: How = How.SHORT


class LinesMeant(Answer):
    """Nothing is done yet: each of these lines may be meant, of which one `acts` unless it only looks.

    `typed` is the name that was typed, where a line has one.
    """

    lines: tuple[LineMeant, ...]
    typed: str = ""
    acts: bool = True
