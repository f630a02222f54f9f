"""Words that go with secrets, near misses among them, and the looks of names and of values. Pure, and linear."""

import re
from collections.abc import Iterable


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What such a value is called, and what it is kept in or put into.
STRONG = _set(
    """
    token tokens secret secrets password passwords passwd passwort pwd pw dbpw passphrase passcode
    credential credentials cred creds
    apikey sshkey accesskey secretkey privatekey
    """
)
_BEHIND_OTHERS = _set("pass auth")  # secrets in db_pass and npm_auth, and words of their own alone
PLACES = _set("env envs envvar envvars var vars variable variables key keys ssh-key heroku-key")
SECRET_WORDS = STRONG | PLACES
_KINDS_OF_KEY = _set(
    "api private secret access ssh deploy signing encryption license heroku account auth master client gpg rsa"
)
ACTS = _set("set add put update change insert store save use list show remove delete")
CONNECTIVES = _set("is = : := to as was be -> → =>")
_HARMLESS = _set("true false yes no on off none null")
_MEANT_SO = frozenset(["end", "ends", "eve"])  # near to one of them, and words of their own
_LONGEST_WORD = 24
_MOST_CAPITAL_RUNS = 3

_LETTERS = re.compile(r"[^\W\d_]+")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)*_*")
_LOWER_NAME = re.compile(r"_*[a-z][a-z0-9]*(?:_+[a-z0-9]+)*")
_MIXED_NAME = re.compile(r"[A-Za-z_]{1,40}")
_ASSIGNED = re.compile(r"([A-Za-z_][\w.-]*)(=|:(?!//))(.*)", re.DOTALL)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGITS = re.compile(r"[0-9]+")
_NO_VALUE = re.compile(
    r"""
      [#@<].* | https?://.* | .*\.[A-Za-z]{2,4}             # a pipeline, a person, a link, a file
    | [A-Z]{2,10}-[0-9]+ | v?[0-9]+(?:[.:/-][0-9]+)*[a-z]{0,2}   # a ticket; a version, a date, a time
    """,
    re.VERBOSE,
)
_SYMBOLS = frozenset("!$%^&*+=~\\|;{}[]?")


def bare(word: str) -> str:
    """Return a word in small letters, without what punctuation stands around it."""
    return word.strip(".,;:!?()[]<>*_~`'\"").casefold()


def parts(name: str) -> list[str]:
    """Return what a name is made of: DEPLOY_TOKEN, deploy-token and deployToken are deploy and token."""
    return [part for part in _HUMP.sub("_", name).casefold().replace("-", "_").replace(".", "_").split("_") if part]


def is_strong(name: str) -> bool:
    """Say whether what goes by this name is a secret: the last word of it says what it is."""
    found = parts(name)
    if not found:
        return False
    *before, last = found
    if last in ("key", "keys"):
        return bool(before) and before[-1] in _KINDS_OF_KEY
    if last in _BEHIND_OTHERS:
        return bool(before)
    return last in STRONG or _is_near(last, STRONG) or last.endswith(("token", "secret", "password"))


def is_called_so(word: str) -> bool:
    """Say whether a whole word goes with secrets: `env`, `ssh-key`, DEPLOY_TOKEN; no branch with such a part does."""
    plain = bare(word)
    return plain in SECRET_WORDS or (is_capital_name(word) and is_strong(word))


def is_nearly_called_so(word: str) -> bool:
    """Say whether it is a letter or two from such a word, or made of one."""
    plain = bare(word)
    return is_called_so(word) or _is_near(plain, SECRET_WORDS) or is_strong(plain)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the one among `words` that is a letter or two away, if one is."""
    plain = bare(word)
    return next((one for one in words if plain == one or _is_near(plain, [one])), None)


def assigned(word: str) -> tuple[str, str, str] | None:
    """Return name, sign and value of `NAME=value` or `NAME:value`, whose value may still follow."""
    found = _ASSIGNED.fullmatch(word)
    return (found[1], found[2], found[3]) if found else None


def is_capital_name(word: str) -> bool:
    """Say whether it looks like the name of a variable: FOO, DEPLOY_TOKEN."""
    return len(word) > 1 and _CAPITALS.fullmatch(word.strip(".,;:!?()`'\"")) is not None


def is_name(word: str) -> bool:
    """Say whether it may be a variable's name; a value that is one by its letters has letters and digits mixed."""
    if _LOWER_NAME.fullmatch(word):
        return "_" in word.strip("_") or not _DIGITS.search(word)
    if _CAPITALS.fullmatch(word.lstrip("_")):
        return "_" in word.strip("_") or len(_DIGITS.findall(word)) < 2
    return _MIXED_NAME.fullmatch(word) is not None and len(_HUMP.findall(word)) <= _MOST_CAPITAL_RUNS


def is_harmless(value: str) -> bool:
    """Say whether a value can be no secret: a switch or a small number."""
    return bare(value) in _HARMLESS or not value or (len(value) <= 4 and value.isdecimal())


def may_be_value(word: str) -> bool:
    """Say whether a word beside a secret's name looks like its value, and like no word of a sentence or a branch."""
    if len(word) < 5 or _NO_VALUE.fullmatch(word):
        return False
    return _is_mixed(word) and ("/" not in word or _has_both_cases(word))


def is_value(word: str) -> bool:
    """Say whether a word looks like a value wherever it stands: long, letters and digits all over it."""
    if len(word) < 10 or _NO_VALUE.fullmatch(word) or "/" in word:
        return False
    return len(_DIGITS.findall(word)) > 1 or (_DIGITS.search(word) is not None and _has_both_cases(word))


def _is_mixed(word: str) -> bool:
    if _SYMBOLS & set(word.rstrip(".,;:!?")):
        return True
    has_digit = _DIGITS.search(word) is not None
    return (has_digit and _LETTERS.search(word) is not None) or len(_HUMP.findall(word)) > _MOST_CAPITAL_RUNS


def _has_both_cases(word: str) -> bool:
    return word != word.lower() and word != word.upper()


def _is_near(word: str, words: Iterable[str]) -> bool:
    """Say whether one letter, of a long word two, is missing, too many, wrong or in the place of its neighbour."""
    if not 3 <= len(word) <= _LONGEST_WORD or word in _MEANT_SO:
        return False
    begins = (word[0], word[1::-1])
    return any(
        len(one) > 2
        and one.startswith(begins)
        and abs(len(word) - len(one)) <= 2
        and not _fewer(word, one).isdisjoint(_fewer(one, one))
        for one in words
    )


def _fewer(word: str, like: str) -> frozenset[str]:
    """Return the word with up to one letter left out, up to two where what it is like is long."""
    once = {word[:place] + word[place + 1 :] for place in range(len(word))}
    if len(like) < 8:
        return frozenset({word, *once})
    return frozenset({word, *once, *(one[:place] + one[place + 1 :] for one in once for place in range(len(one)))})
