"""Check the installation, for those who run it."""

from bot.answers.ourselves import CheckUp
from bot.doctor import examine
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import Nothing, parse_nothing
from bot.routing import Context, Router

HELP = CommandHelp(
    name="doctor",
    group="Run me",
    summary="Check my tokens, scopes, channels, Redis and clock, and say what to put right.",
    usage="doctor",
    example="doctor",
    phrases=("doctor",),
    also=("check", "health"),
)


async def check(request: Nothing, caller: Caller, context: Context) -> CheckUp:
    """Answer with what was found."""
    memory = context.store.pulse.condition()
    found = await examine(context.settings, context.projects, context.messenger, context.circleci, memory)
    return CheckUp(findings=tuple(found))


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="admin", request=Nothing, parse=parse_nothing, handle=check)
