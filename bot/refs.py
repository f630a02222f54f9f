"""Names of branches, tags and commits, as people write them. Pure."""

from bot.errors import UsageError
from bot.masks import masked
from bot.models import git
from bot.models.circleci import Ref

TAG, REFS = "tag:", "refs/"
_LONG_NAMES = {"refs/heads/": "branch", "refs/tags/": "tag"}
_HALF_LONG = {"heads": "", "tags": TAG}
LONGEST_NUMBER = 9


def ref_named(name: str, kind: str = "branch") -> Ref:
    """Return the branch or the tag, also of git's long name for it; raises UsageError for what is none.

    Blanks around a name are no part of it: git takes none, and who reads `main ` reads `main`.
    """
    text = name.strip()
    long = next((prefix for prefix in _LONG_NAMES if text.startswith(prefix)), "")
    short = text.removeprefix("refs/" if kind != "tag" and git.pull_request(text) else long)
    # Who puts a name in quotes because of its spaces gets CircleCI's own word on it, with what was built lately.
    fault = git.fault(short.replace(" ", "-"))
    if fault or (long and kind == "tag" and _LONG_NAMES[long] != kind):
        problem = fault or f"it begins with {long}"
        raise UsageError(f"This is not the name of a branch or a tag: {problem}.{_way_out(short)}", given=name)
    return Ref(name=short, kind=_LONG_NAMES.get(long, kind))


def _way_out(name: str) -> str:
    """Return what to write for one of git's half long names."""
    prefix, _, short = name.partition("/")
    if prefix not in _HALF_LONG or git.fault(short) or not can_be_shown(short):
        return ""
    return f" Write `{_HALF_LONG[prefix]}{short}`."


def can_be_shown(name: str) -> bool:
    """Say whether it can stand in code marks within a sentence: it is short, and looks like no secret."""
    return bool(name) and "`" not in name and len(name) <= 100 and name.isprintable() and masked(name) == name


def number(text: str) -> int | None:
    """Return a number of a build or a pull request; None for what is none."""
    is_one = text.isdecimal() and text.isascii() and len(text) <= LONGEST_NUMBER
    return int(text) if is_one else None
