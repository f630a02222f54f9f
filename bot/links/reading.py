"""What the readers of links share: the piece that cannot be read, numbers, refs, and how a project is spelled. Pure."""

import re
from collections.abc import Mapping, Sequence

from bot.errors import UsageError
from bot.models import git
from bot.models.circleci import ProjectSlug
from bot.models.slugs import VCS
from bot.models.target import Target
from bot.refs import number, ref_named

NAME_THEM = "Write the project, and the branch."
_NAME = re.compile(r"[\w.-]+")
Query = Mapping[str, Sequence[str]]


class NoProject(Exception):
    """A link that leads to no project, nor to anything of one."""


class Unread(Exception):
    """A `piece` of a link that nobody can read."""

    def __init__(self, parts: Sequence[str]) -> None:
        super().__init__("/".join(parts))
        self.piece = "/".join(parts)


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
