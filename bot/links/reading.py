"""What the readers of links share: the piece that cannot be read, numbers, refs, and how a project is spelled. Pure."""

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl

from bot.errors import UsageError
from bot.models import git
from bot.models.circleci import ProjectSlug
from bot.models.slugs import VCS
from bot.models.target import Target
from bot.refs import number, ref_named

NAME_THEM = "Write the project, and the branch."
_NAME = re.compile(r"[\w.-]+")
# What pages put behind the `?` of their addresses for how they look, and for who came from where.
_OF_LOOKS = frozenset(("diff", "expand", "filter", "invite", "notification_referrer_id", "plain", "tab", "view", "w"))
_OF_CAMPAIGNS = "utm_"


class NoProject(Exception):
    """A link that leads to no project, nor to anything of one."""


class Unread(Exception):
    """A `piece` of a link that nobody can read."""

    def __init__(self, parts: Sequence[str]) -> None:
        super().__init__("/".join(parts))
        self.piece = "/".join(parts)


class Query:
    """What stands behind the `?` of a link: what no reader takes is `left`, but for what tells of looks alone."""

    def __init__(self, text: str) -> None:
        # A space is in no name, and a `+` may be: who encodes one as the other means a name that is none.
        pairs = parse_qsl(text.replace("+", "%2B"), keep_blank_values=True)
        self._left = [(name, value) for name, value in pairs if not _is_of_looks(name)]

    def take(self, *names: str) -> list[tuple[str, str]]:
        """Return what is given under these names, in the order of them; raises Unread where it is more than one."""
        taken = [(name, value) for wanted in names for name, value in self._left if name == wanted]
        if len(taken) > 1:
            raise Unread([_shown(taken)])
        self._left = [one for one in self._left if one not in taken]
        return taken

    @property
    def left(self) -> str:
        """What nobody took, as it may be shown; empty text for nothing."""
        return _shown(self._left) if self._left else ""


def _is_of_looks(name: str) -> bool:
    return name in _OF_LOOKS or name.startswith(_OF_CAMPAIGNS)


def _shown(pairs: Sequence[tuple[str, str]]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in pairs)


def project_slug(vcs: str, organization: str, name: str) -> ProjectSlug:
    """Return a project's slug; raises UsageError for what no project is called."""
    for part in (organization, name):
        if not _NAME.fullmatch(part) or set(part) == {"."}:
            raise UsageError("This is not a project name.", given=f"{organization}/{name}")
    return ProjectSlug(f"{VCS[vcs.lower()]}/{organization}/{name}")


def a_number(parts: Sequence[str], of: Sequence[str]) -> int:
    """Return the number that a page `of` this address begins with; raises Unread where there is none."""
    found = number(parts[0]) if parts else None
    if not found:
        raise Unread(of)
    return found


def a_ref(names: Sequence[str], kind: str = "branch") -> Target:
    """Return the branch or the tag, or the commit where a branch may stand too."""
    name = "/".join(names)
    if kind == "branch" and git.is_commit(name):
        return Target(commit=name.lower())
    return Target(ref=ref_named(name, kind))


def a_commit(names: Sequence[str], of: Sequence[str]) -> Target:
    """Return the commit, in full or short; raises Unread for what is none."""
    if not names or not git.may_be_commit(names[0]):
        raise Unread(of)
    return Target(commit=names[0].lower())
