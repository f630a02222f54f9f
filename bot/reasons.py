"""What the beginning of a lock's reason may name: one build is refused, a branch or a tag is asked about. Pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bot.errors import UsageError
from bot.grammar import NAMES_OF_REFS, STOPS, Word, is_parameter, parse_ref
from bot.links import is_link, is_of_code
from bot.models import git
from bot.refs import TAG
from bot.settings import Projects

_BEFORE_A_NAME = frozenset(("at", "for", "in", "of", "on", "only", "the", "to", *NAMES_OF_REFS))
_MARKS = "@()[]{}<>=-–—→"  # around a name, and no part of it as people mean it
_VERSION = re.compile(r"v?[0-9]+\.[0-9]", re.IGNORECASE)
# What a branch is called in many a project, and a reason hardly begins with.
_USUAL = frozenset(
    (
        *("main", "master", "trunk", "release", "prod", "production"),
        *("staging", "dev", "develop", "development"),
    )
)
_IN_QUOTES = "As a reason it goes in quotes."


class OrRef(NamedTuple):
    """The branch or the tag that a reason may begin with, and the reason that is left then; empty text for none.

    It `is_first` where nothing leads to it: it stands where every other word has its branch.
    """

    name: str = ""
    behind: str = ""
    is_first: bool = False


def check(reason: Sequence[Word], projects: Projects) -> None:
    """Raise UsageError for a reason that begins with what names one build, or a branch in a place where none stands."""
    first, _ = _behind_what_leads_to_it(reason)
    if first.quoted:
        return
    text = first.text
    if is_link(text) and is_of_code(text, projects):
        problem = "This link may be what is to be locked, or the reason. The former stands in the place of the project."
        raise UsageError(f"{problem} {_IN_QUOTES}", given=text)
    if text.startswith(":") and not (len(text) > 2 and text.endswith(":")):  # which is an emoji
        problem = "What is to be locked stands behind the project and a colon, without a space between."
        raise UsageError(f"{problem} {_IN_QUOTES}", given=text)
    if _is_build(_bare(text)):
        problem = f"This is one build, and a lock is on a branch or a project. {_IN_QUOTES}"
        raise UsageError(problem, given=text)
    name = text.partition("=")[0].lower() if is_parameter(first) else ""
    if name in NAMES_OF_REFS:
        what, _ = NAMES_OF_REFS[name]
        problem = f"This may be {what}, or the reason. What is to be locked stands behind the project and a colon."
        raise UsageError(f"{problem} {_IN_QUOTES}", given=text)


def or_ref(reason: Sequence[Word]) -> OrRef:
    """Return what a reason may begin with instead, without what leads to it and what ends a clause; quotes are none."""
    first, behind = _behind_what_leads_to_it(reason)
    name = _bare(first.text)
    try:
        if not first.quoted and parse_ref(Word(name)):
            is_first = first.text.rstrip(STOPS) == name and len(behind) == len(reason) - 1
            return OrRef(name, " ".join(word.text for word in behind), is_first)
    except UsageError:
        pass
    return OrRef()


def is_surely_a_ref(name: str) -> bool:
    """Say whether it is spelled as nothing but a branch or a tag is."""
    return "/" in name or name.startswith(TAG) or _VERSION.match(name) is not None


def may_be_a_ref(name: str, behind: str, *, is_first: bool) -> bool:
    """Say whether one that nobody knows is worth a question: it is called as branches are, or stands there alone."""
    return name.casefold() in _USUAL or (is_first and not behind)


def _behind_what_leads_to_it(reason: Sequence[Word]) -> tuple[Word, Sequence[Word]]:
    """Return the first word that may be a name, as in `on branch main`, and the words behind it."""
    rest = list(reason)
    while len(rest) > 1 and not rest[0].quoted and _leads_to_a_name(rest[0].text):
        rest.pop(0)
    return (rest[0], rest[1:]) if rest else (Word(""), [])


def _leads_to_a_name(text: str) -> bool:
    bare = _bare(text).lower()
    return (not bare and text != ":") or bare in _BEFORE_A_NAME


def _bare(text: str) -> str:
    """Return a word without what stands around it in a sentence."""
    return text.rstrip(STOPS).strip(_MARKS).rstrip(STOPS)


def _is_build(text: str) -> bool:
    """Say whether it is the number of a build or a job, or a commit; short ones hold a digit, as no word does."""
    is_commit = git.may_be_commit(text) and (git.is_commit(text) or any(map(str.isdigit, text)))
    return is_commit or text.removeprefix("#").isdecimal()
