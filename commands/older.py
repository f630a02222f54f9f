"""Asks before an act on a build that is not the newest of its branch or tag, where no dialog has said so."""

from bot.actions import ApproveJob, RerunAll, RerunFailed
from bot.answers.builds import OldBuild
from bot.errors import reading
from bot.models.build import OPEN_STATES, Build, State
from bot.models.caller import Caller
from bot.models.circleci import RED_WORKFLOW_STATUSES, Pipeline, PipelineId
from bot.routing import Context

OfABuild = RerunFailed | RerunAll | ApproveJob


async def before_an_old_one(button: OfABuild, caller: Caller, context: Context) -> OldBuild | None:
    """Return the question; None where there is no newer build than its dialog names, or nothing would come of it.

    The dialog was made with its message, and knows nothing of what was pushed since.
    """
    with reading():
        found = await context.circleci.pipeline(PipelineId(button.pipeline_id))
        newest = await context.finder.newer(found, caller)
        if newest is None or newest.number <= button.newer:
            return None
        word = "approve" if isinstance(button, ApproveJob) else "rerun"
        await context.permissions.check(caller, word, found.project_slug, found.ref, certain=False)
        return await old_build(button, await context.circleci.build(found.id), newest, context)


async def old_build(act: OfABuild, build: Build, newest: Pipeline, context: Context) -> OldBuild | None:
    """Return the question about an old build; None where nothing would come of the act: it says itself why."""
    if _comes_to_nothing(act, build):
        return None
    title, newer = await context.finder.title(build.pipeline.project_slug), await context.circleci.outline(newest)
    asked = OldBuild(title=title, build=build, newer=newer, act="approve")
    if isinstance(act, ApproveJob):
        return asked.model_copy(update={"approval_request_id": act.approval_request_id})
    how = act.model_dump(include={"attempt", "ssh", "workflows"})
    return asked.model_copy(update={**how, "act": act.action_id})


def _comes_to_nothing(act: OfABuild, build: Build) -> bool:
    """Say whether the job waits no more, or the build runs again, or failed anew since the message was made."""
    if isinstance(act, ApproveJob):
        waiting = [job for run in build.runs for job in run.holds]
        return all(act.approval_request_id not in (job.approval_request_id, job.id) for job in waiting)
    build = build.part(act.workflows if isinstance(act, RerunFailed) else ())
    is_open, is_another = build.state in OPEN_STATES, act.attempt not in ("", build.mark)
    if is_another and (is_open or build.state is State.FAILED or isinstance(act, RerunAll)):
        return True
    return is_open if isinstance(act, RerunAll) else not _failed(build)


def _failed(build: Build) -> bool:
    return any(run.workflow.status in RED_WORKFLOW_STATUSES for run in build.real_runs)
