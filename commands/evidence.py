"""Show what did not fit into a final reply: the log, all failing tests, all artifacts; to the one who asks."""

from bot.actions import ShowArtifacts, ShowLog, ShowTests
from bot.circleci.report import report
from bot.models.build import Report
from bot.models.circleci import PipelineId
from bot.models.slack import Click
from bot.routing import Context, Router
from formatters import answers
from formatters.blocks import Message


async def show_log(button: ShowLog, click: Click, context: Context) -> Message | None:  # noqa: ARG001
    """Show the tail of the failing steps."""
    return answers.log(await _evidence(button.pipeline_id, context, with_log=True))


async def show_tests(button: ShowTests, click: Click, context: Context) -> Message | None:  # noqa: ARG001
    """Show as many failing tests as a message holds."""
    return answers.all_tests(await _evidence(button.pipeline_id, context))


async def show_artifacts(button: ShowArtifacts, click: Click, context: Context) -> Message | None:  # noqa: ARG001
    """List the artifacts by folder."""
    return answers.all_artifacts(await _evidence(button.pipeline_id, context))


async def _evidence(pipeline_id: str, context: Context, *, with_log: bool = False) -> Report:
    build = await context.circleci.build(PipelineId(pipeline_id))
    return await report(context.circleci, build, with_log=with_log)


def register(router: Router) -> None:
    """Teach the router these buttons."""
    router.action(ShowLog, permission="read")(show_log)
    router.action(ShowTests, permission="read")(show_tests)
    router.action(ShowArtifacts, permission="read")(show_artifacts)
