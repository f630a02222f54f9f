"""How names and values are spelled in a command, so that it means the same when it is typed or pressed again. Pure."""

from collections.abc import Mapping
from itertools import pairwise

from bot.models import git
from bot.models.circleci import Ref

CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“", "«": "»", "”": "”", "’": "’"}
# U+00A0 and its narrow and figure sisters, which phones put in for a space.
SPACES = " \t\r\n\u00a0\u202f\u2007"
CODE_MARK = "`"
DEFINITION = "definition:"  # no branch or tag has a colon
QUESTIONS = ("?", "\uff1f", "\u061f", "\u203d")  # also as other scripts write it
# What a word is not read as a name for: an address, which Slack shows without its scheme, and somebody's mention.
HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "circleci.com", "app.circleci.com")
MENTIONS = ("<@", "<#", "<!")
_NO_NAMES = ("git@", "http://", "https://", "ssh://", *(f"{www}{host}/" for host in HOSTS for www in ("", "www.")))
_ENDS = (".", "?", "!")  # what ends a sentence may be read over at the end of a line
BEFORE_A_TIME = ("until", "till", "til", "'til")
UNITS = (
    *("w", "week", "weeks", "d", "day", "days", "h", "hr", "hrs", "hour", "hours"),
    *("m", "min", "mins", "minute", "minutes"),
)
_TELL_A_TIME = frozenset((*BEFORE_A_TIME, *UNITS, "by"))
_BEFORE_A_NUMBER = "-+~<>≈−–"
_AFTER_A_WORD = ",;:"
_APART = (*CLOSING, *CLOSING.values(), CODE_MARK, *SPACES, "=")


def asks(word: str) -> bool:
    """Say whether a word ends as a question does, however strongly."""
    return word.rstrip(".!").endswith(QUESTIONS)


def as_typed(word: str) -> str:
    """Return a word as it can be typed: in quotes where it would be taken for several, a parameter or a number."""
    marked = any(character in word for character in _APART) or word.lower().startswith((*_NO_NAMES, *MENTIONS))
    return quoted(word) if marked or asks(word) or not word or word.lstrip("#").isdecimal() else word


def sentence(text: str) -> str:
    """Return words as they can be typed behind others: in quotes where one of them would be read otherwise.

    Whatever begins like the name of something, a link, a number or a commit, would be, and what tells a time.
    """
    first, *_ = words = text.split(" ")
    is_word = first.rstrip(_AFTER_A_WORD).isalpha() and not git.is_commit(first)
    tells_a_time = any(_tells_a_time(word) for word in words)
    is_plain = is_word and not tells_a_time and all(as_typed(word) == word for word in words)
    is_plain = is_plain and not text.endswith(_ENDS)
    return text if is_plain or not text else quoted(text)


def _tells_a_time(word: str) -> bool:
    text = word.lower().lstrip(_BEFORE_A_NUMBER)
    return text[:1].isdigit() or text.rstrip(_AFTER_A_WORD + "".join(_ENDS)) in _TELL_A_TIME


def quoted(word: str) -> str:
    """Return a word in quotes that it does not close itself, if there are such."""
    opening = _opening(word) or '"'
    return f"{opening}{word}{CLOSING[opening]}"


def can_be_quoted(word: str) -> bool:
    """Say whether there are quotes that a word does not close itself; there are for whatever was typed in quotes."""
    return _opening(word) is not None


def _opening(word: str) -> str | None:
    """Return the quote to open a word with; one is closed by the first of its sisters that ends a word."""
    closed = {letter for letter, behind in pairwise(word) if behind in SPACES}
    return next((one for one, closing in CLOSING.items() if closing not in closed), None)


def is_parameter(name: str) -> bool:
    """Say whether a parameter of this name can be typed."""
    return name.isascii() and name.replace("-", "_").isidentifier() and not name.startswith("-")


def parameter(name: str, value: str | int | bool) -> str:
    """Return a parameter as it can be typed: text that would be read as a number or as true is in quotes."""
    if isinstance(value, bool):
        return f"{name}={str(value).lower()}"
    if isinstance(value, int):
        return f"{name}={value}"
    is_plain = not any(character in value for character in (*CLOSING, CODE_MARK, *SPACES))
    is_plain = is_plain and not value.endswith(_ENDS) and not any(map(git.is_unseen, value))
    is_text = not (asks(value) or value in ("true", "false") or value.lstrip("-").isdecimal())
    return f"{name}={value if is_plain and is_text else quoted(value)}"


def deploy(slug: str, ref: Ref | None, parameters: Mapping[str, str | int | bool], definition: str = "") -> str:
    """Return the command that deploys the same once more; empty text where none can be typed that is read so.

    `definition` is the pipeline definition that was typed, if one was.
    """
    if not all(map(is_parameter, parameters)):
        return ""
    if not all(can_be_quoted(value) for value in (*parameters.values(), definition) if isinstance(value, str)):
        return ""
    named = [as_typed(str(ref))] if ref else []
    named += [as_typed(f"{DEFINITION}{definition}")] if definition else []
    return " ".join(["deploy", slug, *named, *(parameter(*one) for one in parameters.items())])
