"""What goes over the face, in words of ours: a tool as it is listed, and a reply to one call. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from bot.models.circleci import Ref

Refs = Mapping[int, Ref | None]  # what builds are of, by their numbers


class Hints(NamedTuple):
    """What a client may be told of a tool: whether it only reads, and whether calling it twice does no more."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool = True


class Shape(NamedTuple):
    """A tool: its name, what it is for, what it takes (JSON Schema), and hints."""

    name: str
    description: str
    input_schema: dict[str, Any]
    hints: Hints


class Reply(NamedTuple):
    """What is answered to one call: `data` and `text` say the same."""

    data: dict[str, Any]
    text: str
    is_error: bool = False


class Told(NamedTuple):
    """What a call is told before it goes over the face: data, and the `refs` of the builds that it offers.

    What `asks_back` did nothing: the call is to be made otherwise.
    """

    data: dict[str, Any]
    refs: Refs = MappingProxyType({})
    asks_back: bool = False
