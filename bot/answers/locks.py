"""What is locked."""

from datetime import datetime

from bot.answers import Answer
from bot.models.lock import Lock


class Locks(Answer):
    """Every lock, oldest first, as it stood at `read_at`."""

    locks: tuple[Lock, ...]
    read_at: datetime
