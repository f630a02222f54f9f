"""A policy's TOML file, and each mistake in it with its line, what is wrong and what to write."""

import json
import re
import tomllib
from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.policy.rules import DEFAULT, KEEPERS, Policy, Role, Rule, near

Where = tuple[int | str, ...]

# The lines of a policy, for the number of the one that is wrong; a name may stand in quotes.
_RULE = re.compile(r"\s*\[\[\s*rules\s*\]\]")
_ROLE = re.compile(r"\s*\[\s*roles\.(?:[\"']([^\"']*)[\"']|([\w-]+))\s*\]")
_TABLE = re.compile(r"\s*\[{1,2}\s*([\w-]+)")
_KEY = re.compile(r"\s*(?:[\"']([^\"']*)[\"']|([\w-]+))\s*=")

_FIRST = {
    "words": "read",
    "roles": "members",
    "branches": "main",
    "tags": "v*",
    "projects": "acme/*",
    "agents": "release-bot",
}
_MISSING = {
    "name": 'this rule has no name: write name = "…", which people read when it decides',
    "words": 'this rule has no words: write words = ["deploy"], or ["*"] for all',
}
_SHAPES = {
    "rules": "write [[rules]], with two brackets, before each rule",
    "roles": "write [roles.<name>] before what is in a role",
}


class BadPolicy(Exception):
    """A file that is no policy; its text names line and key of each mistake."""


def parse(text: str) -> Policy:
    """Return the policy in a TOML file's text; raises BadPolicy. One without rules has the default's."""
    try:
        policy = Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"this is not TOML: {error}") from None
    except ValidationError as error:
        found = error.errors()
        wrong = {one["loc"][:-1] for one in found}
        # Of a list of which one is wrong, pydantic counts the others.
        told = [one for one in found if one["type"] != "too_short" or one["loc"] not in wrong]
        raise BadPolicy("\n".join(_mistake(text, one) for one in told)) from None
    if not policy.roles and not policy.rules:
        raise BadPolicy("it has neither roles nor rules: write some, or leave POLICY_FILE out for the default ones")
    return policy.model_copy(update={"rules": (*policy.rules, KEEPERS) if policy.rules else DEFAULT.rules})


def _mistake(text: str, error: ErrorDetails) -> str:
    where = (*error["loc"], *error.get("ctx", {}).get("where", ()))
    line = _line_of(text, where)
    path = ".".join(str(part + 1) if isinstance(part, int) else part for part in where)
    said = f"{path}: {_in_words(where, error)}" if path else error["msg"]
    return f"line {line}: {said}" if line else said


def _in_words(where: Where, error: ErrorDetails) -> str:
    """Return what is wrong in our own words: pydantic's are for programmers."""
    key = next((part for part in reversed(where) if isinstance(part, str)), "")
    match error["type"]:
        case "policy" | "value_error":
            return error["msg"].removeprefix("Value error, ")
        case "missing" | "string_too_short":
            return _MISSING.get(key, "it is missing")
        case "extra_forbidden":
            known = _keys_of(where)
            return f"there is no key {key!r} here" + (near(key, known) or f"; there are {', '.join(known)}")
        case "too_short":
            return f'it is empty: name at least one, as in {key} = ["{_FIRST.get(key, "…")}"]'
        case "string_too_long":
            return f"it is too long: at most {error['ctx']['max_length']} characters"
        case "literal_error":
            return f"write {error['ctx']['expected']}"
        case "bool_parsing" | "bool_type":
            return "write true or false, without quotes"
        case "string_type":
            return f"write it in quotes, as {json.dumps(str(error['input']))}"
    return _SHAPES[str(where[0])] if len(where) < 3 else f'write a list, as in {key} = ["{_FIRST.get(key, "…")}"]'


def _keys_of(where: Where) -> list[str]:
    fields = {"rules": Rule.model_fields, "roles": Role.model_fields}
    return list(fields.get(str(where[0]), Policy.model_fields) if len(where) > 1 else Policy.model_fields)


def _line_of(text: str, where: Where) -> int | None:
    """Return the line of a key: TOML's parser keeps none, but a policy is written in one way."""
    lines = list(enumerate(text.splitlines(), 1))
    match where:
        case ("rules", int(number), *rest):
            headers = [at for at, line in lines if _RULE.match(line)]
            start = headers[number] if number < len(headers) else None
        case ("roles", str(name), *rest):
            start = next((at for at, line in lines if name in (_named(_ROLE, line), _named(_KEY, line))), None)
        case (str(name), *rest):
            start = next((at for at, line in lines if name in (_named(_TABLE, line), _named(_KEY, line))), None)
        case _:
            return None
    return start if start is None or not rest else _line_below(lines, start, str(rest[0]))


def _line_below(lines: Sequence[tuple[int, str]], start: int, key: str) -> int:
    """Return the line of a key in the table that begins at `start`, or that line."""
    for at, line in lines[start:]:
        if line.lstrip().startswith("["):
            break
        if _named(_KEY, line) == key:
            return at
    return start


def _named(pattern: re.Pattern[str], line: str) -> str | None:
    found = pattern.match(line)
    return found[found.lastindex or 0] if found else None
