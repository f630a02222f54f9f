"""Secrets that people type into a message: found before anything is recorded. Pure."""

import re

from bot.grammar import LONGEST_TEXT, is_parameter, split

_TOKEN_QUERY = re.compile(r"([?&]circle-token=)[^&\s>|]+")
REMOVED = "removed-by-ci"
_KEY_BLOCK = "PRIVATE KEY-----"
# How many words a command may have before what follows can only be a value.
_MOST_WORDS = {("env", "set"): 4, ("ssh-key", "add"): 3, ("heroku-key", "add"): 2}


def command_with_value(text: str) -> str | None:
    """Return the command without the secret that was typed behind it, or None for a text that holds none.

    Of a text that is too long to be read, its beginning counts.
    """
    words = split(text[:LONGEST_TEXT])
    verb = tuple(word.text.lower() for word in words[:2])
    if _KEY_BLOCK in text:
        return "ssh-key add acme/frontend"
    most = _MOST_WORDS.get(verb) if len(verb) == 2 else None
    if most is None:
        return None
    if len(words) > most or any(is_parameter(word) for word in words[2:]):
        kept = [word.text.partition("=")[0] for word in words[:most]]
        return " ".join(kept)
    return None


def without_token(text: str) -> str:
    """Return `text` with each token in the query of a link replaced by REMOVED.

    https://circleci.com/docs/api/v1/#authentication has the form `?circle-token=`, which is going away.
    """
    return _TOKEN_QUERY.sub(rf"\1{REMOVED}", text)
