"""Cancel a build that runs, or one of its jobs; it asks first, and asks which when there are several."""

from bot.actions import CancelJob, CancelPipeline
from bot.finding import known
from bot.models.circleci import TERMINAL_JOB_STATUSES, JobDetails, PipelineId, ProjectSlug
from bot.models.slack import Click, Invocation
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from formatters import choices
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="cancel",
    group="Ship",
    summary="Cancel a build that runs, or one of its jobs; I ask before I do.",
    usage="cancel <project> [<branch> | #<pipeline> | <job number>]",
    example="cancel acme/frontend release/v2.0",
    phrases=("cancel acme/frontend", "cancel acme/frontend #2417", "cancel acme/frontend 1842"),
    also=("stop", "abort", "kill"),
)
MOST_LOOKED_AT = 8


async def ask(request: OfTarget, invocation: Invocation, context: Context) -> Message:
    """Answer with a button for each build that runs, or for the one job."""
    target = request.target
    if target.slug is not None and target.job_number is not None:
        job = await _job(target.slug, target.job_number, context)
        return choices.cancel_job(target.slug, job)
    if target.names_a_build:
        pipelines = [await context.finder.pipeline(target, invocation)]
    else:
        pipelines = list((await context.finder.newest(target))[:MOST_LOOKED_AT])
    builds = await context.finder.outlines(pipelines)
    return choices.cancel(await context.finder.title(pipelines[0].project_slug), builds)


async def cancel(button: CancelPipeline, click: Click, context: Context) -> Message | None:
    """Ask CircleCI to cancel; the thread says who pressed, and the outcome once CircleCI shows it."""
    return await context.acts.cancel(PipelineId(button.pipeline_id), click)


async def cancel_job(button: CancelJob, click: Click, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Look again, then ask CircleCI to cancel the job."""
    slug = ProjectSlug(button.project_slug)
    job = await _job(slug, button.job_number, context)
    if job.status in TERMINAL_JOB_STATUSES:
        return choices.job_has_ended(job)
    await context.writes.cancel_job_number(slug, button.job_number)
    return choices.job_cancelled(job)


async def _job(slug: ProjectSlug, number: int, context: Context) -> JobDetails:
    with known("job", str(number), slug):
        return await context.circleci.job(slug, number)


def register(router: Router) -> None:
    """Teach the router this command and its buttons."""
    router.command(HELP, parse=parse_of_target, permission="cancel")(ask)
    router.action(CancelPipeline, permission="cancel")(cancel)
    router.action(CancelJob, permission="cancel")(cancel_job)
