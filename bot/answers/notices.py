"""What somebody is told of their own builds."""

from bot.answers import Changed
from bot.models.notices import Notice


class MyNotices(Changed):
    """What somebody is told from now on, or is told (`shown`); None for nothing, `before` is what it was until now.

    `login` is who the projects file says that they are at the code host, empty text where it does not say.
    """

    notice: Notice | None
    before: Notice | None = None
    shown: bool = False
    login: str = ""
