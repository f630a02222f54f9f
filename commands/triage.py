"""Say what failed in a build, whether it is new, and what to press: the final reply of any build, for one person."""

from bot.answers.builds import BuildShown, BuildTriaged
from bot.circleci.report import report
from bot.circleci.superseded import with_what_took_its_place
from bot.circleci.triage import triage
from bot.models.build import State
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router, Tool

HELP = CommandHelp(
    name="triage",
    group="Look",
    summary="Say what failed in the newest build, whether it is new, flaky or red on main, and what to press.",
    usage="triage <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="triage acme/backend main",
    phrases=("triage acme/frontend #2417",),
    also=("diagnose", "verdict", "broken"),
)
FOR_AGENTS = "Say what failed in the newest build, or in one, and whether it is new, flaky or red on main."
RUNS_AGAIN = (State.FAILED, State.CANCELED, State.COULD_NOT_RUN)


async def show_triage(request: OfTarget, caller: Caller, context: Context) -> BuildTriaged | BuildShown:
    """Answer with the evidence and the verdicts; a build that still runs is shown as it stands.

    One that never began has an end all the same, and nothing to compare.
    """
    pipeline = await context.finder.pipeline(request, caller)
    build = await with_what_took_its_place(context.circleci, await context.circleci.whole(pipeline))
    title = await context.finder.title(pipeline.project_slug)
    if not build.workflows_finished and not build.never_began:
        return BuildShown(title=title, build=build)
    past, patterns = context.store.past, context.projects.patterns
    evidence = await report(context.circleci, build, patterns=patterns, past=past)
    compared = await context.finder.may_read_base(caller, pipeline.project_slug)
    last = context.settings.history_builds if compared and build.runs else 0
    found = await triage(context.circleci, context.history, build, evidence, last=last) if last else None
    newer = await context.finder.newer(pipeline, caller) if build.outcome in RUNS_AGAIN else None
    number = newer.number if newer else 0
    return BuildTriaged(title=title, build=build, report=evidence, triage=found, newer_number=number)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(
        HELP,
        permission="read",
        request=OfTarget,
        parse=parse_of_target,
        handle=show_triage,
        tool=Tool(summary=FOR_AGENTS, without=("commit",)),
    )
