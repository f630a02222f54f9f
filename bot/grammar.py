"""What people type, taken apart: words, a project, a branch or tag, parameters. Pure.

The text arrives as a person typed it (`bot/slack/payloads.py` has undone Slack's wrapping). A branch is whatever
`git check-ref-format` allows and people can see (`bot/models/git.py`), so quotes, `#`, `<` and `&` inside a word mean
themselves; only quotes around a whole word (or a parameter's whole value) hold it together, and then vanish. Code marks
around a line or around words of it come with what is copied from a message, and mean nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from bot import links
from bot.errors import UsageError
from bot.links.reading import project_slug
from bot.models import git
from bot.models.attempt import ParameterValue
from bot.models.circleci import ProjectSlug, Ref
from bot.models.slugs import VCS
from bot.models.spelling import CLOSING, CODE_MARK, MENTIONS, QUESTIONS, SPACES, asks
from bot.models.target import Target
from bot.refs import REFS, TAG, number, ref_named
from bot.settings import Projects

# What a person would type; Slack carries ten times as much, and all of it waits while a text is taken apart.
LONGEST_TEXT = 4000

# https://circleci.com/docs/api/v2/#operation/triggerPipeline
MAX_PARAMETERS = 100
MAX_PARAMETER_NAME = 128
MAX_PARAMETER_VALUE = 512

# Who gives one of these and no branch, by its own name, means what it says and not the default branch.
NAMES_OF_REFS = {
    "tag": ("a tag", "For the tag write `tag:{}`"),
    **dict.fromkeys(("branch", "ref"), ("a branch", "For the branch write `{}`")),
    **dict.fromkeys(("sha", "commit", "revision"), ("a commit", "For the commit write `{}`")),
    **dict.fromkeys(("pipeline", "build", "job"), ("a build", "For the pipeline write `#{}`")),
    **dict.fromkeys(("pr", "pull", "pull_request"), ("a pull request", "For the pull request paste its link")),
}

_PLAIN_WORD = re.compile(f"[^{SPACES}]+")
_CLOSED = re.compile(f"[{''.join(sorted(set(CLOSING.values())))}](?=[{SPACES}]|\\Z)")
_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)=(.*)", re.DOTALL)
_BEFORE_VALUE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*=")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_MARKED = re.compile(f"({CODE_MARK}{{1,3}})([^{CODE_MARK}]+)\\1[.]?(?=[{SPACES}?!,;:]|\\Z)")
BEFORE_A_PLACE = ("to", "on", "in", "into")
STOPS = ".,:;!" + "".join(QUESTIONS)
_MARKS = (*CLOSING, *CLOSING.values(), CODE_MARK)


class Word(NamedTuple):
    """One word; a `quoted` one is never read as a parameter."""

    text: str
    quoted: bool = False


def split(text: str) -> list[Word]:
    """Return the words of `text`; a quote that nobody closes is part of its word.

    Raises UsageError for a text that is too long.
    """
    check_length(text)
    return _words(text)


def _words(text: str) -> list[Word]:
    quotes = _Quotes(text)
    words: list[Word] = []
    position = 0
    while found := _PLAIN_WORD.search(text, position):
        marked = _MARKED.match(text, found.start())
        if marked and (within := _words(marked[2])):
            words += within
            position = marked.end()
            continue
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


def parse_project(word: str, projects: Projects) -> Target:
    """Return what `word` names: an alias, `acme/frontend`, a full slug, or by a pasted link more than a project."""
    if slug := aliased(word, projects):
        return Target(slug=slug)
    if links.is_link(word):
        return links.read(word, projects)
    name, behind = apart(word, projects)
    if behind:
        return parse_project(name, projects).also(parse_named(Word(behind)))
    parts = word.strip("/").split("/")
    if len(parts) == 2:
        parts = [projects.default_vcs, *parts]
    if len(parts) != 3 or parts[0].lower() not in VCS:
        raise UsageError("This is not a project. A project is acme/frontend, gh/acme/frontend or a link.", given=word)
    return Target(slug=project_slug(*parts))


def apart(word: str, projects: Projects) -> tuple[str, str]:
    """Return the project and what stands behind it in one word, as `acme/frontend:main` or `acme/frontend/main`.

    Both empty text where a word is not made so.
    """
    left, colon, right = word.partition(":")
    if colon and right and (aliased(left, projects) or _is_name(left)):
        return left, right
    parts = word.split("/")
    most = 3 if parts[0].lower() in VCS else 2
    is_both = all(parts) and len(parts) > most and parts[0] != REFS.strip("/")
    return ("/".join(parts[:most]), "/".join(parts[most:])) if is_both else ("", "")


def _is_name(text: str) -> bool:
    """Say whether it is a project's name or slug, and nothing behind it."""
    parts = text.split("/")
    return all(parts) and len(parts) == (3 if parts[0].lower() in VCS else 2)


def parse_slug(word: str, projects: Projects) -> ProjectSlug:
    """Return the project that a whole line is about; raises UsageError for a link that names more than it."""
    target = parse_project(word, projects)
    if target.slug is None or target.names_more:
        raise UsageError("This link names more than a project, and I need a project alone.", given=word)
    return target.slug


def aliased(word: str, projects: Projects) -> ProjectSlug | None:
    """Return the project of this alias; its case counts only where another alias differs by nothing else."""
    alike = {name: entry for name, entry in projects.projects.items() if name.casefold() == word.casefold()}
    entry = alike.get(word) or (next(iter(alike.values())) if len(alike) == 1 else None)
    return ProjectSlug(entry.slug) if entry else None


def parse_ref(word: Word) -> Ref:
    """Return the branch, or with `tag:` before it the tag; raises UsageError for what git takes as no name."""
    text = word.text.strip()
    if not word.quoted and links.is_link(text):
        raise UsageError("This is a link: write it in the place of the project, and nothing else.", given=word.text)
    if not word.quoted and text.startswith(MENTIONS) and text.endswith(">"):
        raise UsageError("This is a person or a channel, and no branch.", given=word.text)
    if not word.quoted and (text[:1] in _MARKS or text[-1:] in _MARKS):
        raise UsageError("A quote is not closed here. A name that really holds one goes in quotes.", given=word.text)
    if text.startswith(TAG) and len(text) > len(TAG):
        return ref_named(text.removeprefix(TAG), "tag")
    return ref_named(text)


def parse_named(word: Word) -> Target:
    """Return the branch, the tag, the commit in full, the job or with `#` the pipeline that one word names."""
    if not word.quoted and git.is_commit(word.text):
        return Target(commit=word.text.lower())
    if not word.quoted and (found := number(word.text.removeprefix("#"))):
        return Target(pipeline_number=found) if word.text[0] == "#" else Target(job_number=found)
    return Target(ref=parse_ref(word))


def without_stop(words: Sequence[Word], signs: str = ".") -> list[Word]:
    """Return the words without the sign that ends a sentence: no branch, tag or number ends with one."""
    *rest, last = words or [Word("")]
    if last.quoted or last.text[-1:] not in tuple(signs):
        return list(words)
    text = last.text.rstrip(signs)
    return [*rest, *([Word(text)] if text else [])]


def check_no_question(words: Sequence[Word]) -> None:
    """Raise UsageError where the words end as a question does: whoever asks is not acted for."""
    last = words[-1] if words else Word("")
    if not last.quoted and asks(last.text):
        problem = "This ends with a question mark. If it is no question, write it without, or in quotes."
        raise UsageError(problem, given=last.text)


def check_no_stop(words: Sequence[Word]) -> None:
    """Raise UsageError where a line ends with a value and a full stop: nobody can tell whether it belongs to that."""
    last = words[-1] if words else Word("")
    value = last.text.partition("=")[2]
    if is_parameter(last) and value.endswith(".") and value.strip("."):
        problem = "This value ends with a full stop. Write it without, or in quotes where it belongs to the value."
        raise UsageError(problem, given=last.text)


def is_parameter(word: Word) -> bool:
    """Say whether the word is `name=value`."""
    return not word.quoted and _PARAMETER.fullmatch(word.text) is not None


def parse_parameters(words: Sequence[Word]) -> dict[str, ParameterValue]:
    """Return typed pipeline parameters, within CircleCI's limits."""
    parameters: dict[str, ParameterValue] = {}
    for word in words:
        match = None if word.quoted else _PARAMETER.fullmatch(word.text)
        if match is None:
            place = " I know no environments." if word.text.lower() in BEFORE_A_PLACE else ""
            raise UsageError(f"I expected name=value after the branch.{place}", given=word.text)
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
    if len(value) > 2 and value[0] == value[-1] == CODE_MARK and CODE_MARK not in value[1:-1]:
        return _value(name, value[1:-1])
    quoted = bool(value) and (_Quotes(value).closing(0) == len(value) - 1 or CLOSING.get(value[0]) == value[1:])
    text = value[1:-1] if quoted else value
    if len(text) > MAX_PARAMETER_VALUE:
        raise UsageError(f"CircleCI takes at most {MAX_PARAMETER_VALUE} characters in a value.", given=name)
    if not quoted and value[:1] in (*CLOSING, CODE_MARK):
        raise UsageError("The quote before this value is not closed.", given=f"{name}={value}")
    if quoted:
        return text
    if unseen := next(filter(git.is_unseen, text), ""):
        problem = (
            f"The value of this parameter holds {git.what_is_unseen(unseen)}. If it belongs there, quotes keep it."
        )
        raise UsageError(problem, given=name)
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _INTEGER.fullmatch(text) else text
