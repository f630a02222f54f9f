"""What people type, taken apart: words, a project, a branch or tag, parameters. Pure.

The text arrives as a person typed it (`bot/slack/payloads.py` has undone Slack's wrapping). A branch is whatever
`git check-ref-format` allows and people can see (`bot/models/git.py`), so quotes, `#`, `<` and `&` inside a word mean
themselves; only quotes around a whole word (or a parameter's whole value) hold it together, and then vanish.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from bot.errors import UsageError
from bot.masks import masked
from bot.models import git
from bot.models.attempt import ParameterValue
from bot.models.circleci import ProjectSlug, Ref
from bot.models.slugs import VCS
from bot.models.spelling import CLOSING, SPACES
from bot.settings import Projects

CODE_HOSTS = {"github.com": "gh", "bitbucket.org": "bb"}

# What a person would type; Slack carries ten times as much, and all of it waits while a text is taken apart.
LONGEST_TEXT = 4000

# https://circleci.com/docs/api/v2/#operation/triggerPipeline
MAX_PARAMETERS = 100
MAX_PARAMETER_NAME = 128
MAX_PARAMETER_VALUE = 512

_PLAIN_WORD = re.compile(f"[^{SPACES}]+")
_CLOSED = re.compile(f"[{''.join(sorted(set(CLOSING.values())))}](?=[{SPACES}]|\\Z)")
_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)=(.*)", re.DOTALL)
_BEFORE_VALUE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*=")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_CODE_PAGES = ("blob", "branch", "commit", "commits", "compare", "raw", "src")  # of some branch or commit
_NAME = re.compile(r"[\w.-]+")
_TAG = "tag:"
_LONG_NAMES = {"refs/heads/": "branch", "refs/tags/": "tag"}
_HALF_LONG = {"heads": "", "tags": _TAG}
_LINK = re.compile(r"https?://|git@")
_SSH_ADDRESS = re.compile(r"^git@([^:/]+):")


class Word(NamedTuple):
    """One word; a `quoted` one is never read as a parameter."""

    text: str
    quoted: bool = False


class ProjectRef(NamedTuple):
    """A project, and the branch, the pipeline or the job that a pasted link named with it."""

    slug: ProjectSlug
    ref: Ref | None = None
    pipeline_number: int | None = None
    job_number: int | None = None


def split(text: str) -> list[Word]:
    """Return the words of `text`; a quote that nobody closes is part of its word.

    Raises UsageError for a text that is too long.
    """
    check_length(text)
    quotes = _Quotes(text)
    words: list[Word] = []
    position = 0
    while found := _PLAIN_WORD.search(text, position):
        word, position = _next_word(text, found.span(), quotes)
        words.append(word)
    return words


def check_length(text: str) -> None:
    """Raise UsageError for a text that is longer than what we read."""
    if len(text) > LONGEST_TEXT:
        problem = f"This is too long for me: I read at most {LONGEST_TEXT:,} characters."
        raise UsageError(problem, given=f"{len(text):,} characters")


def _next_word(text: str, plain: tuple[int, int], quotes: "_Quotes") -> tuple[Word, int]:
    """Return the word that begins where `plain` does, which goes to the next space, and where it ends."""
    start, end = plain
    closing = quotes.closing(start)
    if closing is not None:
        return Word(text[start + 1 : closing], quoted=True), closing + 1
    before_value = _BEFORE_VALUE.match(text, start)
    closing = quotes.closing(before_value.end()) if before_value else None
    end = end if closing is None else closing + 1
    return Word(text[start:end]), end


class _Quotes:
    """The quotes of a text, looked up in one walk: to search from each of them anew would take quadratic time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._closed: dict[str, list[int]] = {}
        for found in _CLOSED.finditer(text):
            self._closed.setdefault(found[0], []).append(found.start())

    def closing(self, start: int) -> int | None:
        """Return where the quote opened at `start` is closed at the end of a word, if it is."""
        ends = self._closed.get(CLOSING.get(self._text[start : start + 1], ""), [])
        behind = bisect_right(ends, start)
        return ends[behind] if behind < len(ends) and ends[behind] > start + 1 else None


def parse_project(word: str, projects: Projects) -> ProjectRef:
    """Return the project `word` names: an alias, `acme/frontend`, a full slug or a pasted link."""
    if slug := aliased(word, projects):
        return ProjectRef(slug)
    if is_link(word):
        return _from_link(word)
    parts = word.strip("/").split("/")
    if len(parts) == 2:
        parts = [projects.default_vcs, *parts]
    if len(parts) != 3 or parts[0].lower() not in VCS:
        raise UsageError("This is not a project. A project is acme/frontend, gh/acme/frontend or a link.", given=word)
    return ProjectRef(_slug(parts[0], parts[1], parts[2], word))


def aliased(word: str, projects: Projects) -> ProjectSlug | None:
    """Return the project of this alias; its case counts only where another alias differs by nothing else."""
    alike = {name: entry for name, entry in projects.projects.items() if name.casefold() == word.casefold()}
    entry = alike.get(word) or (next(iter(alike.values())) if len(alike) == 1 else None)
    return ProjectSlug(entry.slug) if entry else None


def is_link(word: str) -> bool:
    """Say whether the word is an address, of a page or of a repository."""
    return _LINK.match(word) is not None


def _from_link(word: str) -> ProjectRef:
    try:
        link = urlsplit(_SSH_ADDRESS.sub(r"https://\1/", word))
    except ValueError:  # an unclosed bracket, or signs that only look like those of an address
        raise UsageError("I cannot read this link.", given=word) from None
    parts = [unquote(part) for part in link.path.split("/") if part]
    if link.hostname in CODE_HOSTS and len(parts) >= 2:
        slug = _slug(CODE_HOSTS[link.hostname], parts[0], parts[1].removesuffix(".git"), word)
        return ProjectRef(slug, ref=_ref_of_code_link(parts[2:], word))
    if parts[:1] in (["pipelines"], ["jobs"]):
        parts = parts[1:]
    if len(parts) < 3 or parts[0].lower() not in VCS:
        raise UsageError("I cannot find a project in this link.", given=word)
    branch = parse_qs(link.query).get("branch", [""])[0]
    of_pipeline = "pipelines/" in link.path
    job = parts[parts.index("jobs") + 1 :][:1] if "jobs" in parts[3:] else [] if of_pipeline else parts[3:4]
    return ProjectRef(
        _slug(parts[0], parts[1], parts[2], word),
        ref=ref_named(branch) if branch else None,
        pipeline_number=_number(parts[3:4]) if of_pipeline else None,
        job_number=_number(job),
    )


def _number(parts: Sequence[str]) -> int | None:
    return int(parts[0]) if parts and parts[0].isdecimal() and parts[0].isascii() else None


def _ref_of_code_link(parts: Sequence[str], word: str) -> Ref | None:
    """Return what the page of a code host is about; raises UsageError where that is not told, for it is no default."""
    if number := git.pull_request("/".join(parts[:2])):
        problem = f"This is a link to a pull request: for its code write `pull/{number}` behind the project."
        raise UsageError(problem, given=word)
    if parts[:1] and parts[0] in _CODE_PAGES:
        raise UsageError("I cannot tell a branch from this link: write the project, and the branch.", given=word)
    if parts[:1] == ["tree"] and len(parts) > 1:
        return ref_named("/".join(parts[1:]))
    if parts[:2] == ["releases", "tag"] and len(parts) > 2:
        return ref_named("/".join(parts[2:]), "tag")
    return None


def _slug(vcs: str, organization: str, name: str, word: str) -> ProjectSlug:
    for part in (organization, name):
        if not _NAME.fullmatch(part) or set(part) == {"."}:
            raise UsageError("This is not a project name.", given=word)
    return ProjectSlug(f"{VCS[vcs.lower()]}/{organization}/{name}")


def parse_ref(word: Word) -> Ref:
    """Return the branch, or with `tag:` before it the tag; raises UsageError for what git takes as no name."""
    text = word.text.strip()
    if text.startswith(_TAG) and len(text) > len(_TAG):
        return ref_named(text.removeprefix(_TAG), "tag")
    return ref_named(text)


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
    if prefix not in _HALF_LONG or git.fault(short) or "`" in short or masked(short) != short or len(short) > 100:
        return ""
    return f" Write `{_HALF_LONG[prefix]}{short}`."


def refuse_number(word: Word) -> None:
    """Raise UsageError for `#7` in a branch's place, unless in quotes: it may be a pull request's, and no pipeline."""
    if not word.quoted and word.text[:1] == "#" and (number := _number([word.text[1:]])) is not None:
        problem = f"This is a number and no branch: for a pull request write `pull/{number}`. Quotes make it a branch."
        raise UsageError(problem, given=word.text)


def is_parameter(word: Word) -> bool:
    """Say whether the word is `name=value`."""
    return not word.quoted and _PARAMETER.fullmatch(word.text) is not None


def parse_parameters(words: Sequence[Word]) -> dict[str, ParameterValue]:
    """Return typed pipeline parameters, within CircleCI's limits."""
    parameters: dict[str, ParameterValue] = {}
    for word in words:
        match = None if word.quoted else _PARAMETER.fullmatch(word.text)
        if match is None:
            raise UsageError("I expected name=value after the branch.", given=word.text)
        name, value = match.groups()
        if name in parameters:
            raise UsageError("This parameter is given twice.", given=name)
        parameters[name] = _value(name, value)
    if len(parameters) > MAX_PARAMETERS:
        raise UsageError(f"CircleCI takes at most {MAX_PARAMETERS} parameters.", given=f"{len(parameters)} parameters")
    return parameters


def _value(name: str, value: str) -> ParameterValue:
    if len(name) > MAX_PARAMETER_NAME:
        raise UsageError(f"CircleCI takes at most {MAX_PARAMETER_NAME} characters in a name.", given=name)
    quoted = bool(value) and _Quotes(value).closing(0) == len(value) - 1
    text = value[1:-1] if quoted else value
    if len(text) > MAX_PARAMETER_VALUE:
        raise UsageError(f"CircleCI takes at most {MAX_PARAMETER_VALUE} characters in a value.", given=name)
    if quoted:
        return text
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _INTEGER.fullmatch(text) else text
