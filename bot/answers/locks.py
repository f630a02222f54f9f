"""What is locked."""

from datetime import datetime

from bot.answers import Answer
from bot.models.lock import Lock


class Locks(Answer):
    """Every lock, oldest first, as it stood at `read_at`; those named in `unread` hold, and nobody can read them."""

    locks: tuple[Lock, ...]
    unread: tuple[str, ...] = ()
    read_at: datetime
