"""Check the installation, for those who run it."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.doctor import examine
from bot.errors import UsageError
from bot.grammar import Word
from bot.models.slack import Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import checkup
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="doctor",
    group="Run me",
    summary="Check my tokens, scopes, channels, Redis and clock, and say what to put right.",
    usage="doctor",
    example="doctor",
    phrases=("doctor",),
    also=("check", "health", "diagnose"),
)


class Doctor(BaseModel):
    """There is nothing to choose."""

    model_config = ConfigDict(frozen=True)


def parse(words: Sequence[Word], projects: Projects) -> Doctor:  # noqa: ARG001  # each parser has both
    """Return the request; a check-up has no arguments."""
    if words:
        raise UsageError("I expected nothing after this word.", given=words[0].text)
    return Doctor()


async def check(request: Doctor, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with what was found."""
    memory = context.store.condition()
    return checkup.message(
        await examine(context.settings, context.projects, context.messenger, context.circleci, memory)
    )


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse, permission="admin")(check)
