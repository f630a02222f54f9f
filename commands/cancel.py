"""Cancel what a thread follows: every workflow of the pipeline that is not finished."""

from bot.actions import CancelPipeline
from bot.models.circleci import PipelineId
from bot.models.slack import Click
from bot.routing import Context, Router
from formatters.blocks import Message


async def cancel(button: CancelPipeline, click: Click, context: Context) -> Message | None:
    """Ask CircleCI to cancel; the thread says who pressed, and the outcome once CircleCI shows it."""
    return await context.acts.cancel(PipelineId(button.pipeline_id), click)


def register(router: Router) -> None:
    """Teach the router this button."""
    router.action(CancelPipeline, permission="cancel")(cancel)
