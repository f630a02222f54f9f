"""Say what can be said, from the same registration that finds the handlers."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.errors import UsageError
from bot.grammar import Word
from bot.models.slack import Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import help as words
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="help",
    group="Learn",
    summary="Say what I can do, or how one command is used.",
    usage="help [<command>]",
    example="help deploy",
    phrases=("help", "what can you do"),
    also=("what", "usage", "commands", "?"),
)


class Help(BaseModel):
    """Which command to explain; all of them without a name."""

    model_config = ConfigDict(frozen=True)
    name: str | None = None


def parse(words_given: Sequence[Word], projects: Projects) -> Help:  # noqa: ARG001  # each parser has both
    """Return the command asked about."""
    return Help(name=words_given[0].text.lower() if words_given else None)


async def show_help(request: Help, invocation: Invocation, context: Context) -> Message | None:
    """Answer with the overview, or with one command's page."""
    commands = context.router.commands
    if request.name is None:
        return words.overview([command.help for command in commands.values()], command=invocation.command)
    if request.name not in commands:
        raise UsageError("I do not know this word.", given=request.name)
    return words.one(commands[request.name].help, command=invocation.command)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse, permission="read")(show_help)
