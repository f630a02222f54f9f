"""Let a job that waits for approval go on."""

from bot.actions import ApproveJob
from bot.answers.acts import Acted
from bot.answers.builds import OnHold
from bot.models.caller import Caller
from bot.models.circleci import PipelineId
from bot.models.help import CommandHelp
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router

HELP = CommandHelp(
    name="approve",
    group="Ship",
    summary="List what waits for an approval, each with its own button.",
    usage="approve <project> [<branch> | tag:<tag> | #<pipeline>]",
    example="approve acme/frontend main",
    phrases=("approve acme/frontend #2417",),
    also=("hold", "holds", "allow", "continue"),
)


async def list_holds(request: OfTarget, caller: Caller, context: Context) -> OnHold:
    """Answer with each job that waits."""
    pipeline = await context.finder.pipeline(request, caller)
    build = await context.circleci.build(pipeline.id)
    return OnHold(title=await context.finder.title(pipeline.project_slug), build=build)


async def approve(button: ApproveJob, caller: Caller, context: Context) -> Acted:
    """Approve the one job the button names; the second presser is told who was first."""
    return await context.operations.approve(caller, PipelineId(button.pipeline_id), button.approval_request_id)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, permission="approve", request=OfTarget, parse=parse_of_target, handle=list_holds)
    router.action(ApproveJob, permission="approve", handle=approve)
