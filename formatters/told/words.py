"""What all tellings are made of: foreign text that is marked as such, times, lists that fit, what can be done next."""

import html
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote

import regex

from bot.masks import masked
from bot.models.build import Build, State
from bot.models.circleci import Ref
from bot.models.git import may_be_commit
from formatters.plain import plain
from formatters.told.text import as_text
from formatters.unseen import unseen, without_unseen
from formatters.words import duration

Data = dict[str, Any]
T = TypeVar("T")
LONGEST_READ = 6_000
NAME, SAID, LINE = 100, 300, 240  # characters of a name, of a message, of a line of a log
LONGEST_URL, LONGEST_SAID = 300, 200
ROOMS = (50, 40, 30, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2, 1, 0)  # entries of a list, as many as fit
# Budgets in characters, of the data and of the text each: 3.5 are a token.
LISTED, OF_BUILD, OF_LOG, OF_BRANCH, OF_ERROR = 1_400, 2_800, 5_250, 2_100, 420
ACTS = frozenset(("deploy", "rerun", "cancel"))  # each takes a reason, which only its caller has
_BLANKS = regex.compile(r"\s+")
_MARKS = regex.compile("[*`\u2060]")


def quoted(text: str, most: int = NAME) -> str:
    """Return foreign text on one line: without secrets and what nobody sees, cut in its middle where it is long."""
    if len(text) > LONGEST_READ:  # what is masked by halves at the seam is far from what is shown
        text = f"{text[: LONGEST_READ // 2]} … {text[-LONGEST_READ // 2 :]}"
    line = str(_BLANKS.sub(" ", without_unseen(masked(text)))).strip()
    if len(line) <= most:
        return line
    end = most // 3
    return f"{line[: most - end - 1]}…{line[-end:]}"


def in_words(text: str, people: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return words of ours that were made for Slack as plain ones; nothing foreign is to be among them.

    `people` is what stands for whom they mention.
    """
    return str(_MARKS.sub("", html.unescape(plain(text, people)))).strip()


def rows(lines: Iterable[str], most: int = LINE) -> list[str]:
    """Return lines of a log as they may be read; one that follows itself is counted."""
    counted = [(line, len(list(row))) for line, row in groupby(quoted(one, most) for one in lines)]
    return [f"{line} (×{times})" if times > 1 and line else line for line, times in counted]


def when(moment: datetime | None) -> str:
    """Return a time in UTC as ISO has it; empty text for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def span(took: timedelta | None) -> str:
    """Return a duration in words; empty text for none."""
    return duration(took) if took is not None else ""


def address(url: str, most: int = LONGEST_URL) -> str:
    """Return an address that holds nothing but one; empty text for what is none."""
    encoded = quote(url, safe=":/?#[]@!$&'()*+,;=%~-._")
    is_one = encoded.startswith(("https://", "http://")) and len(encoded) <= most
    return encoded if is_one and masked(encoded) == encoded else ""


def state_word(state: State | None) -> str:
    """Return how a build stands, in the same words wherever it is told; empty text for what is not known."""
    return {None: "", State.WAITING: "queued"}.get(state, str(state).replace("_", " "))


def known(**fields: Any) -> Data:
    """Return the fields of which something is known; 0 and False are."""
    return {name: value for name, value in fields.items() if value not in ("", None, [], {}, ())}


def ref_of(ref: Ref | None) -> Data:
    """Return a branch or a tag."""
    return {"quoted_tag" if ref.is_tag else "quoted_branch": quoted(ref.name)} if ref else {}


def commit_of(revision: str, subject: str = "") -> Data:
    """Return a commit by its beginning and its subject."""
    sha = revision[:12]
    return known(commit=sha if may_be_commit(sha) else "", quoted_subject=quoted(subject))


def listing(name: str, entries: Sequence[T], room: int, tell: Callable[[T], Any], *, total: int = 0) -> Data:
    """Return as many entries as there is room for, with how many there are and how many are left out."""
    shown = [tell(one) for one in entries[:room]]
    there = max(total, len(entries))
    left = there - len(shown)
    return {f"{name}_in_all": there, **({name: shown} if shown else {}), **({f"{name}_left_out": left} if left else {})}


def fitted(make: Callable[[int], Data], most: int) -> Data:
    """Return what is made with the most room that keeps within a budget, as data and as text."""
    best, low, high = make(ROOMS[0]), 1, len(ROOMS)
    if size(best) <= most:
        return best
    while low < high:
        middle = (low + high) // 2
        made = make(ROOMS[middle])
        if size(made) <= most:
            best, high = made, middle
        else:
            low = middle + 1
    return best if size(best) <= most else make(ROOMS[-1])


def size(data: Mapping[str, Any]) -> int:
    """Return how many characters it takes, as data or as text, whichever is more."""
    return max(len(json.dumps(data, separators=(",", ":"), ensure_ascii=False)), len(as_text(data)))


def call(tool: str, why: str = "", **arguments: Any) -> Data:
    """Return a tool that can be called next, and with what; where a name in it can not be said, that a person can."""
    given = known(**arguments)
    if not all(map(_can_be_said, given.values())):
        return person(f"does it in Slack ({tool.replace('_', '-')}): a name in it is long, or hides something")
    return known(tool=tool, why=why, add="reason" if tool in ACTS else "") | {"arguments": given}


def _can_be_said(value: object) -> bool:
    """Say whether a value is short, shows all of itself, and is no secret: what is cut would name something else."""
    if isinstance(value, dict):
        return len(str(value)) <= 2 * LONGEST_SAID and all(map(_can_be_said, (*value.keys(), *value.values())))
    if not isinstance(value, str):
        return True
    return len(value) <= LONGEST_SAID and not unseen(value) and masked(value) == value


def person(does: str) -> Data:
    """Return what a person can do in Slack."""
    return {"person": does}


def of_build(build: Build) -> Data:
    """Return the arguments that name a build."""
    return {"project": build.pipeline.project_slug, "pipeline": build.pipeline.number}


def of_ref(ref: Ref | None) -> Data:
    """Return the arguments that name a branch or a tag."""
    return {"tag" if ref.is_tag else "branch": ref.name} if ref else {}
