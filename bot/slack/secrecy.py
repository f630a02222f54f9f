"""Secrets that people type into a message: found by what a text means, before anything of it is kept. Pure.

A line of a command that takes secrets holds what its grammar has, and nothing else. A line of any other command may
speak of secrets, but bring none. What begins with no command of ours leads to nothing, so the mention is enough.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.grammar import LONGEST_TEXT
from bot.masks import masked
from bot.policy import Word
from bot.routing import HELP_OPTIONS, Router
from bot.slack import secret_words as words
from bot.slack.secret_words import ACTS, CONNECTIVES, PLACES

_TOKEN_QUERY = re.compile(r"([?&])circle-token=[^&\s>|]+")
REMOVED = "circle-token=[removed]"
_KEY_BLOCK = "PRIVATE KEY-----"
_SEPARATORS = re.compile(r"[\s\"'“”‘’„«»`]+")
_ADDRESSED = re.compile(r"/[\w-]+|@?ci|<@[\w|.-]+>,?", re.IGNORECASE)
_OF_BOTH = "use"  # a command, and what people say of a secret
_POLITE = frozenset(["please", "pls", "plz", "kindly", "now", "just", "ok", "okay", "hey", "hi", "can", "could", "you"])
_PROJECT = re.compile(r"(?:[\w.-]+/){1,2}[\w.-]+/?|https?://\S+|git@\S+")
_PLAIN = re.compile(r"[a-z]+(?:-[a-z]+)*")
_FINGERPRINT = re.compile(r"(?:MD5:)?[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*|SHA256:[A-Za-z0-9+/]{1,43}=?")
SHORTEST = 4
_KINDS_OF_KEY = ("deploy-key", "user-key", "github-user-key")
VARIABLE, SSH_KEY, HEROKU_KEY = "env set <project> <NAME>", "ssh-key add <project>", "heroku-key add"


@dataclass(frozen=True)
class Found:
    """A secret in a message: `say` is the command that asks for it in a window.

    `known_by_shape` is one that looks like a credential or is declared to be one, wherever it stands.
    """

    say: str = VARIABLE
    known_by_shape: bool = False


@dataclass(frozen=True)
class Spoken:
    """The words that begin a line: `plain` commands, with what people say for them, and those that take secrets."""

    plain: frozenset[str]
    secret: Mapping[str, str]
    aliases: frozenset[str]

    @classmethod
    def of(cls, router: Router, aliases: Collection[str]) -> "Spoken":
        """Return the words of all commands; `aliases` are the projects' short names."""
        plain: set[str] = set()
        secret: dict[str, str] = {}
        for name, command in router.commands.items():
            also = [word for word in command.help.also if not words.is_called_so(word)]
            if command.permission in (Word.SECRETS, Word.KEYS):
                secret |= dict.fromkeys((name, *command.help.also), name)
            else:
                plain |= {name, *also}
        return cls(frozenset(plain), secret, frozenset(aliases))


def secret_in(text: str, spoken: Spoken) -> Found | None:
    """Return the secret that a text brings, or None where it brings none.

    Of a text that is too long to be read, its beginning counts.
    """
    text = text[:LONGEST_TEXT]
    if _KEY_BLOCK in text:
        return Found(SSH_KEY)
    if (found := _in_words(_said(text), spoken)) is not None:
        return found
    return Found(known_by_shape=True) if has_secret_shape(text) else None


def brings_secret(text: str) -> bool:
    """Say whether what is told to others, as a reason is, brings a secret, as behind a command of any other kind."""
    text = text[:LONGEST_TEXT]
    return _KEY_BLOCK in text or _brings_one(_split(text)) or has_secret_shape(text)


def has_secret_shape(text: str) -> bool:
    """Say whether something in it looks like a credential, or is declared to be one."""
    return masked(text) != text


def without_token(text: str) -> str:
    """Return `text` with each token in the query of a link replaced by REMOVED.

    https://circleci.com/docs/api/v1/#authentication has the form `?circle-token=`, which is going away.
    """
    return _TOKEN_QUERY.sub(rf"\1{REMOVED}", text)


def _said(text: str) -> list[str]:
    """Return the words without quotes, and without how the bot is spoken to."""
    said = _split(text)
    start = 0
    while start < len(said) and (_ADDRESSED.fullmatch(said[start]) or words.bare(said[start]) in _POLITE):
        start += 1
    return said[start:]


def _split(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(text) if word]


def _in_words(said: Sequence[str], spoken: Spoken) -> Found | None:
    if not said:
        return None
    verb = said[0].casefold()
    if command := _secret_command(verb, spoken):
        is_clean = _GRAMMARS[command](_without_help(said[1:]), spoken)
        return None if is_clean else Found(_window(command, said[1:]))
    brings = _brings_one(said[1:]) if _is_plain(verb, spoken) else _speaks_of_one(said)
    if verb == _OF_BOTH and not (said[1:] and (_PROJECT.fullmatch(said[1]) or said[1] in spoken.aliases)):
        brings = brings or _speaks_of_one(said)
    return Found(_window_for(said)) if brings else None


def _without_help(rest: Sequence[str]) -> Sequence[str]:
    """Return what stands behind a command but for the word that asks how it is used, which is no secret."""
    asks = rest and (rest[-1].casefold() in HELP_OPTIONS or [*map(words.bare, rest)] in (["help"], ["-h"]))
    return rest[:-1] if asks else rest


def _secret_command(verb: str, spoken: Spoken) -> str | None:
    """Return the command that takes secrets which a word means, unless it is as near to another command."""
    near = words.nearest(verb, spoken.secret)
    return spoken.secret[near] if near and (near == verb or not _is_plain(verb, spoken)) else None


def _is_plain(verb: str, spoken: Spoken) -> bool:
    return verb in spoken.plain or (len(verb) > 2 and words.nearest(verb, spoken.plain) is not None)


# What the commands that take secrets may be followed by; each answers whether there is nothing else. A project may be
# left out where the channel uses one: then what stands in its place has to be a name by its very look.


def _is_of_env(rest: Sequence[str], spoken: Spoken) -> bool:
    behind = _after_act(rest, ("list", "set", "remove"))
    if len(behind) == 1 and words.is_capital_name(behind[0]) and words.is_name(behind[0]):
        return True
    project, *more = behind or [""]
    return (not behind or _is_project(project, spoken)) and len(more) < 2 and all(words.is_name(name) for name in more)


def _is_of_keys(rest: Sequence[str], spoken: Spoken) -> bool:
    behind = _after_act(rest, ("list", "show", "add", "remove"))
    if len(behind) < 2 and all(_is_key(which) for which in behind):
        return True
    project, *more = behind
    return _is_project(project, spoken) and len(more) < 2 and all(_is_key(which) for which in more)


def _is_of_ssh_key(rest: Sequence[str], spoken: Spoken) -> bool:
    behind = _after_act(rest, ("add",))
    return len(behind) < 2 and all(_is_project(project, spoken) for project in behind)


def _is_of_heroku_key(rest: Sequence[str], spoken: Spoken) -> bool:  # noqa: ARG001  # as all of them
    return not _after_act(rest, ("add",))


_GRAMMARS: dict[str, Callable[[Sequence[str], Spoken], bool]] = {
    "env": _is_of_env,
    "keys": _is_of_keys,
    "ssh-key": _is_of_ssh_key,
    "heroku-key": _is_of_heroku_key,
}


def _after_act(rest: Sequence[str], acts: Sequence[str]) -> list[str]:
    return list(rest[1:] if rest and rest[0].casefold() in acts else rest)


def _is_project(word: str, spoken: Spoken) -> bool:
    """Say whether it names a project, or tries to: a plain word may be a misspelled alias, or half of a name."""
    if not word or word in spoken.aliases or _PROJECT.fullmatch(word) or _PLAIN.fullmatch(word):
        return True
    return words.nearest(word, spoken.aliases) is not None


def _is_key(word: str) -> bool:
    """Say whether it names a key, or tries to: nothing so short is a secret, and a sentence may end behind one."""
    plain = word.rstrip(".,;:!?…")
    return len(word) < SHORTEST or plain in _KINDS_OF_KEY or _FINGERPRINT.fullmatch(plain) is not None


def _brings_one(rest: Sequence[str]) -> bool:
    """Say whether the line of another command brings a secret with it: what it names is not enough."""
    if any(_is_given(word, behind) for word, behind in pairwise([*rest, ""])):
        return True
    if not any(words.is_called_so(word) or _is_capital_given(word) for word in rest):
        return False
    stands = any(words.is_value(word) for word in rest if words.assigned(word) is None)
    return stands or _tells_value(rest) or _holds_command(rest)


def _is_given(word: str, behind: str) -> bool:
    """Say whether it is `token=…` or `password: …`, by whatever name a secret goes."""
    found = words.assigned(word)
    if found is None or not words.is_strong(found[0]):
        return False
    _, sign, value = found
    if sign == ":" and not value:
        return words.may_be_value(behind)
    return not words.is_harmless(value or behind)


def _is_capital_given(word: str) -> bool:
    found = words.assigned(word)
    return found is not None and words.is_capital_name(found[0])


def _tells_value(rest: Sequence[str]) -> bool:
    """Say whether what may be a value stands right behind a name: `DEPLOY_TOKEN hunter2`, `the password is …`."""
    name = ""
    for word in rest:
        is_parameter = words.assigned(word) is not None and not (words.is_capital_name(name) and words.is_strong(name))
        if name and words.may_be_value(word) and not is_parameter:
            return True
        if words.is_called_so(word) or words.is_capital_name(word):
            name = word
        elif words.bare(word) not in CONNECTIVES | {""}:
            name = ""
    return False


def _holds_command(rest: Sequence[str]) -> bool:
    """Say whether a command that takes a secret stands in the middle: `env set acme/frontend …`, `env … FOO=bar`."""
    bare = [words.bare(word) for word in rest]
    if any(word in PLACES for word in bare) and any(_is_capital_given(word) for word in rest):
        return True
    places = [at for at in range(len(rest) - 2) if {bare[at], bare[at + 1]} & PLACES and _is_act(bare[at : at + 2])]
    return any(_PROJECT.fullmatch(rest[at + 2]) or words.is_capital_name(rest[at + 2]) for at in places)


def _is_act(pair: Sequence[str]) -> bool:
    return not ACTS.isdisjoint(pair)


def _speaks_of_one(said: Sequence[str]) -> bool:
    """Say whether a line that no command begins goes on about a secret; a word alone is none."""
    if any(_is_capital_given(word) or _is_given(word, behind) for word, behind in pairwise([*said, ""])):
        return True
    if len(said) < 2:
        return False
    if words.is_nearly_called_so(said[0]) or any(_is_mentioned(word) for word in said):
        return True
    signs = any(words.bare(word) in ACTS or words.is_capital_name(word) or words.may_be_value(word) for word in said)
    return signs and any(words.is_nearly_called_so(word) for word in said)


def _is_mentioned(word: str) -> bool:
    return words.is_called_so(word) or any(part in words.STRONG for part in words.parts(words.bare(word)))


def _window(command: str, rest: Sequence[str]) -> str:
    """Return the command to say, with what was named well already."""
    if command == "env":
        project, *more = _after_act(rest, ("list", "set", "remove")) or [""]
        name = more[0].partition("=")[0] if more else ""
        known = _PROJECT.fullmatch(project) and words.is_capital_name(name) and words.is_name(name)
        return f"env set {project} {name}" if known else VARIABLE
    return {"heroku-key": HEROKU_KEY}.get(command, SSH_KEY)


def _window_for(said: Sequence[str]) -> str:
    names = {words.bare(word) for word in said}
    if "heroku-key" in names:
        return HEROKU_KEY
    return SSH_KEY if "ssh-key" in names or {"ssh", "key"} <= names else VARIABLE
