"""Offer to do once more what somebody did here last, by its name."""

from collections.abc import Sequence

from pydantic import Field

from bot.answers.lines import How, LineMeant, LinesMeant
from bot.errors import NothingToDo, UsageError
from bot.grammar import Word, check_no_question, is_parameter, parse_parameters, split
from bot.models import spelling
from bot.models.attempt import ParameterValue
from bot.models.caller import Caller
from bot.models.channel import LastAct
from bot.models.help import CommandHelp
from bot.naming import beside
from bot.requests import Request
from bot.routing import Context, Router
from bot.settings import Projects
from commands import deploy

HELP = CommandHelp(
    name="again",
    group="Ship",
    summary="Offer to do once more what you deployed or reran here last, with other parameters too; I ask first.",
    usage="again [name=value …]",
    example="again env=prod",
    phrases=("again",),
    also=("repeat",),
    takes="deploy",
)


class Again(Request):
    """Which parameters of a deploy are to be others."""

    parameters: dict[str, ParameterValue] = Field(default_factory=dict)


def parse(words: Sequence[Word], projects: Projects) -> Again:  # each parser has both
    """Return the request."""
    check_no_question(words)
    other = next((word.text for word in words if not is_parameter(word)), "")
    if other:
        problem = "I offer what you did here last, with other parameters (`name=value`) and nothing else."
        raise UsageError(f"{problem} For another branch or build say `deploy` or `rerun`.", given=other)
    return Again(parameters=parse_parameters(words))


async def again(request: Again, caller: Caller, context: Context) -> LinesMeant:
    """Answer with the line, behind a dialog that names what it is about; it is asked for by whoever may."""
    last = await context.store.channels.last_of(caller) if caller.channel_id else None
    if last is None or not await _may_see(last, caller, context):
        raise NothingToDo("nothing_again")
    line = _with(request.parameters, last, context.projects)
    more = tuple(word.text for word in beside(split(line)[2:], last.ref, f"#{last.number}"))
    meant = LineMeant(line=line, title=last.title, ref=last.ref, number=last.number, more=more, how=How.LAST)
    return LinesMeant(lines=(meant,))


async def _may_see(last: LastAct, caller: Caller, context: Context) -> bool:
    slug = deploy.parse(split(last.line)[1:2], context.projects).target(context.projects).slug
    return slug is not None and await context.finder.may_read(caller, slug, last.ref)


def _with(parameters: dict[str, ParameterValue], last: LastAct, projects: Projects) -> str:
    """Return the line with these parameters besides; raises UsageError for a rerun, which takes none."""
    if not parameters:
        return last.line
    verb, *words = split(last.line)
    if verb.text != deploy.HELP.name:
        raise UsageError("You reran a build here last, and a rerun takes no parameters.")
    before = deploy.parse(words, projects)
    slug = before.target(projects).slug or ""
    return spelling.deploy(slug, last.ref, {**before.parameters, **parameters}, before.definition)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="read", request=Again, parse=parse, handle=again)
