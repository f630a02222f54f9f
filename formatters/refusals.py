"""The next step after CircleCI has refused something, by what it says; that none is known is said as well."""

import re
from collections.abc import Callable

from formatters.blocks import code

# A pipeline with such an error was made and runs nothing; an API call may be answered with it too.
_TYPE = re.compile(
    r"(?i)type error for argument ([\w-]{1,128}): expected type: (\w{1,40}), actual value: ([^\n]{0,600}?) \(type"
)
_UNDECLARED = re.compile(r"(?i)unexpected argument\(?s?\)?:? ?([^\n]{0,300})")
_SKIP = re.compile(r"(?i)\[(?:skip ci|ci skip)\]")
_NO_WRITE = "The user that I am at CircleCI may not do this: whoever runs me gives that user write access."
UNKNOWN = "I do not know what helps here: the same on CircleCI's own page may tell more."


def next_step(said: str) -> str:
    """Return what helps after CircleCI has said this; empty text where that is not known."""
    text = said[:2000]
    for pattern, words in _BY_PATTERN:
        if found := pattern.search(text):
            return words(found)
    plain = text.casefold()
    return next((step for part, step in _BY_PART.items() if part in plain), "")


def _of_type(found: re.Match[str]) -> str:
    name, expected, value = found[1], found[2].casefold(), found[3].strip().strip('"')
    as_text = f'{name}="{value}"'
    wanted = {
        "string": f"Quotes make it text: {code(as_text)}.",
        "boolean": f"It takes {code(name + '=true')} or {code(name + '=false')}, without quotes.",
        "integer": f"It takes a whole number, without quotes: {code(name + '=3')}.",
    }
    return wanted.get(expected, f"Look in the configuration what {code(name)} takes.")


def _undeclared(found: re.Match[str]) -> str:
    names = found[1].strip(" .")
    which = f"parameters named {code(names, 200)}" if names else "such parameters"
    return f"The configuration there declares no {which}: leave them out, or declare them under {code('parameters')}."


_BY_PATTERN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_TYPE, _of_type),
    (_UNDECLARED, _undeclared),
    (_SKIP, lambda _: "Push a commit without these words in its message, or deploy another branch or a tag."),
)
_BY_PART = {
    "permission denied": _NO_WRITE,
    "forbidden": _NO_WRITE,
    "suspended": "Who looks after CircleCI's plan in your organization can put that right, in its settings there.",
    "credits": "Who looks after CircleCI's plan in your organization can put that right, in its settings there.",
    "branch not found": "Push the branch first, or check its spelling.",
    "tag not found": "Push the tag first, or check its spelling.",
    "not on hold": "Somebody has decided it meanwhile: the thread has it at my next look.",
    "must be in a terminal state": "It still runs: ask again when it has ended.",
    "already in a terminal state": "It has ended meanwhile: the thread has it at my next look.",
    "not found": "It is not there any more, or my token may not see it.",
}
