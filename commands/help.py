"""Say what can be said, from the same registration that finds the handlers."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from bot.answers.ourselves import CommandPage, Overview
from bot.errors import UsageError
from bot.grammar import Word
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import Request, Typed
from bot.routing import Context, Router
from bot.settings import Projects

HELP = CommandHelp(
    name="help",
    group="Learn",
    summary="Say what I can do, or how one command is used.",
    usage="help [<command>]",
    example="help deploy",
    phrases=("help", "what can you do"),
    also=("what", "usage", "commands", "?", "--help", "-h"),
)


class Help(Request):
    """Which command to explain; all of them without a name."""

    name: Annotated[Typed, AfterValidator(str.lower)] | None = None


def parse(words: Sequence[Word], projects: Projects) -> Help:
    """Return the command asked about; a whole question, such as what I can do, is about all of them."""
    return Help(name=words[0].text if len(words) == 1 else None)


async def show_help(request: Help, caller: Caller, context: Context) -> Overview | CommandPage:
    """Answer with the overview, or with one command's page."""
    router = context.router
    if request.name is None:
        return Overview(commands=tuple(command.help for command in router.commands.values()))
    command = router.named(request.name)
    if command is None:
        raise UsageError("I do not know this word.", given=request.name)
    return CommandPage(command=command.help)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="read", request=Help, parse=parse, handle=show_help, at_once=True)
