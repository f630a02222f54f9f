"""Show what did not fit into a final reply: the log, all failing tests, all artifacts; to the one who asks.

The message stands when its build runs again: what an attempt left behind can be asked for as long as CircleCI has it.
"""

from collections.abc import Callable

from bot.actions import ShowArtifacts, ShowLog, ShowTests
from bot.answers.builds import Evidence
from bot.circleci.report import report
from bot.models.build import Build, Run
from bot.models.caller import Caller
from bot.models.circleci import PipelineId
from bot.routing import Context, Router
from bot.triage.attempts import as_it_was


async def show_log(button: ShowLog, caller: Caller, context: Context) -> Evidence:
    """Answer with the tail of the failing steps."""
    build = await context.finder.build(PipelineId(button.pipeline_id), caller)
    build = await _as_it_failed(build, button.attempt, context)
    build = build.part(button.workflows)
    found = await report(context.circleci, build, with_log=True)
    return Evidence(build=build, report=found, shown="log")


async def show_tests(button: ShowTests, caller: Caller, context: Context) -> Evidence:
    """Answer with the failing tests."""
    build = await context.finder.build(PipelineId(button.pipeline_id), caller)
    build = await _as_it_failed(build, button.attempt, context)
    return Evidence(build=build, report=await report(context.circleci, build), shown="tests")


async def show_artifacts(button: ShowArtifacts, caller: Caller, context: Context) -> Evidence:
    """Answer with the artifacts."""
    build = await _as_it_ended(await context.finder.build(PipelineId(button.pipeline_id), caller), context)
    return Evidence(build=build, report=await report(context.circleci, build), shown="artifacts")


async def _as_it_failed(build: Build, attempt: str, context: Context) -> Build:
    """Return a build as it was in the attempt that a button is about; an earlier version's does not say which.

    Then it is one of which nothing has failed since it runs again as it failed before.
    """
    if attempt and attempt != build.mark:
        attempts = await context.circleci.attempts(build.pipeline.id)
        if found := as_it_was(build, attempts, attempt):
            return found
    if any(run.failed_jobs for run in build.runs):
        return build
    return await _earlier(build, context, lambda run: bool(run.failed_jobs))


async def _as_it_ended(build: Build, context: Context) -> Build:
    """Return a build that runs again as it ended before."""
    if build.workflows_finished:
        return build
    return await _earlier(build, context, lambda run: run.workflow.is_finished)


async def _earlier(build: Build, context: Context, fits: Callable[[Run], bool]) -> Build:
    """Return a build with the newest attempt of each workflow that fits; as it is where none does."""
    attempts = await context.circleci.attempts(build.pipeline.id)
    newest = {run.workflow.name: run for run in attempts if fits(run)}
    return build.model_copy(update={"runs": tuple(newest.values())}) if newest else build


def register(router: Router) -> None:
    """Teach the router these buttons."""
    router.action(ShowLog, permission="read", handle=show_log)
    router.action(ShowTests, permission="read", handle=show_tests)
    router.action(ShowArtifacts, permission="read", handle=show_artifacts)
