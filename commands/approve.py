"""Let a job that waits for approval go on."""

from bot.actions import ApproveJob
from bot.models.slack import Click
from bot.routing import Context, Router
from formatters.blocks import Message


async def approve(button: ApproveJob, click: Click, context: Context) -> Message | None:
    """Approve the one job the button names; the second presser is told who was first."""
    return await context.acts.approve(button, click)


def register(router: Router) -> None:
    """Teach the router this button."""
    router.action(ApproveJob, permission="approve")(approve)
