"""Say how the newest builds of a branch ended, or one build in full."""

from bot.models.slack import Invocation
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from formatters import builds
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="status",
    group="Look",
    summary="Say how the newest builds of a branch ended, or show one in full with its jobs and times.",
    usage="status <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="status acme/frontend main",
    phrases=("status acme/frontend", "status acme/frontend #2417", "status acme/frontend tag:v2.0"),
    also=("state", "show", "result", "results", "pipelines"),
)
MOST_SHOWN = 5


async def show_status(request: OfTarget, invocation: Invocation, context: Context) -> Message:
    """Answer with one build where one was named, with the newest of a branch otherwise."""
    finder = context.finder
    if request.target.names_a_build:
        pipeline = await finder.pipeline(request.target, invocation)
        build = await context.circleci.build(pipeline.id)
        return builds.one(await finder.title(pipeline.project_slug), build, context.links)
    pipelines = await finder.newest(request.target)
    outlines = await finder.outlines(pipelines[:MOST_SHOWN])
    return builds.newest(await finder.title(pipelines[0].project_slug), outlines, context.links)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse_of_target, permission="read")(show_status)
