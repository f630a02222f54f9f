"""Show what did not fit into a final reply: the log, all failing tests, all artifacts; to the one who asks."""

from bot.actions import ShowArtifacts, ShowLog, ShowTests
from bot.answers.builds import Evidence
from bot.circleci.report import report
from bot.models.caller import Caller
from bot.models.circleci import PipelineId
from bot.routing import Context, Router


async def show_log(button: ShowLog, caller: Caller, context: Context) -> Evidence:
    """Answer with the tail of the failing steps."""
    build = await context.finder.build(PipelineId(button.pipeline_id), caller)
    found = await report(context.circleci, build, with_log=True)
    return Evidence(build=build, report=found, shown="log")


async def show_tests(button: ShowTests, caller: Caller, context: Context) -> Evidence:
    """Answer with the failing tests."""
    build = await context.finder.build(PipelineId(button.pipeline_id), caller)
    return Evidence(build=build, report=await report(context.circleci, build), shown="tests")


async def show_artifacts(button: ShowArtifacts, caller: Caller, context: Context) -> Evidence:
    """Answer with the artifacts."""
    build = await context.finder.build(PipelineId(button.pipeline_id), caller)
    return Evidence(build=build, report=await report(context.circleci, build), shown="artifacts")


def register(router: Router) -> None:
    """Teach the router these buttons."""
    router.action(ShowLog, permission="read", handle=show_log)
    router.action(ShowTests, permission="read", handle=show_tests)
    router.action(ShowArtifacts, permission="read", handle=show_artifacts)
