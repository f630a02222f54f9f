"""Let a job that waits for approval go on."""

from bot.actions import ApproveJob
from bot.answers.acts import Acted
from bot.answers.builds import OldBuild, OnHold
from bot.finding import of_what
from bot.models.build import OPEN_STATES, Build
from bot.models.caller import Caller
from bot.models.circleci import PipelineId
from bot.models.help import CommandHelp
from bot.policy import Word as Permission
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from commands.heard import who_hears_of
from commands.older import before_an_old_one

HELP = CommandHelp(
    name="approve",
    group="Ship",
    summary="List what waits for an approval, each with its own button.",
    usage="approve <project> [<branch> | tag:<tag> | #<pipeline>]",
    example="approve acme/frontend main",
    phrases=("approve acme/frontend", "approve acme/frontend #2417"),
    also=("hold", "holds", "allow", "continue"),
)
MOST_LOOKED_AT = 20  # CircleCI's page of pipelines


async def list_holds(request: OfTarget, caller: Caller, context: Context) -> OnHold:
    """Answer with each job that waits: of the build that was named, or of the newest of a branch, or of all."""
    finder, target = context.finder, request.target(context.projects)
    if target.names_a_build:
        pipeline, workflow_id = await finder.pipeline(request, caller), target.workflow_id
        named = await context.circleci.build(pipeline.id)
        waiting = (named,) if _holds(named.only(workflow_id) if workflow_id else named) else ()
        overtaken_by = await finder.newer(pipeline, caller)
        newer, title = overtaken_by.number if overtaken_by else 0, await finder.title(pipeline.project_slug)
        return OnHold(title=title, build=named, waiting=waiting, newer_number=newer, workflow_id=workflow_id)
    newest = await finder.outlines((await finder.lately(request, caller))[:MOST_LOOKED_AT])
    ref, commit = of_what([one.pipeline for one in newest]) if target.names_more else (None, "")
    unfinished = await finder.whole([one for one in newest if one.state in OPEN_STATES])
    return OnHold(
        title=await finder.title(newest[0].pipeline.project_slug),
        build=newest[0],
        waiting=tuple(filter(_holds, unfinished)),
        ref=ref,
        commit=commit,
        looked_at=len(newest),
    )


def _holds(build: Build) -> bool:
    return any(run.holds for run in build.runs)


async def approve(button: ApproveJob, caller: Caller, context: Context) -> Acted | OldBuild:
    """Approve the one job the button names, of an old build after a question; the second is told who was first."""
    if asked := await before_an_old_one(button, caller, context):
        return asked
    caller = await who_hears_of(button.pipeline_id, caller, context, Permission.APPROVE)
    return await context.operations.approve(caller, PipelineId(button.pipeline_id), button.approval_request_id)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, permission="approve", request=OfTarget, parse=parse_of_target, handle=list_holds)
    router.action(ApproveJob, permission="approve", handle=approve)
