"""What a channel uses, where nobody names a project."""

from bot.answers import Answer
from bot.models.audit import Entry
from bot.models.channel import Used


class ChannelUses(Answer):
    """What the channel uses; `act` says whether that was `set`, `ended` or only `shown`, when it may be nothing.

    `told` says that the channel has been told, so that nobody needs an answer.
    """

    act: str
    used: Used | None = None
    told: bool = False
    entry: Entry | None = None

    @property
    def is_for_all(self) -> bool:
        """Let everybody see what it uses, if they ask; that this changed the channel is told itself."""
        return self.act == "shown"


class HowToInvite(Answer):
    """How to have us in a channel, before the `line` is carried out that was `asked` there.

    `names` is what it is about, and `target` what of that a button names.
    """

    line: str
    names: str = ""
    target: str = ""
    asked: str = ""
