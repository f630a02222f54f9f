"""What is being carried out for somebody, and where its answer is to stand. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from bot.actions import ButtonAction, ShareAnswer
from bot.answers import Answer, Found
from bot.answers.acts import Acted
from bot.answers.lines import LineMeant
from bot.models.caller import Caller, Place
from bot.models.slack import Click, Invocation
from bot.policy import Word
from bot.record import About


class Stands(StrEnum):
    """Where an answer stands."""

    ALONE = "alone"  # nobody but who asked sees it
    CAN_BE_SHARED = "can be shared"  # the same, with a button for that
    FOR_ALL = "for all"


@dataclass
class Act:
    """What is being carried out: the word it takes, the command or the button, what it names, and what came of it.

    `typed` is what was said, `read_as` the line that a sentence was read as, and `line` the one in full where a project
    is not named so; `note` says by what it was found then. Where the answer `stands` is known once it is in words; what
    `stays_alone` is offered to nobody else. One that a button `shares` replaces the answer with the button then.
    """

    caller: Caller
    word: str = Word.READ
    what: str | ButtonAction = ""
    about: About | None = None
    note: LineMeant | None = None
    line: str = ""
    answer: Answer | None = None
    typed: str = ""
    read_as: str = ""
    stands: Stands = Stands.ALONE
    stays_alone: bool = False
    was_shared: bool = False
    shares: ShareAnswer | None = None

    @property
    def asks_again(self) -> str:
        """The line that asks for the same, wherever that is typed."""
        return self.line or self.read_as or self.typed

    def can_be_shared(self, said: Invocation | Click) -> bool:
        """Say whether its answer can be: asked for again it means the same, and there is somebody who has not seen it.

        In direct messages there is nobody, and in the thread of a mention it stands already.
        """
        means_the_same = bool(self.typed) and not self.stays_alone and (self.note is None or bool(self.line))
        is_alone = isinstance(said, Click) or said.kind == "command"
        is_direct = Place(channel_id=said.channel_id).is_direct
        found = isinstance(self.answer, Found) and self.answer.is_for_all
        return means_the_same and is_alone and not is_direct and found

    @property
    def told_directly(self) -> Acted | None:
        """What was done where they asked to be told of it elsewhere, in direct messages."""
        return self.answer if self.caller.directly and isinstance(self.answer, Acted) else None

    @property
    def answers_its_question(self) -> bool:
        """Say whether the answer takes the place of what was pressed, which is answered then: nobody can press more."""
        return self.was_shared or self.told_directly is not None

    @property
    def name(self) -> str:
        """The command or the button, for the log."""
        return self.what if isinstance(self.what, str) else self.what.action_id
