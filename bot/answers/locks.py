"""What is locked."""

from datetime import datetime

from bot.answers import Answer, Found
from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock


class Locks(Found):
    """Every lock, oldest first, as it stood at `read_at`; those named in `unread` hold, and nobody can read them.

    With a `project_title` those of this project alone, and so many others `elsewhere`. Where who asks may not look at
    everything, there may be locks that are not for their eyes: then `sees_all` is off.
    """

    locks: tuple[Lock, ...]
    unread: tuple[str, ...] = ()
    read_at: datetime
    project_title: str = ""
    elsewhere: int = 0
    sees_all: bool = True


class WhichLock(Answer):
    """Nothing is locked yet: `ref` may be meant, with the `reason` behind it, or the project for all `words`.

    `until` is when it is to end, as it was typed.
    """

    project_slug: ProjectSlug
    project_title: str
    ref: Ref
    reason: str
    words: str
    until: str = ""


class WillTell(Answer):
    """Who asks is told when this `lock` is over; they may have `asked_before`."""

    lock: Lock
    asked_before: bool = False
