"""Which token a request goes out with, where organisations or projects have their own.

A path that names a project says it. One that names an id does not: whose it is, is learned from the answers it came
in, and what nobody has seen yet is asked for with one token after the other: CircleCI answers 404 for what a token may
not see.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

MOST_LEARNED = 20_000


class Keyring:
    """The default token, and those of organisations (`gh/acme`) and projects (`gh/acme/frontend`)."""

    def __init__(self, default: SecretStr, tokens: Mapping[str, SecretStr]) -> None:
        self._default = default.get_secret_value()
        self._tokens = {name.lower(): token.get_secret_value() for name, token in tokens.items()}
        self._learned: OrderedDict[str, str] = OrderedDict()
        self._whose = {token: _mark(token) for token in self._tokens.values()} | {self._default: ""}

    @property
    def names(self) -> tuple[str, ...]:
        """The organisations and projects that have a token of their own."""
        return tuple(self._tokens)

    def name_of(self, token: str) -> str:
        """Return whose a token is, empty text for the default one."""
        return next((name for name, one in self._tokens.items() if one == token), "")

    def whose(self, token: str) -> str:
        """Return what tells a token from the others without being one; empty text for the default one."""
        return self._whose.get(token, "")

    @property
    def marked(self) -> dict[str, str]:
        """Return whose the tokens are, by what tells them from the others."""
        return {mark: self.name_of(token) for token, mark in self._whose.items() if mark}

    def alone(self, name: str) -> "Keyring":
        """Return a keyring with one of the tokens, the default one where `name` is empty."""
        keys = Keyring(SecretStr(self._tokens[name] if name else self._default), {})
        keys._whose = self._whose  # it is ourselves
        return keys

    @property
    def all(self) -> tuple[str, ...]:
        """Every token, the default one first."""
        return tuple(dict.fromkeys((self._default, *self._tokens.values())))

    def for_path(self, path: str) -> tuple[str, ...]:
        """Return the tokens to try in turn; almost always one."""
        if not self._tokens:
            return (self._default,)
        parts = [unquote(part) for part in path.split("?", maxsplit=1)[0].split("/")]
        if "project" in parts:
            slug = [part.lower() for part in parts[parts.index("project") + 1 :][:3]]
            names = ("/".join(slug), "/".join(slug[:2]))
            return (next((self._tokens[name] for name in names if name in self._tokens), self._default),)
        known = next((self._learned[part] for part in parts if part in self._learned), None)
        if known is not None:
            return (known,)
        return self.all if any(_is_id(part) for part in parts) else (self._default,)

    def learn(self, token: str, data: Any) -> None:
        """Remember whose token sees what is in an answer."""
        if not self._tokens or not isinstance(data, dict):
            return
        items = data["items"] if isinstance(data.get("items"), list) else [data]
        for item in items[:MOST_LEARNED]:
            if isinstance(item, dict) and _is_id(str(item.get("id") or "")):
                self._learned[str(item["id"])] = token
                self._learned.move_to_end(str(item["id"]))
        while len(self._learned) > MOST_LEARNED:
            self._learned.popitem(last=False)


def _mark(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def _is_id(part: str) -> bool:
    return len(part) == 36 and part.count("-") == 4
