"""Who may do what, who did what, and whom the token belongs to."""

from bot.answers import Answer
from bot.models.audit import Entry
from bot.models.circleci import Collaboration, User
from bot.models.lock import Lock
from bot.policy import Elsewhere


class TokenOwner(Answer):
    """Whom the token belongs to, and the organisations it sees."""

    user: User
    organizations: tuple[Collaboration, ...]


class PolicyDecision(Answer):
    """Whether the caller may do what `word` permits, by which rule, what is demanded of them, and who could.

    `about` is the project, and the branch or the tag, that was asked about; `locks` of others keep them from it.
    An agent may do it `alone`, without a person's press, as far as nothing is demanded that takes one.
    `elsewhere` is who could in other channels; `to_lock` says that it is about locks, `unbuilt` that CircleCI has
    built no such branch.
    """

    word: str
    about: str = ""
    allowed: bool
    rule: str
    second_person: bool = False
    typed: bool = False
    green: bool = False
    denied: bool = False
    alone: bool = False
    could: tuple[str, ...] = ()
    locks: tuple[Lock, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    to_lock: bool = False
    unbuilt: bool = False


class Record(Answer):
    """What people did through the bot within `period` (7d, 12h), newest first; no more `is_all_kept`."""

    period: str
    is_all_kept: bool = False
    entries: tuple[Entry, ...]
