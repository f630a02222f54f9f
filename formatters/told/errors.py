"""Errors as agents read them: what happened, what may be meant, what a person can do."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import regex

from bot.errors import (
    AskedAlready,
    BotError,
    ForAPerson,
    Locked,
    NameUntold,
    NotAllowed,
    NotFound,
    NothingToDo,
    NotTriggered,
    PartlyDone,
    Rejected,
    Taken,
    Unbuilt,
    UsageError,
    WhichJob,
)
from formatters import errors, for_people, nothing, refusals
from formatters.errors import DOING
from formatters.plain import mentioned
from formatters.told.words import OF_ERROR, Data, address, call, fitted, in_words, known, person, quoted, span, when

E = TypeVar("E", bound=BotError)
SAID, GIVEN, MOST_CALLS = 200, 80, 3
NAMED = "what is named here"
_FOREIGN = ("reason", "host", "why", "code", "what")
_A_CHOICE = "It is not clear what is meant. Nothing was done."
_SPANS = regex.compile("`([^`]*)`")
_ARGUMENTS = frozenset(
    (
        *(
            "project",
            "projects",
            "branch",
            "tag",
            "pipeline",
            "job",
            "commit",
            "step",
            "wanted",
            "last",
            "over",
            "word",
        ),
        *("parameters", "definition", "everything", "start", "reason", "key", "of", "wait", "since", "intent"),
    )
)


class Made(NamedTuple):
    """The call that an error answers: its tool and what was given.

    `names` are what the people are called whom the error names, by their ids. `near` is the project that may be meant
    instead of the one that was given.
    """

    tool: str = ""
    arguments: Mapping[str, Any] = MappingProxyType({})
    names: Mapping[str, str] = MappingProxyType({})
    near: str = ""

    def otherwise(self, why: str, **changed: Any) -> Data:
        """Return the same call with other arguments; the reason is its caller's to say again."""
        given = {name: value for name, value in self.arguments.items() if name not in ("reason", "key")}
        return call(self.tool, why, **{**given, **changed})


def told_error(error: BotError, made: Made | None = None) -> Data:
    """Return an error as data: words of ours in `what`, those of others in fields of their own."""
    of = made or Made()

    def told(room: int) -> Data:
        data = _told(error, SAID if room > 8 else 90 if room > 2 else 40, of)
        calls = data.get("next", ())
        if isinstance(calls, list) and room <= MOST_CALLS:  # where all of it is too long
            return {**data, "next": calls[:room]} if room else {name: data[name] for name in data if name != "next"}
        return data

    return fitted(told, OF_ERROR)


def people_of(error: BotError) -> set[str]:
    """Return the ids of the people whom an error names."""
    named = (getattr(error, name, "") for name in ("person_id", "holder_id"))
    return {one for one in named if isinstance(one, str) and one}


def _told(error: BotError, most: int, made: Made) -> Data:
    match error:
        case UsageError():
            return _usage(error, most, made)
        case NotFound():
            return _not_found(error, most, made)
        case NotAllowed():
            return _not_allowed(error, most, made)
        case Locked():
            return _locked(error, most, made)
        case ForAPerson():
            return _for_a_person(error, most, made)
        case NothingToDo() | Taken() | AskedAlready():
            return _nothing(error, most, made)
        case Rejected() | NotTriggered():
            said = error.message if isinstance(error, Rejected) else error.reason
            what = "CircleCI refused this, and nothing was done." if isinstance(error, Rejected) else ""
            what = what or "CircleCI accepted the request but started nothing."
            return known(what=what, quoted_said=quoted(said, most), next=in_words(refusals.next_step(said))[:most])
        case PartlyDone():
            then = quoted(_told(error.error, most // 2, made).get("what", ""), most)
            return known(what="Only a part of it was done.", quoted_done=quoted(error.done, most), then=then)
        case _:
            return _others(error, most)


def _which_job(error: WhichJob, most: int, made: Made) -> Data:
    """Say that several jobs may be meant, with a call for each."""
    how = f"{len(error.jobs)} jobs of it failed" if error.failed else "no job of it failed"
    shown = error.jobs[:3]
    instead = {"project": error.project, "branch": "", "tag": "", "pipeline": None}
    return known(
        what=f"Name a `job`: {how}. Nothing was done.",
        pipeline=error.number,
        quoted_jobs=[quoted(f"{number} {name}", most // 4) for name, number in shown],
        jobs_in_all=len(error.jobs),
        next=[made.otherwise("", **instead, job=number) for _, number in shown],
    )


def _usage(error: UsageError, most: int, made: Made) -> Data:
    """Say what cannot be understood; a problem that names jobs or branches, as a choice does, stands apart."""
    if isinstance(error, WhichJob) and made.tool:
        return _which_job(error, most, made)
    said = quoted(in_words(error.problem), 2 * most)
    is_ours = all(span in _ARGUMENTS or span.isdecimal() for span in _SPANS.findall(error.problem))
    what = said if said.endswith((".", "?", "…")) else f"{said}."
    told = {"what": what} if is_ours else {"what": _A_CHOICE, "quoted_problem": said}
    near = quoted(error.did_you_mean or "", most)
    told |= known(quoted_given=quoted(error.given, min(most, GIVEN)), did_you_mean=near)
    return told | known(next=_near(made) if error.given and error.given == made.arguments.get("project") else [])


def _near(made: Made) -> list[Data]:
    """Return the same call on the project that may be meant, or the list of those there are."""
    meant = [made.otherwise("the project that may be meant", project=made.near)] if made.near else []
    return meant or [call("projects", "those there are")]


def _not_found(error: NotFound, most: int, made: Made) -> Data:
    """Say that there is none; of a branch that it may be there all the same, where a person can have it deployed."""
    what = f"CircleCI knows no {quoted(error.what, 80)} that is named here, or my token may not see it."
    unbuilt = isinstance(error, Unbuilt)
    if unbuilt:
        what = "CircleCI has built nothing of such a branch so far. Nothing was done."
    near = [quoted(one, most // 3) for one in error.built_lately[:3]]
    lists = _near(made) if error.what == "project" else []
    acts = [person("deploys it all the same, in Slack")] if unbuilt else []
    return known(
        what=what,
        quoted_name=quoted(error.name, min(most, GIVEN)),
        quoted_looked_in=quoted(error.looked_in, min(most, GIVEN)),
        quoted_branches_built_lately=near,
        next=[*lists, *acts],
    )


def _not_allowed(error: NotAllowed, most: int, made: Made) -> Data:
    who = "Who asked" if error.is_of_another else "You"
    done = "" if error.word == "read" else " Nothing was done."
    what = f"{who} may not {DOING.get(error.word, 'do this')}.{done}"
    about = quoted(error.about, most)
    return known(what=what, quoted_about=about, quoted_rule=quoted(error.rule, most), next=_who_could(error, made))


def _who_could(error: NotAllowed, made: Made) -> list[Data]:
    """Return the call that says who could; `may` looks as well, so that it is none for who may not look.

    What its caller did not name was found out, and may be what a rule hides from them.
    """
    if not error.project or error.word == "read" or error.word not in DOING:
        return []
    found = {"branch": error.branch, "tag": error.tag}
    named = {name: one for name, one in found.items() if one and made.arguments.get(name) == one}
    return [call("may", "who could", project=error.project, **named, word=error.word)]


def _locked(error: Locked, most: int, made: Made) -> Data:
    if error.is_hidden:
        return {"what": "It is locked, and a rule keeps you from looking at it. Nothing was done."}
    return known(
        what="It is locked. Nothing was done.",
        quoted_target=quoted(error.target, min(most, GIVEN)),
        quoted_holder=quoted(made.names.get(error.holder_id) or error.holder_id, 40),
        locked_for=span(error.age),
        until=when(error.until),
        quoted_reason=quoted(error.reason, min(most, GIVEN)),
        next=[person("unlocks it, or takes it over: /ci locks")],
    )


def _for_a_person(error: ForAPerson, most: int, made: Made) -> Data:
    """Say which question stands in the way, the call that has none, and the line with which a person asks the same."""
    line = f"/ci {error.line}" if error.line else ""
    line = line if quoted(line, most) == line else ""  # whole, and as it must be typed, or not at all
    return known(
        what=f"{for_people.IN_SHORT[error.demand]} Nothing was started.",
        demand=str(error.demand),
        pipeline=error.number or None,
        quoted_asked_by=quoted(error.by, min(most, 40)),
        quoted_target="" if line else quoted(error.what, min(most, GIVEN)),
        quoted_names=[quoted(one, most // 5) for one in error.among[:3]],
        quoted_line=line,
        next=[*_without_question(error, made), person("asks for the same in Slack")],
    )


def _without_question(error: ForAPerson, made: Made) -> list[Data]:
    """Return the call before which no such question stands, or that shows what does."""
    given, first = made.arguments, next(iter(error.among), "")
    place = {name: given.get(name, "") for name in ("project", "branch", "tag")}
    match error.demand:
        case "unbuilt" if first:
            return [made.otherwise("the branch that was built", branch=first)]
        case "definition" if first:
            return [made.otherwise("or another `definition`", definition=first)]
        case "alone" if error.number:
            return [call("follow", project=place["project"], pipeline=error.number)]
        case "green" if place["project"]:
            return [call("triage", "why it is red", **place)]
        case _:
            return []


def _others(error: BotError, most: int) -> Data:
    """Return the words of people's for it; what somebody else called something stands beside them."""
    if isinstance(error, NameUntold):
        return _untold(error, most)
    foreign = {name: one for name in _FOREIGN if isinstance(one := getattr(error, name, None), str) and one}
    words = quoted(in_words(errors.error(_with(error, dict.fromkeys(foreign, NAMED))).text), 2 * most)
    told = {f"quoted_{name}": quoted(one, min(most, GIVEN)) for name, one in foreign.items() if NAMED in words}
    return {"what": words, **told}


def _untold(error: NameUntold, most: int) -> Data:
    what = f"CircleCI does not tell whether this is the project that a {'rule' if error.rule else 'lock'} names."
    named = {"quoted_name": error.name, "quoted_rule": error.rule, "quoted_said": error.said}
    said = {name: quoted(one, min(most, GIVEN)) for name, one in named.items()}
    return known(what=f"{what} Nothing was done. Try again in a minute.", **said)


def _with(error: E, fields: Mapping[str, Any]) -> E:
    """Return an error with other fields; each kind is made of other things."""
    made = type(error).__new__(type(error))
    made.__dict__ = {**vars(error), **fields}
    return made


def _nothing(error: NothingToDo | Taken | AskedAlready, most: int, made: Made) -> Data:
    """Say why there was nothing to do, in our words; what is named by others, and who, stands beside them."""
    ours = _with(error, {"what": NAMED if error.what else "", "again": "", "asker": "", "url": ""})
    text = nothing.nothing(ours)
    words = quoted(in_words(text, dict.fromkeys(mentioned(text), "somebody")), 2 * most)
    words = f"{words[:1].upper()}{words[1:]}"
    named = quoted(error.what, min(most, GIVEN)) if NAMED in words.lower() else ""
    by = made.names.get(error.person_id, error.person_id) if mentioned(text) else ""
    told = known(what=words, quoted_what=named, quoted_by=quoted(by, 40))
    return told | _open_elsewhere(error) if isinstance(error, AskedAlready) else told


def _open_elsewhere(error: AskedAlready) -> Data:
    """Return where a request stands that is about the same; one of an agent's can be followed."""
    follows = [call("follow", of=error.pending_id)] if error.asker else []
    return known(quoted_by=quoted(error.asker, 60), link=address(error.url), next=follows)
