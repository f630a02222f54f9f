"""Follow a build that somebody else started, or stop following."""

from bot.answers.acts import Acted
from bot.errors import UsageError
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router

WATCH = CommandHelp(
    name="watch",
    group="Ship",
    summary="Follow a build that somebody else started, here.",
    usage="watch <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="watch acme/frontend main",
    phrases=("watch acme/frontend #2417",),
    also=("follow", "subscribe"),
)
UNWATCH = CommandHelp(
    name="unwatch",
    group="Ship",
    summary="Stop following a build in this thread, or in this channel.",
    usage="unwatch [<project> [<branch> | #<pipeline>]]",
    example="unwatch acme/frontend #2417",
    phrases=("unwatch",),
    also=("unfollow", "unsubscribe", "mute"),
)


async def watch(request: OfTarget, caller: Caller, context: Context) -> Acted:
    """Follow it here; its root message is the answer."""
    if not request.project:
        raise UsageError("Which project?")
    is_named = request.target(context.projects).names_a_build
    return await context.operations.watch(caller, await context.finder.pipeline(request, caller), is_named=is_named)


async def unwatch(request: OfTarget, caller: Caller, context: Context) -> Acted:
    """Stop telling this place about it; other threads go on."""
    return await context.operations.unwatch(caller, await context.finder.pipeline(request, caller))


def register(router: Router) -> None:
    """Teach the router these commands."""
    router.command(WATCH, permission="read", request=OfTarget, parse=parse_of_target, handle=watch)
    # It takes the news from everybody in the channel, so it takes more than reading.
    router.command(UNWATCH, permission="cancel", request=OfTarget, parse=parse_of_target, handle=unwatch)
