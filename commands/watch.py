"""Follow a build that somebody else started, or stop following."""

from bot.errors import UsageError
from bot.models.slack import Invocation
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from formatters import choices
from formatters.blocks import Message
from formatters.help import CommandHelp

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


async def watch(request: OfTarget, invocation: Invocation, context: Context) -> Message | None:
    """Follow it here; its root message is the answer."""
    if request.target.slug is None:
        raise UsageError("Which project?")
    pipeline = await context.finder.pipeline(request.target, invocation)
    title = await context.finder.title(pipeline.project_slug)
    followed = await context.starter.follow_here(pipeline, title, invocation)
    return None if followed else choices.followed_already(pipeline)


async def unwatch(request: OfTarget, invocation: Invocation, context: Context) -> Message:
    """Stop telling this place about it; other threads go on."""
    pipeline = await context.finder.pipeline(request.target, invocation)
    await context.permissions.check(invocation, "cancel", pipeline.project_slug, pipeline.ref)
    stopped = await context.starter.leave(pipeline.id, invocation)
    return choices.no_longer_followed(pipeline) if stopped else choices.not_followed(pipeline)


def register(router: Router) -> None:
    """Teach the router these commands."""
    router.command(WATCH, parse=parse_of_target, permission="read")(watch)
    # It takes the news from everybody in the channel, so it takes more than reading.
    router.command(UNWATCH, parse=parse_of_target, permission="cancel")(unwatch)
