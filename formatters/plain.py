"""Slack's markup as plain words: for the record, which is read elsewhere too, and years later."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

# A mention, a time, a channel or a link; the last one may be cut off.
_ENTITY = re.compile(r"<([@!#]|https?:)([^<>|]*)(?:\|([^<>]*))?(?:>|\Z)")
_MENTIONED = re.compile(r"<@([A-Z0-9]+)")
_NOTHING: Mapping[str, str] = {}


def plain(text: str, names: Mapping[str, str] = _NOTHING) -> str:
    """Return text without markup: people by name where it is known, times in UTC, links by what they are called."""
    return _ENTITY.sub(lambda found: _words(found, names), text)


def mentioned(text: str) -> set[str]:
    """Return the ids of the people a text mentions."""
    return set(_MENTIONED.findall(text))


def _words(found: re.Match[str], names: Mapping[str, str]) -> str:
    kind, what, label = found[1], found[2], found[3] or ""
    match kind:
        case "@":
            return names.get(what) or label or what
        case "!":
            return _moment(what) or label or what
        case "#":
            return label or what
        case _:
            return label or f"{kind}{what}"


def _moment(what: str) -> str:
    """Return the time that Slack would show in the reader's own zone; empty text for what is no time."""
    _, _, rest = what.partition("date^")
    try:
        return f"{datetime.fromtimestamp(int(rest.partition('^')[0]), UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""
