"""Which build a command means: the same few ways everywhere. Pure.

Nothing (the newest on the default branch), a branch, `tag:v2.0`, `#2417` (a pipeline), `1842` (a job), a commit in full
or a pasted link; in a thread that follows a build, no name at all.
"""

import re
from collections.abc import Sequence

from bot.errors import UsageError
from bot.grammar import Word, aliased, apart, is_parameter, parse_named, parse_project, parse_ref
from bot.links import is_link
from bot.models import git
from bot.models.target import Target
from bot.refs import REFS
from bot.settings import Projects

_NUMBER = re.compile(r"#?[0-9]{1,9}")


def parse_target(words: Sequence[Word], projects: Projects, *, strict: bool = True) -> tuple[Target, list[Word]]:
    """Return what the first words name, and the words behind.

    Raises UsageError for what is no name of a ref, and for a second build; where it is not `strict`, what is no ref is
    one of the words behind.
    """
    rest = list(words)
    target = Target()
    if rest and is_project(rest[0], projects, strict=strict):
        target = parse_project(rest.pop(0).text, projects)
        if not target.names_more and rest and _names_a_ref(rest[0], strict):
            target = target.also(parse_named(rest.pop(0)))
    while rest and not rest[0].quoted and _NUMBER.fullmatch(rest[0].text):
        word = rest.pop(0).text
        name = "pipeline_number" if word.startswith("#") else "job_number"
        if target.link or getattr(target, name) is not None:
            raise UsageError("Two are named where I can take one.", given=word)
        target = target.model_copy(update={name: int(word.lstrip("#"))})
    return target, rest


def is_project(word: Word, projects: Projects, *, strict: bool = True) -> bool:
    """Say whether a word names a project: an alias, `acme/frontend`, a full slug or a link, also with a branch behind.

    Where it is not `strict`, what has more than two slashes is a path.
    """
    text = word.text
    if aliased(text, projects) is not None or is_link(text):
        return True
    is_one = text.strip("/").count("/") in (1, 2) and ":" not in text.partition("/")[0] and not text.startswith(REFS)
    return is_one or (strict and apart(text, projects) != ("", ""))


def _names_a_ref(word: Word, strict: bool) -> bool:  # one of our own two
    if not word.quoted and git.is_commit(word.text):
        return True
    if not word.quoted and (_NUMBER.fullmatch(word.text) or is_parameter(word) or "*" in word.text):
        return False
    return strict or _is_ref(word)


def _is_ref(word: Word) -> bool:
    try:
        parse_ref(word)
    except UsageError:
        return False
    return True
