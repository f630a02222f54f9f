"""Say who the bot is and what to try first: when asked, and once when its direct messages are opened."""

from bot.models.slack import Invocation
from bot.requests import Nothing, parse_nothing
from bot.routing import Context, Router
from formatters import help as words
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="hello",
    group="Learn",
    summary="Say who I am and what to try first.",
    usage="hello",
    example="hello",
    phrases=("hello",),
    also=("hi", "hey", "about"),
)


async def greet(request: Nothing, invocation: Invocation, context: Context) -> Message | None:  # noqa: ARG001
    """Answer with the greeting; to somebody who only opened the direct messages, once and never again."""
    if invocation.kind == "opened" and not await _is_new(invocation, context):
        return None
    return words.hello()


async def _is_new(invocation: Invocation, context: Context) -> bool:
    """Say whether nothing was ever said between them; two openings at once are told apart by the claim."""
    if await context.messenger.has_talked(invocation.channel_id):
        return False
    return await context.store.claims.first(f"greeting:{invocation.user_id}")


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse_nothing, permission="read")(greet)
