"""Say who the bot is and what to try first."""

from bot.answers.ourselves import Greeting
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import Nothing, parse_nothing
from bot.routing import Context, Router

HELP = CommandHelp(
    name="hello",
    group="Learn",
    summary="Say who I am and what to try first.",
    usage="hello",
    example="hello",
    phrases=("hello",),
    also=("hi", "hey", "about"),
)


async def greet(request: Nothing, caller: Caller, context: Context) -> Greeting:
    """Answer with the greeting."""
    return Greeting()


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, permission="read", request=Nothing, parse=parse_nothing, handle=greet, at_once=True)
