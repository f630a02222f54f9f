"""A window that somebody has open: what opened it, and where."""

from bot.models.caller import Place
from bot.models.fields import Model


class Window(Model):
    """What is sent with it counts as said by `person_id`, in `place`; `value` is the packed button that opened it."""

    person_id: str
    action_id: str
    value: str
    place: Place | None = None
