"""What git takes as the name of a branch or a tag, and what in a name nobody can see.

https://git-scm.com/docs/git-check-ref-format
"""

import re
import unicodedata

import regex

from bot.masks.unseen import UNSEEN

_FORBIDDEN = "~^:?*[\\"
_TWICE = ("..", "//", "@{")
_LONG = "refs/"
_UNREADABLE = "\ufffd"  # what stands for half a character in all that the models hold
_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_PART_OF_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
# GitHub's, Bitbucket's and GitLab's; CircleCI says `pull/7`, and starts `pull/7/head` and `pull/7/merge` too.
_PULL_REQUEST = re.compile(r"(?is)(?:refs/)?(?:pull|pull-requests|merge-requests)/([0-9]+)(?:/.*)?")
_SHORTER = re.compile(r"(heads|tags|remotes)/.")
# Of some of them no category says so: joiners, fillers, vowels, variation selectors, blanks.
_UNSEEN = regex.compile(rf"[{UNSEEN}]")
_CATEGORIES = {
    "Cc": "a control character",
    "Cf": "an invisible character",
    "Cn": "a character that means nothing yet",
    "Co": "a character that means nothing to others",
    "Cs": "half a character",
    "Zl": "a line break",
    "Zp": "a line break",
    "Zs": "a space",
}


def fault(name: str) -> str:
    """Return in words why this is no branch's or tag's name; empty text for one that is."""
    if not name:
        return "it is empty"
    return _fault_of_characters(name) or _fault_of_shape(name) or _fault_of_parts(name)


def _fault_of_characters(name: str) -> str:
    for character in name:
        if character == " ":
            return "it holds a space"
        if character in _FORBIDDEN:
            return f"it holds {character}"
        if character == _UNREADABLE:
            return "it holds a character that could not be read"
        if is_unseen(character):
            return f"it holds {what_is_unseen(character)}"
    return ""


def is_unseen(character: str) -> bool:
    """Say whether people see nothing of a character, or nothing that tells it from another."""
    return bool(_UNSEEN.fullmatch(character)) or unicodedata.category(character) in _CATEGORIES


def what_is_unseen(character: str) -> str:
    """Return in words what a character is that people do not see."""
    kind = _CATEGORIES.get(unicodedata.category(character), "an invisible character")
    return f"{kind} ({code_point(character)})"


def code_point(character: str) -> str:
    """Return how Unicode names a character."""
    return f"U+{ord(character):04X}"


def _fault_of_shape(name: str) -> str:
    if name in ("HEAD", "@"):
        return "HEAD and @ mean whatever is newest, and name nothing"
    if _COMMIT.fullmatch(name):
        return "it is a commit, and CircleCI starts branches and tags"
    if name.startswith((_LONG, "-", "/")):
        return f"it begins with {_LONG if name.startswith(_LONG) else name[0]}"
    if shorter := _SHORTER.match(name):
        return f"git may read {shorter[1]}/ as part of its long name, and mean another by it"
    if name.endswith(("/", ".")):
        return f"it ends with {name[-1]}"
    return next((f"it holds {twice}" for twice in _TWICE if twice in name), "")


def _fault_of_parts(name: str) -> str:
    for part in name.split("/"):
        if part.startswith("."):
            return "a part of it begins with a dot"
        if part.endswith(".lock"):
            return "a part of it ends with .lock"
    return ""


def pull_request(name: str) -> str:
    """Return the number of the pull request (GitLab: merge request) whose code this is; empty text for others."""
    found = _PULL_REQUEST.fullmatch(name)
    return found[1] if found else ""


def is_commit(name: str) -> bool:
    """Say whether it is a commit in full, which no branch is called."""
    return _COMMIT.fullmatch(name) is not None


def may_be_commit(name: str) -> bool:
    """Say whether it may be the beginning of a commit; a branch may be called so too."""
    return _PART_OF_COMMIT.fullmatch(name) is not None
