"""Errors as agents read them: what happened, what may be meant, what a person can do."""

from collections.abc import Mapping
from typing import Any, TypeVar

import regex

from bot.errors import (
    AskedAlready,
    BotError,
    ForAPerson,
    Locked,
    NotAllowed,
    NotFound,
    NothingToDo,
    NotTriggered,
    PartlyDone,
    Rejected,
    Taken,
    Unbuilt,
    UsageError,
)
from formatters import errors, for_people, nothing, refusals
from formatters.errors import DOING
from formatters.told.words import OF_ERROR, Data, address, call, fitted, in_words, known, person, quoted, span, when

E = TypeVar("E", bound=BotError)
SAID, GIVEN = 200, 80
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


def told_error(error: BotError) -> Data:
    """Return an error as data: words of ours in `what`, those of others in fields of their own."""
    return fitted(lambda room: _told(error, SAID if room > 8 else 90 if room > 2 else 40), OF_ERROR)


def _told(error: BotError, most: int) -> Data:
    match error:
        case UsageError():
            return _usage(error, most)
        case NotFound():
            return _not_found(error, most)
        case NotAllowed():
            return _not_allowed(error, most)
        case Locked():
            return _locked(error, most)
        case ForAPerson():
            return _for_a_person(error, most)
        case NothingToDo() | Taken() | AskedAlready():
            return _nothing(error, most)
        case Rejected() | NotTriggered():
            said = error.message if isinstance(error, Rejected) else error.reason
            what = "CircleCI refused this, and nothing was done." if isinstance(error, Rejected) else ""
            what = what or "CircleCI accepted the request but started nothing."
            return known(what=what, quoted_said=quoted(said, most), next=in_words(refusals.next_step(said))[:most])
        case PartlyDone():
            then = quoted(_told(error.error, most // 2).get("what", ""), most)
            return known(what="Only a part of it was done.", quoted_done=quoted(error.done, most), then=then)
        case _:
            return _others(error, most)


def _usage(error: UsageError, most: int) -> Data:
    """Say what cannot be understood; a problem that names jobs or branches, as a choice does, stands apart."""
    said = quoted(in_words(error.problem), 2 * most)
    is_ours = all(span in _ARGUMENTS or span.isdecimal() for span in _SPANS.findall(error.problem))
    what = said if said.endswith((".", "?", "…")) else f"{said}."
    told = {"what": what} if is_ours else {"what": _A_CHOICE, "quoted_problem": said}
    near = quoted(error.did_you_mean or "", most)
    return told | known(quoted_given=quoted(error.given, min(most, GIVEN)), did_you_mean=near)


def _not_found(error: NotFound, most: int) -> Data:
    """Say that there is none; of a branch that it may be there all the same, where a person can have it deployed."""
    what = f"CircleCI knows no {quoted(error.what, 80)} that is named here, or my token may not see it."
    unbuilt = isinstance(error, Unbuilt)
    if unbuilt:
        what = "CircleCI has built nothing of such a branch so far. Nothing was done."
    near = [quoted(one, most // 3) for one in error.built_lately[:3]]
    lists = [call("projects")] if error.what == "project" else []
    acts = [person("deploys it all the same, in Slack")] if unbuilt else []
    return known(
        what=what,
        quoted_name=quoted(error.name, min(most, GIVEN)),
        quoted_looked_in=quoted(error.looked_in, min(most, GIVEN)),
        quoted_branches_built_lately=near,
        next=[*lists, *acts],
    )


def _not_allowed(error: NotAllowed, most: int) -> Data:
    who = "Who asked" if error.is_of_another else "You"
    done = "" if error.word == "read" else " Nothing was done."
    what = f"{who} may not {DOING.get(error.word, 'do this')}.{done}"
    about = quoted(error.about, most)
    asks = [call("may", "who could", word=error.word)] if error.about and error.word in DOING else []
    return known(what=what, quoted_about=about, quoted_rule=quoted(error.rule, most), next=asks)


def _locked(error: Locked, most: int) -> Data:
    if error.is_hidden:
        return {"what": "It is locked, and a rule keeps you from looking at it. Nothing was done."}
    return known(
        what="It is locked. Nothing was done.",
        quoted_target=quoted(error.target, min(most, GIVEN)),
        holder=quoted(error.holder_id, 40),
        locked_for=span(error.age),
        until=when(error.until),
        quoted_reason=quoted(error.reason, min(most, GIVEN)),
        next=[person("unlocks it, or takes it over: /ci locks")],
    )


def _for_a_person(error: ForAPerson, most: int) -> Data:
    """Say which question stands in the way, and the line with which a person asks for the same."""
    line = quoted(f"/ci {error.line}", most) if error.line and len(error.line) < most else ""  # whole, or not at all
    return known(
        what=f"{for_people.IN_SHORT[error.demand]} Nothing was started.",
        demand=str(error.demand),
        quoted_target="" if line else quoted(error.what, min(most, GIVEN)),
        quoted_names=[quoted(one, most // 5) for one in error.among[:3]],
        quoted_line=line,
        next=[person("asks for the same in Slack")],
    )


def _others(error: BotError, most: int) -> Data:
    """Return the words of people's for it; what somebody else called something stands beside them."""
    foreign = {name: one for name in _FOREIGN if isinstance(one := getattr(error, name, None), str) and one}
    words = quoted(in_words(errors.error(_with(error, dict.fromkeys(foreign, NAMED))).text), 2 * most)
    told = {f"quoted_{name}": quoted(one, min(most, GIVEN)) for name, one in foreign.items() if NAMED in words}
    return {"what": words, **told}


def _with(error: E, fields: Mapping[str, Any]) -> E:
    """Return an error with other fields; each kind is made of other things."""
    made = type(error).__new__(type(error))
    made.__dict__ = {**vars(error), **fields}
    return made


def _nothing(error: NothingToDo | Taken | AskedAlready, most: int) -> Data:
    """Say why there was nothing to do, in our words; what is named by others stands beside them."""
    ours = _with(error, {"what": NAMED if error.what else "", "again": "", "asker": ""})
    words = quoted(in_words(nothing.nothing(ours)), 2 * most)
    words = f"{words[:1].upper()}{words[1:]}"
    named = quoted(error.what, min(most, GIVEN)) if NAMED in words.lower() else ""
    url = address(error.url) if isinstance(error, AskedAlready) else ""
    of = error.pending_id if isinstance(error, AskedAlready) and error.asker and error.is_own else ""
    return known(what=words, quoted_what=named, link=url, of=quoted(of, 40))
