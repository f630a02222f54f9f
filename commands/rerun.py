"""Run a finished pipeline's workflows again, from their failed jobs or whole."""

from bot.actions import RerunAll, RerunFailed
from bot.models.circleci import PipelineId
from bot.models.slack import Click
from bot.routing import Context, Router
from formatters.blocks import Message


async def rerun_failed(button: RerunFailed, click: Click, context: Context) -> Message | None:
    """Rerun what did not pass; the same thread follows it."""
    return await context.acts.rerun(PipelineId(button.pipeline_id), click, failed_only=True)


async def rerun_all(button: RerunAll, click: Click, context: Context) -> Message | None:
    """Rerun every workflow from its first job; the same thread follows it."""
    return await context.acts.rerun(PipelineId(button.pipeline_id), click, failed_only=False)


def register(router: Router) -> None:
    """Teach the router these buttons."""
    router.action(RerunFailed, permission="rerun")(rerun_failed)
    router.action(RerunAll, permission="rerun")(rerun_all)
