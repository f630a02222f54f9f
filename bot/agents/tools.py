"""What agents are given of the commands: each as a tool with a schema, and a call's arguments as a request. Pure."""

import difflib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from bot.agents.shapes import Hints, Shape
from bot.errors import UsageError
from bot.masks import masked
from bot.policy import Word
from bot.requests import OfTarget, Request, Typed
from bot.routing import Command, Router

LONGEST_WAIT = 45  # seconds; clients hang up after sixty
MOST_ENTRIES, LONGEST_TEXT = 100, 5_000  # of a list or an object, and of each text in it
LONGEST_GIVEN = 200  # characters of what was given, in an error
OF_ACTS = {"reason": {"type": "string", "description": "why, for people"}, "key": {"type": "string"}}
# What each argument is, where its name does not say so; the shortest words that do.
SAID = {
    "project": "acme/web or a link",
    "parameters": "name: value",
    "wanted": "parts of names",
    "over": "failures",
    "last": "builds",
    "step": "part of its name",
    "word": "deploy, rerun, cancel …",
    "everything": "from its first job",
    "of": "from deploy, rerun or cancel",
    "since": "last `mark`",
    "wait": "seconds",
}
_ONLY_READS = Hints(read_only=True, destructive=False, idempotent=True)
_ACTS = Hints(read_only=False, destructive=True, idempotent=True)  # twice the same within a while is once
M = TypeVar("M", bound=BaseModel)


class Find(Request):
    """What somebody wants, in words."""

    intent: Typed


class Follow(Request):
    """What to follow: what an act answered with, or a build; for so long, and what was known already."""

    of: Typed = ""
    project: Typed = ""
    pipeline: int | None = Field(None, ge=1)
    wait: int = Field(LONGEST_WAIT, ge=0, le=LONGEST_WAIT)
    since: Typed = ""


OURS: dict[str, tuple[str, type[Request]]] = {
    "find": ("Find the tool for what you want, or how a person does it in Slack.", Find),
    "follow": (
        "Say what becomes of what you asked for, or of a build: who agreed, how it ended and why.",
        Follow,
    ),
}


def tool_name(command: str) -> str:
    """Return the name of a command as clients take it."""
    return command.replace("-", "_")


def tools(router: Router) -> dict[str, Command]:
    """Return the commands that agents are given, by the names of the tools."""
    return {tool_name(one.name): one for one in router.commands.values() if one.tool is not None}


def shapes(router: Router, *, readonly: bool = False) -> tuple[Shape, ...]:
    """Return all tools by name, or those alone that only look."""
    ours = [Shape(name, words, _schema(request), _ONLY_READS) for name, (words, request) in OURS.items()]
    found = sorted([*ours, *(_shape(name, one) for name, one in tools(router).items())])
    return tuple(one for one in found if one.hints.read_only or not readonly)


def request_of(command: Command, arguments: Mapping[str, Any]) -> Request:
    """Return what a call asks for; raises UsageError, in words that name the argument."""
    schema = schema_of(command)
    given = {name: value for name, value in arguments.items() if value is not None}
    _check_known(given, schema["properties"])
    missing = [name for name in schema.get("required", ()) if given.get(name) in ("", None)]
    if missing:
        raise UsageError(f"`{missing[0]}` is missing{_why_needed(missing[0])}.")
    if not command.only_looks and not isinstance(given["reason"], str):
        raise UsageError("`reason` is text.", given=_shown(given["reason"]))
    mine = {name: value for name, value in given.items() if command.only_looks or name not in OF_ACTS}
    _check_kinds(mine, schema["properties"])
    return _made(_request(command), mine)


def request_of_ours(name: str, arguments: Mapping[str, Any]) -> Request:
    """Return what a call of `find` or `follow` asks for; raises UsageError."""
    _, request = OURS[name]
    given = {name: value for name, value in arguments.items() if value is not None}
    properties = _schema(request)["properties"]
    _check_known(given, properties)
    _check_kinds(given, properties)
    return _made(request, given)


def unknown_tool(name: str, known: Sequence[str]) -> UsageError:
    """Return what is said of a tool that is none, with the nearest one."""
    return UsageError("There is no tool of this name.", given=_shown(name), did_you_mean=nearest(name, known))


def schema_of(command: Command) -> dict[str, Any]:
    """Return what a tool takes."""
    tool, request = command.tool, _request(command)
    if tool is None:
        raise LookupError(command.name)
    needs = ("project",) if tool.needs_project and issubclass(request, OfTarget) else ()
    schema = _schema(request, tool.without, needs)
    if command.only_looks:
        return schema
    properties = {**schema["properties"], **OF_ACTS}
    return {**schema, "properties": properties, "required": [*schema.get("required", ()), "reason"]}


def _shape(name: str, command: Command) -> Shape:
    words = (command.tool.summary if command.tool else "") or command.help.summary
    hints = _ONLY_READS if command.permission == Word.READ else _ACTS
    return Shape(name, words, schema_of(command), hints)


def _request(command: Command) -> type[Request]:
    return (command.tool.request if command.tool else None) or command.request


@cache
def _schema(request: type[Request], without: tuple[str, ...] = (), needs: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the schema of a request without what says nothing to a model: what is wrong with a value is told."""
    found = request.model_json_schema()
    kept = {name: one for name, one in found["properties"].items() if name not in without}
    properties = {name: {**_plain(one), **_said(name)} for name, one in kept.items()}
    required = [*needs, *found.get("required", [])]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _said(name: str) -> dict[str, str]:
    return {"description": SAID[name]} if name in SAID else {}


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema of one type, without noise; of one that may be left out, the type that it has else."""
    if "anyOf" in schema:
        types = [one["type"] for one in schema["anyOf"] if one["type"] != "null"]
        return {"type": types[0] if len(types) == 1 else types}
    plain = {key: schema[key] for key in ("type", "enum") if key in schema}
    return {**plain, "items": _plain(schema["items"])} if "items" in schema else plain


def _check_known(given: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    for name in given:
        if name not in properties:
            takes = f"It takes {', '.join(properties)}." if properties else "It takes none."
            near = nearest(name, tuple(properties))
            raise UsageError(f"There is no such argument. {takes}", given=_shown(name), did_you_mean=near)


def _check_kinds(given: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Raise UsageError for what would be read as a value of another kind, as true is for 1; digits may be text."""
    for name, value in given.items():
        kind = properties[name].get("type")
        if kind == "integer" and not _is_whole(value):
            raise UsageError(f"`{name}` is a whole number.", given=_shown(value))
        if kind == "boolean" and not isinstance(value, bool) and value not in ("true", "false"):
            raise UsageError(f"`{name}` is true or false.", given=_shown(value))


def _is_whole(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdecimal()
    return isinstance(value, int) and not isinstance(value, bool)


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the name that is spelled most alike, if there is one."""
    found = difflib.get_close_matches(name[:LONGEST_GIVEN].lower(), known, n=1, cutoff=0.5)
    return found[0] if found else None


def _why_needed(name: str) -> str:
    return {
        "project": ": acme/web, an alias or a link; `projects` lists them",
        "reason": ": say why, for the people who read it",
    }.get(name, "")


def _made(model: type[M], given: Mapping[str, Any]) -> M:
    for name, value in given.items():
        _check_size(name, value)
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise _in_words(error) from None


def _check_size(name: str, value: object) -> None:
    """Raise UsageError for more than anybody means: a line in Slack could not hold it either."""
    entries = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    if len(entries) > 2 * MOST_ENTRIES or any(isinstance(one, str) and len(one) > LONGEST_TEXT for one in entries):
        raise UsageError(f"`{name}` has at most {MOST_ENTRIES} entries, each of {LONGEST_TEXT} characters.")


def _in_words(error: ValidationError) -> UsageError:
    """Return the first fault in plain words: whoever calls can read no validator's."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"][:2]) or "arguments"
    where = f"`{_cut(masked(name), 60)}`"
    if first["type"] == "missing":
        return UsageError(f"{where} is missing{_why_needed(name)}.")
    return UsageError(f"{where} {_fault(first['type'], first.get('ctx', {}))}.", given=_shown(first["input"]))


def _fault(kind: str, details: Mapping[str, Any]) -> str:
    match kind:
        case "string_type":
            return "is text"
        case "string_too_long":
            return f"has at most {details['max_length']} characters"
        case "greater_than_equal":
            return f"is a number from {details['ge']} on"
        case "less_than_equal":
            return f"is a number up to {details['le']}"
        case "value_error":
            return f"cannot be read: {details['error']}"
    beginnings = {"int": "is a whole number", "bool": "is true or false", "dict": "is an object", "tuple": "is a list"}
    found = next((words for begin, words in beginnings.items() if kind.startswith(begin)), "")
    return found or "cannot be read"


def _shown(value: object) -> str:
    """Return what was given as far as it is worth showing, without a secret."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return _cut(masked(text[: 10 * LONGEST_GIVEN]), LONGEST_GIVEN)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
