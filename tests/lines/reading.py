"""The table of lines, and what a line does as far as its words tell."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bot import naming
from bot.answers.lines import How
from bot.errors import UsageError
from bot.grammar import Word, split
from bot.models.circleci import ProjectSlug, Ref
from bot.models.spelling import parameter
from bot.models.target import Target
from bot.reading import asks
from bot.reasons import is_surely_a_ref
from bot.requests import OfTarget
from bot.routing import Command, Router
from bot.settings import ProjectEntry, Projects
from bot.slack.payloads import from_command, from_event
from commands import register
from commands.deploy import Deploy
from commands.help import Help
from commands.locks import OfLock
from commands.rerun import Rerun

SHA, FLOW = "38c6d84" + "0" * 33, "5e0c5f62-31a4-4a9c-8f10-7ed2f0a5b001"
BOT = "U0BOT"
PROJECTS = Projects(projects={"frontend": ProjectEntry(slug="gh/acme/frontend")})
ROUTER = register(Router())
_OFFERS = ("cancel", "approve")
_ACTS = {"lock": "locks", "unlock": "unlocks"}
FRONTEND = naming.Project(ProjectSlug("gh/acme/frontend"), "acme/frontend")
_MORE = [naming.Project(ProjectSlug(f"gh/{title}"), title) for title in ("acme/backend", "acme/api", "other/api")]
BUILT = naming.Seen(*FRONTEND, Ref(name="release/v2.0"), 2417)
_USED, _HERE = naming.Seen(*FRONTEND, Ref(name="main")), naming.Seen(*_MORE[0], Ref(name="main"), 77)
BRANCHES, NO_PROJECT = ("release/v2.0", "hold/prod", "try/slow"), "feature/new"
_PERSON = {"user_id": "U0ADA", "channel_id": "C0DEPLOYS", "trigger_id": "T1"}


class Line(NamedTuple):
    """One row: in which way a line is said, as Slack sends it, and what it does."""

    how: str
    text: str
    does: str


def lines(flow: str = FLOW) -> list[Line]:
    """Return the table."""
    text = (Path(__file__).parent / "table.txt").read_text(encoding="utf-8")
    text = text.replace("{sha}", SHA).replace("{short}", SHA[:7]).replace("{flow}", flow)
    rows = [row.split(" | ") for row in text.split("\n") if row and not row.startswith("#")]
    return [Line(how.strip(), " | ".join(said).strip(), does.strip()) for how, *said, does in rows]


def heard(how: str, text: str) -> str:
    """Return the text that a delivery of Slack's brings."""
    if how in ("slash", "used"):
        return from_command({**_PERSON, "text": text}).text
    place = {"channel": "D0ADA", "channel_type": "im"} if how == "direct" else {"channel": "C0DEPLOYS"}
    thread = {"thread_ts": "1.0"} if how == "thread" else {}
    kind = "message" if how == "direct" else "app_mention"
    said = text if how == "direct" else f"<@{BOT}> {text}"
    event = {"type": kind, "user": "U0ADA", "ts": "2.0", "text": said, **place, **thread}
    invocation = from_event({"event": event}, bot_user_id=BOT)
    assert invocation is not None
    return invocation.text


def known(how: str, command: str, words: Sequence[Word]) -> naming.Known:
    """Return what may be meant where a line is said in this way: #77 is followed in all channels."""
    behind = words[naming.place(command, words) :]
    return naming.Known(
        projects=(FRONTEND, *_MORE),
        thread=(BUILT,) if how == "thread" else (),
        default=_USED if how == "used" else None,
        here=(_HERE,) if naming.asked_number(command, words) == _HERE.number else (),
        is_branch=how in ("thread", "used") and bool(behind) and behind[0].text in BRANCHES,
        is_no_project=how in ("thread", "used") and bool(behind) and behind[0].text == NO_PROJECT,
    )


def does(text: str, how: str = "slash") -> str:
    """Return what a line does that is said in this way, in the table's words."""
    try:
        command, rest = ROUTER.find(split(text))
    except UsageError as error:
        return f"no: {error.problem} You wrote `{error.given}`"
    found = []
    if issubclass(command.request, OfTarget) or command.name in naming.OF_PROJECT:
        rest = naming.plainly(command.name, rest, PROJECTS)
        in_full = naming.is_in_full(command.name, rest, PROJECTS)
        found = [] if in_full else naming.read(command.name, rest, PROJECTS, known(how, command.name, rest))
    if len(found) > 1:
        return f"asks which: {' or '.join(_does(command, line.words) for line in found)}"
    said = _does(command, found[0].words if found else rest)
    is_asked = bool(found) and found[0].how is not How.IN_FULL and asks(command, found[0])
    return f"asks: {said}" if is_asked and not said.startswith("no:") else said


def _does(command: Command, rest: Sequence[Word]) -> str:
    try:
        request = command.parse(rest, PROJECTS)
        request.about(PROJECTS)
        target = request.target(PROJECTS) if isinstance(request, OfTarget) else Target()
    except UsageError as error:
        return f"no: {error.problem} You wrote `{error.given}`"
    what = _said(target)
    if command.name in naming.OF_PROJECT:
        at = naming.place(command.name, rest)
        slug, _ = request.about(PROJECTS)
        left = [word.text for word in (*rest[:at], *rest[at + (slug is not None) :])]
        return f"of {slug or 'all'}: {' '.join([command.name, *left])}"
    match request:
        case Help():
            return f"helps with {request.name}"
        case Deploy():
            given = "".join(f" {parameter(*one)}" for one in request.parameters.items())
            return f"{'asks about' if _is_asked_back(request, target) else 'deploys'} {what}{given}"
        case OfLock() if request.or_branch or request.until:
            return _locked(request, what)
        case Rerun():
            return f"reruns {what}, {'all of it' if request.everything else 'its failed jobs'}"
    if command.name in _OFFERS:
        return f"offers to {command.name} {what}"
    if command.name in _ACTS:
        return f"{_ACTS[command.name]} {what.replace('its default branch', 'all of it')}"
    return f"looks {command.name} {what}"


def _locked(request: OfLock, what: str) -> str:
    if request.or_branch and is_surely_a_ref(request.or_branch):
        return f"asks whether {request.project} {request.or_branch} is to be locked"
    whole = f"{request.project}, all of it, unless there is {request.or_branch}"
    named = whole if request.or_branch else what.replace("its default branch", "all of it")
    return " ".join(filter(None, ("locks", request.until, named)))


def _is_asked_back(request: Deploy, target: Target) -> bool:
    branch = target.ref.name if target.ref and not target.ref.is_tag else ""
    named = target.names_a_build or bool(target.commit) or branch == SHA[:7]
    return named or bool(request.parameters and not target.names_more)


def _said(target: Target) -> str:
    if target.slug is None:
        return "a workflow" if target.workflow_id else "this thread's build"
    numbers = {"pull request": target.pull_request, "job": target.job_number, "commit": target.commit[:7]}
    said = f"{target.slug} {_quoted(str(target.ref)) if target.ref else ''}".strip()
    said += f" #{target.pipeline_number}" if target.pipeline_number else ""
    said += ", workflow" if target.workflow_id else ""
    said += "".join(f", {what} {number}" for what, number in numbers.items() if number)
    return said if target.names_more else f"{said}, its default branch"


def _quoted(name: str) -> str:
    return f'"{name}"' if name.lstrip("#").isdecimal() else name
