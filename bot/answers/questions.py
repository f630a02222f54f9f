"""What an act waits for, as a question to somebody."""

from bot.answers import Answer
from bot.errors import BotError
from bot.models.beside import Beside
from bot.models.build import Build
from bot.models.circleci import Definition
from bot.models.pending import Pending


class Question(Answer):
    """An act that waits for an answer."""

    pending: Pending


class WhichDefinition(Question):
    """Which of a project's pipeline definitions to run."""

    definitions: tuple[Definition, ...]


class BranchIsRed(Question):
    """Whether to deploy all the same, though the newest build that decides is red, or none decides.

    Who asks may not say so themselves without `may`; `could` are those who can, in words. Where it `is_hidden` they may
    not look at the builds either. It is asked `anew` where it is another commit than the one that was gone over.
    """

    build: Build | None = None
    is_hidden: bool = False
    may: bool = True
    could: tuple[str, ...] = ()
    anew: bool = False


class StillRuns(Question):
    """Whether to deploy beside what `others` have asked for of the same that still runs, newest first."""

    others: tuple[Beside, ...]


class ToBeTyped(Question):
    """The branch or tag is to be typed once more."""


class SecondPerson(Question):
    """Somebody else must agree; the request stands in the channel."""


class Waits(BotError):
    """An act that is not over: it waits for the answer to a question."""

    def __init__(self, question: Question) -> None:
        super().__init__(type(question).__name__)
        self.question = question
