"""Say how the newest builds of a branch ended, or one build in full."""

from bot.answers.builds import BuildShown, NewestBuilds
from bot.circleci.superseded import with_what_took_its_place
from bot.models.build import State
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router, Tool

HELP = CommandHelp(
    name="status",
    group="Look",
    summary="Say how the newest builds of a branch ended, or show one in full with its jobs and times.",
    usage="status <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="status acme/frontend main",
    phrases=("status acme/frontend", "status acme/frontend #2417", "status acme/frontend tag:v2.0"),
    also=("state", "show", "result", "results", "pipelines"),
)
FOR_AGENTS = "Say how the newest builds of a branch ended, or show one with its jobs."
MOST_SHOWN = 5
OFFERED = (State.FAILED, State.ON_HOLD)  # what is shown of these offers an act


async def show_status(request: OfTarget, caller: Caller, context: Context) -> BuildShown | NewestBuilds:
    """Answer with one build where one was named, with the newest of a branch otherwise."""
    finder = context.finder
    if request.target(context.projects).names_a_build:
        pipeline = await finder.pipeline(request, caller)
        build = await with_what_took_its_place(context.circleci, await context.circleci.whole(pipeline))
        newer = await finder.newer(pipeline, caller) if build.state in OFFERED else None
        title = await finder.title(pipeline.project_slug)
        return BuildShown(title=title, build=build, newer_number=newer.number if newer else 0)
    pipelines = await finder.newest(request, caller)
    outlines = await finder.outlines(pipelines[:MOST_SHOWN])
    return NewestBuilds(title=await finder.title(pipelines[0].project_slug), builds=tuple(outlines))


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(
        HELP,
        permission="read",
        request=OfTarget,
        parse=parse_of_target,
        handle=show_status,
        tool=Tool(summary=FOR_AGENTS, without=("commit",)),
    )
