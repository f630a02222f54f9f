"""The tools that somebody may mean who says in words what they want, or how a person says it in Slack. Pure."""

from collections.abc import Collection, Sequence
from typing import Any

from bot.agents.shapes import Shape
from bot.agents.tools import OURS, shapes, tool_name, tools
from bot.intents.index import Scored, normalized
from bot.intents.reading import reader_of
from bot.models.help import CommandHelp
from bot.routing import Router
from bot.settings import Projects

MOST = 3
_WAITS = frozenset(("wait", "await", "poll"))
_BEGINS = frozenset(("start", "trigger", "launch", "run", "begin"))
_WHAT_RUNS = frozenset(("workflow", "workflows", "pipeline", "build", "ci"))
_AGAIN = frozenset(("again", "failed", "failing", "once", "over", "ssh"))
_SSH = "To run with SSH is for people alone: ask one to type it in Slack."
_MEANS_OURS = {"watch": "follow"}  # people are told in a thread, and agents ask
_UNDOES = "Nothing here takes a deploy back: deploy the tag or the branch that was there before."
_FOR_PEOPLE = "What is meant most likely is for people, and not for you: ask one to type it in Slack."
_NOTHING = "I know nothing like this. Say it otherwise, or choose one of these."


def find(intent: str, router: Router, acts: Collection[str] | None = None) -> dict[str, Any]:
    """Return the likeliest tools with their scores, from 0 to 1, and what the first takes.

    What is for people alone is told by the line that they type; for what is like nothing, what there is. So are acts
    that are not among those that who asks may ask for.
    """
    found = _ranked(intent, router)
    if found and _wants_ssh(normalized(_as_words(intent)).split()):
        return {"tools": [], "only_people": [_by_ssh(router)], "note": _SSH}
    if not found:
        return {"tools": [], "note": _UNDOES if found is None else _NOTHING, **_all(router, acts)}
    found = found[:MOST]
    names = {one.name: _unless_kept_from(_name(one.name, router), router, acts) for one in found}
    said = [_tool(one, name, router) for one in found if (name := names[one.name])]
    people = [_person(one, router.commands[one.name].help) for one in found if not names[one.name]]
    answer: dict[str, Any] = {"tools": said} | ({"only_people": people} if people else {})
    if not names[found[0].name]:
        return {**answer, "note": _FOR_PEOPLE}
    return {**answer, "first_takes": _takes(said[0]["tool"], router)}


def _ranked(intent: str, router: Router) -> list[Scored] | None:
    reader = reader_of(tuple(command.help for command in router.commands.values()))
    nothing, words = Projects(), _as_words(intent)
    found = reader.ranked(words, nothing, reader.known(nothing, ()))
    first = None if found is None else _said_first(normalized(words).split(), router)
    return [Scored(first, 1.0), *(one for one in found or () if one.name != first)] if first else found


def _as_words(intent: str) -> str:
    """Return what is wanted with the names that programs give things taken apart: `find_flaky_tests`."""
    return " ".join(one if "/" in one else one.replace("_", " ") for one in intent.split())


def _said_first(words: Sequence[str], router: Router) -> str | None:
    """Return the command by whose name, or by whose own word, a sentence begins: that is wanted before all else."""
    for name in ("-".join(words[:2]), *words[:1]):
        if (name in router.commands and _name(name, router)) or name in _MEANS_OURS.values():
            return next((one for one, ours in _MEANS_OURS.items() if ours == name), name)
    if words[:1] and words[0] in _WAITS:
        return "watch"
    is_again = not _AGAIN.isdisjoint(words)
    begins = words[:1] and words[0] in _BEGINS and not _WHAT_RUNS.isdisjoint(words)
    return "deploy" if begins and not is_again else None


def _name(command: str, router: Router) -> str:
    """Return the name of the tool; empty text for a command that is for people alone."""
    if command in _MEANS_OURS:
        return _MEANS_OURS[command]
    return tool_name(command) if tool_name(command) in tools(router) else ""


def _tool(scored: Scored, name: str, router: Router) -> dict[str, Any]:
    return {"tool": name, "score": round(scored.score, 2), "for": _shape(name, router).description}


def _person(scored: Scored, help: CommandHelp) -> dict[str, Any]:  # noqa: A002  # it is what it is
    line = f"/ci {help.example}"
    return {"command": help.name, "score": round(scored.score, 2), "for": help.summary, "in_slack": line}


def _takes(name: str, router: Router) -> dict[str, Any]:
    return _shape(name, router).input_schema


def _shape(name: str, router: Router) -> Shape:
    return next(one for one in shapes(router) if one.name == name)


def _wants_ssh(words: Sequence[str]) -> bool:
    """Say whether somebody wants into a job, and not to keep a key."""
    return "ssh" in words and not {"key", "keys"} & {*words}


def _by_ssh(router: Router) -> dict[str, Any]:
    help = router.commands["rerun"].help  # noqa: A001  # it is what it is
    return {"command": help.name, "score": 1.0, "for": help.summary, "in_slack": f"/ci {help.example} ssh"}


def _unless_kept_from(name: str, router: Router, acts: Collection[str] | None) -> str:
    is_theirs = not name or acts is None or name in acts or _shape(name, router).hints.read_only
    return name if is_theirs else ""


def _all(router: Router, acts: Collection[str] | None) -> dict[str, Any]:
    listed = shapes(router)
    looks = [one.name for one in listed if one.hints.read_only and one.name not in OURS]
    asks = [one.name for one in listed if not one.hints.read_only and (acts is None or one.name in acts)]
    return {"look": looks} | ({"ask_people_to": asks} if asks else {})
