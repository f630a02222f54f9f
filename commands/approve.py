"""Let a job that waits for approval go on."""

from bot.actions import ApproveJob
from bot.models.slack import Click, Invocation
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from formatters import choices
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="approve",
    group="Ship",
    summary="List what waits for an approval, each with its own button.",
    usage="approve <project> [<branch> | tag:<tag> | #<pipeline>]",
    example="approve acme/frontend main",
    phrases=("approve acme/frontend #2417",),
    also=("hold", "holds", "allow", "continue"),
)


async def list_holds(request: OfTarget, invocation: Invocation, context: Context) -> Message:
    """Answer with a button for each job that waits."""
    pipeline = await context.finder.pipeline(request.target, invocation)
    build = await context.circleci.build(pipeline.id)
    return choices.approve(await context.finder.title(pipeline.project_slug), build)


async def approve(button: ApproveJob, click: Click, context: Context) -> Message | None:
    """Approve the one job the button names; the second presser is told who was first."""
    return await context.acts.approve(button, click)


def register(router: Router) -> None:
    """Teach the router this command and its button."""
    router.command(HELP, parse=parse_of_target, permission="approve")(list_holds)
    router.action(ApproveJob, permission="approve")(approve)
