"""Check the installation, for those who run it."""

from bot.doctor import examine
from bot.models.slack import Invocation
from bot.requests import Nothing, parse_nothing
from bot.routing import Context, Router
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


async def check(request: Nothing, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with what was found."""
    memory = context.store.pulse.condition()
    return checkup.message(
        await examine(context.settings, context.projects, context.messenger, context.circleci, memory)
    )


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse_nothing, permission="admin")(check)
