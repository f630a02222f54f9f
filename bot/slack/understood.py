"""What a command is understood as: by the names that were typed, and with nothing that must not be repeated. Pure."""

from collections.abc import Sequence
from contextlib import suppress

from pydantic import ValidationError

from bot.errors import UserError
from bot.grammar import Word as Typed
from bot.grammar import check_length, is_parameter, split
from bot.masks import masked
from bot.models.spelling import quoted
from bot.policy import Word
from bot.routing import Command, Router
from bot.settings import Projects
from bot.slack.sentences import is_sentence


def line_of(text: str, router: Router, projects: Projects) -> str:
    """Return a command as it was read, by the names that were typed; values, and whatever goes with secrets, not.

    Empty text for what cannot be read, for a sentence, and for what is answered at once.
    """
    try:
        check_length(text)
        command, words = router.find(split(text))
        if command.at_once or is_sentence(split(text), router, projects):
            return ""
        command.parse(words, projects)
    except (UserError, ValidationError):
        return ""
    return _line(command, words)


def takes_the_default_token(text: str, router: Router, projects: Projects) -> bool:
    """Say whether a command that can be read is about what CircleCI is surely asked about with the default token."""
    if not projects.tokens:
        return True
    command, words = router.find(split(text))
    with suppress(UserError, ValidationError):
        slug, _ = command.parse(words, projects).about(projects)
        return slug is not None and not projects.have_a_token_of(slug)
    return False


def _line(command: Command, words: Sequence[Typed]) -> str:
    if command.permission in (Word.SECRETS, Word.KEYS):
        return command.name
    return masked(" ".join([command.name, *map(_shown, words)]))


def _shown(word: Typed) -> str:
    if is_parameter(word):
        return f"{word.text.partition('=')[0]}=…"
    return quoted(word.text) if word.quoted else word.text
