"""Follow a build that somebody else started, or stop following."""

from bot.answers.acts import Acted
from bot.answers.builds import FollowedHere
from bot.errors import UsageError
from bot.models.caller import Caller
from bot.models.circleci import Pipeline
from bot.models.help import CommandHelp
from bot.models.slack import Watch
from bot.models.spelling import as_typed
from bot.policy import Word as Permission
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from commands.heard import refuse_unheard

WATCH = CommandHelp(
    name="watch",
    group="Ship",
    summary="Follow a build that somebody else started, here.",
    usage="watch <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="watch acme/frontend main",
    phrases=("watch acme/frontend #2417",),
    also=("follow",),
)
UNWATCH = CommandHelp(
    name="unwatch",
    group="Ship",
    summary="Stop following a build for you in this thread, or in this channel.",
    usage="unwatch [<project> [<branch> | #<pipeline>]]",
    example="unwatch acme/frontend #2417",
    phrases=("unwatch",),
    also=("unfollow", "mute"),
)
MOST_LOOKED_AT = 20  # CircleCI's page of pipelines


async def watch(request: OfTarget, caller: Caller, context: Context) -> Acted:
    """Follow it here; its root message is the answer."""
    if not request.project:
        raise UsageError("Which project?")
    is_named = request.target(context.projects).names_a_build
    pipeline = await context.finder.pipeline(request, caller)
    slug, ref = pipeline.project_slug, pipeline.ref
    number = pipeline.number if is_named or ref is None else 0
    line = f"{WATCH.name} {slug} {f'#{number}' if number else as_typed(str(ref))}"
    await refuse_unheard(line, Permission.READ, slug, ref, caller, context, number=number)
    return await context.operations.watch(caller, pipeline, is_named=is_named)


async def unwatch(request: OfTarget, caller: Caller, context: Context) -> Acted | FollowedHere:
    """Follow the build that was named here no more, or the only one of a branch or project; others' watches go on."""
    target = request.target(context.projects)
    if target.names_a_build:
        return await context.operations.unwatch(caller, await context.finder.pipeline(request, caller))
    lately = (await context.finder.lately(request, caller))[:MOST_LOOKED_AT]
    watching = await context.store.watches.watching()
    here = [(one, await _here(one, caller, context)) for one in lately if one.id in watching]
    followed = [one for one, watches in here if watches]
    theirs = [one for one, watches in here if any(watch.is_of(caller.person_id) for watch in watches)]
    if len(theirs) == 1 or (followed and not theirs):
        return await context.operations.unwatch(caller, (theirs or followed)[0])
    title = await context.finder.title(lately[0].project_slug)
    ref = lately[0].ref if target.names_more else None
    return FollowedHere(title=title, pipelines=tuple(theirs), ref=ref, looked_at=len(lately))


async def _here(pipeline: Pipeline, caller: Caller, context: Context) -> list[Watch]:
    found = await context.store.watches.of(pipeline.id)
    return [one for one in found if caller.place is not None and one.is_told_in(caller.place)]


def register(router: Router) -> None:
    """Teach the router these commands."""
    router.command(WATCH, permission="read", request=OfTarget, parse=parse_of_target, handle=watch)
    # What it ends in a channel is read by everybody there, so it takes more than reading.
    router.command(UNWATCH, permission="cancel", request=OfTarget, parse=parse_of_target, handle=unwatch)
