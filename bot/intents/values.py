"""What a sentence names, taken out of it: a project, a branch or a tag, a build, a link; the words are left. Pure.

A word is a project that is known, or spelled like one. It is a branch where it is spelled as only a branch, a tag or a
commit is, or stands beside the word for one.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from bot import links
from bot.errors import UsageError
from bot.grammar import Word, is_parameter, parse_project
from bot.models import git
from bot.models.circleci import ProjectSlug
from bot.models.spelling import MENTIONS, as_typed
from bot.refs import TAG, number
from bot.settings import Projects

_AROUND = ".,;:!?¿¡()[]{}…\"'“”„‘’«»`*"
_OWNING = ("'s", "’s")
_BRANCHES = frozenset(("main", "master", "develop", "trunk"))
FOLDERS = frozenset(
    (
        *("release", "releases", "feature", "features", "feat", "fix", "fixes", "bugfix", "hotfix", "chore", "docs"),
        *(
            "test",
            "tests",
            "try",
            "hold",
            "ci",
            "refactor",
            "dependabot",
            "renovate",
            "revert",
            "user",
            "users",
            "pull",
        ),
    )
)
_PREFIXES = frozenset(("release", "feature", "feat", "fix", "bugfix", "hotfix", "chore"))
BRANCH_WORDS = frozenset(("branch", "branches", "rama", "zweig"))
TAG_WORDS = frozenset(("tag", "version", "versión", "etiqueta"))
_JOB_WORDS = frozenset(("job", "jobs", "trabajo"))
_BUILD_WORDS = frozenset(("build", "pipeline", "number", "nr", "no", "run", "lauf", "nummer", "número", "ejecución"))
_VERSION = re.compile(r"v[0-9][\w.-]*|[0-9]+\.[0-9]+\.[0-9][\w.-]*")
_NUMBER = re.compile(r"#[0-9]{1,9}|[0-9]{3,9}")
_PROJECT = re.compile(r"[\w.-]+/[\w.-]+")
_TICKET = re.compile(r"[A-Z]{2,10}-[0-9]{1,9}[\w-]*")
_NO_NAMES = frozenset(("ci/cd", "and/or", "yes/no", "on/off", "true/false", "und/oder", "y/o", "24/7", "he/she"))
_SHORTEST_COMMIT, _COMMIT = 7, 40
LONGEST_NAME = 500  # as `bot/requests.py` takes it


class Named(NamedTuple):
    """What a sentence names, each as it is typed in a command: `ref` a branch, `tag:v2.0` or a commit.

    `number` is that of a pipeline where it begins with `#`, and `until` the end of a lock; `unread` are words that tell
    of an end and cannot be read, `place` those for an environment, `starts` those by which a lock would begin later. It
    is not `is_clear` where two of a kind are named, or what only a command line can hold.
    """

    project: str = ""
    ref: str = ""
    number: str = ""
    is_clear: bool = True
    until: str = ""
    unread: str = ""
    place: str = ""
    starts: str = ""

    def also(self, kind: str, value: str) -> "Named":
        """Return it with one more that is named."""
        known = getattr(self, kind)
        both = bool(known) and known.casefold() != value.casefold()
        return self._replace(**{kind: known or value}, is_clear=self.is_clear and not both)


class Known(NamedTuple):
    """What can be named: projects by all their names in small letters, and the words that are no names."""

    projects: Mapping[str, str]
    words: Collection[str] = frozenset()


def known(projects: Projects, followed: Sequence[ProjectSlug], words: Collection[str]) -> Known:
    """Return the names of projects: aliases, slugs, titles, and what only one of those that are followed is called."""
    names: dict[str, str] = {}
    short: dict[str, list[str]] = {}
    for slug in followed:
        typed = slug.removeprefix(f"{projects.default_vcs}/")
        names |= {slug.casefold(): typed, typed.casefold(): typed, slug.partition("/")[2].casefold(): typed}
        short.setdefault(slug.rpartition("/")[2].casefold(), []).append(typed)
    alone = {name: of[0] for name, of in short.items() if len(of) == 1 and name not in words}
    aliases = {alias.casefold(): alias for alias in projects.projects}
    return Known({**alone, **names, **aliases}, words)


def take(words: Sequence[Word], projects: Projects, can_be: Known) -> tuple[Named, str]:
    """Return what is named, and the sentence without it."""
    spelled = [bare(word) for word in words]
    if any(is_parameter(word) for word in words):
        return Named(is_clear=False), ""
    taker = _Taker(spelled, projects, can_be)
    left = [text for at, text in enumerate(spelled) if not text.startswith((*MENTIONS, "@")) and not taker.takes(at)]
    return taker.named, " ".join(left)


def names(spelled: Sequence[str], projects: Projects, can_be: Known) -> list[tuple[str, str]]:
    """Return what each word of a sentence names, and how that is typed; both empty text where it is no name.

    Of a project and its branch in one word the branch alone.
    """
    taker = _Taker(spelled, projects, can_be)
    return [taker.read(at) for at in range(len(spelled))]


class _Taker:
    """Goes through the words of a sentence, and keeps what they name."""

    def __init__(self, words: Sequence[str], projects: Projects, can_be: Known) -> None:
        self._words = words
        self._projects = projects
        self._can_be = can_be
        self._has_project = any(self._is_known(word) for word in words)
        self.named = Named()

    def takes(self, at: int) -> bool:
        """Say whether the word is a name; it is kept then."""
        kind, value = self.read(at)
        if kind:
            self.named = self.named.also(kind, value)
        return bool(kind)

    def read(self, at: int) -> tuple[str, str]:
        """Return what kind of name a word is, and how it is typed; both empty text for none."""
        word = self._words[at]
        if len(word) > LONGEST_NAME:
            return "", ""
        if links.is_link(word):
            return self._link(word)
        if self._is_known(word):
            return "project", self._can_be.projects[word.casefold()]
        if _NUMBER.fullmatch(word):
            return self._number(at)
        if word.casefold() in _NO_NAMES:
            return "", ""
        return self._slashed(word) if "/" in word else self._ref(at)

    def _is_known(self, word: str) -> bool:
        return word.casefold() in self._can_be.projects

    def _link(self, word: str) -> tuple[str, str]:
        try:
            parse_project(word, self._projects)
        except UsageError:
            self.named = self.named._replace(is_clear=False)
        return "project", word

    def _number(self, at: int) -> tuple[str, str]:
        word, before = self._words[at], self._before(at)
        if word.startswith("#") or before in _BUILD_WORDS:
            return "number", f"#{number(word.removeprefix('#'))}"
        return "number", f"{'job ' if before in _JOB_WORDS else ''}{number(word)}"

    def _slashed(self, word: str) -> tuple[str, str]:
        """Return the project, or the branch, that a word with a `/` names: `acme/frontend/main` names both."""
        for sign in ("/", ":"):
            for at in (at for at, one in enumerate(word) if one == sign):
                if self._is_known(word[:at]) and not git.fault(word[at + 1 :]):
                    self.named = self.named.also("project", self._can_be.projects[word[:at].casefold()])
                    return "ref", as_typed(word[at + 1 :])
        if git.fault(word):
            return "", ""
        is_ref = word.partition("/")[0].casefold() in FOLDERS or self._has_project or not _PROJECT.fullmatch(word)
        return ("ref", as_typed(word)) if is_ref else ("project", word)

    def _ref(self, at: int) -> tuple[str, str]:
        word, before, after = self._words[at], self._before(at), self._after(at)
        if git.fault(word.removeprefix(TAG)):
            return "", ""
        if word.startswith(TAG):
            return "ref", word
        if _VERSION.fullmatch(word):
            return "ref", f"{TAG}{word}" if TAG_WORDS & {before, after} else word
        if word.casefold() in _BRANCHES or _is_spelled_as_one(word):
            return "ref", as_typed(word)
        is_word = word.casefold() in self._can_be.words or not word
        beside = before in BRANCH_WORDS or after in BRANCH_WORDS
        return ("ref", as_typed(word)) if beside and not is_word and len(word) > 1 else ("", "")

    def _before(self, at: int) -> str:
        return self._words[at - 1].casefold() if at else ""

    def _after(self, at: int) -> str:
        return self._words[at + 1].casefold() if at + 1 < len(self._words) else ""


def bare(word: Word) -> str:
    """Return a word without the signs of a sentence around it."""
    if links.is_link(word.text):
        return word.text.rstrip(_AROUND)
    text = word.text if word.text.startswith(MENTIONS) else word.text.strip(_AROUND)
    return next((text.removesuffix(owning) for owning in _OWNING if text.endswith(owning)), text)


def _is_spelled_as_one(word: str) -> bool:
    """Say whether only branches, or commits, are spelled so."""
    if _SHORTEST_COMMIT <= len(word) <= _COMMIT and git.may_be_commit(word):
        return not word.isalpha() and not word.isdecimal()
    folder = word.casefold().replace("_", "-").partition("-")[0]
    return "_" in word.strip("_") or _TICKET.fullmatch(word) is not None or (folder != word and folder in _PREFIXES)
