"""Say what failed in a build, whether it is new, and what to press: the final reply of any build, for one person."""

from bot.circleci.report import report
from bot.circleci.triage import triage
from bot.models.slack import Invocation, Watch
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from formatters import builds, final
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="triage",
    group="Look",
    summary="Say what failed in the newest build, whether it is new, flaky or red on main, and what to press.",
    usage="triage <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="triage acme/backend main",
    phrases=("triage acme/frontend #2417",),
    also=("diagnose", "verdict", "broken"),
)


async def show_triage(request: OfTarget, invocation: Invocation, context: Context) -> Message:
    """Answer with the evidence and the verdicts; a build that still runs is shown as it stands."""
    pipeline = await context.finder.pipeline(request.target, invocation)
    build = await context.circleci.build(pipeline.id)
    title = await context.finder.title(pipeline.project_slug)
    if not build.workflows_finished:
        return builds.one(title, build, context.links)
    evidence = await report(context.circleci, build, patterns=context.projects.patterns)
    last = context.settings.history_builds
    found = await triage(context.circleci, context.history, build, evidence, last=last) if last else None
    # Whoever asks need not be pinged.
    watch = Watch.of(pipeline, title, invocation).model_copy(update={"asker_id": ""})
    return final.final(build, evidence, watch, context.links, found)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse_of_target, permission="read")(show_triage)
