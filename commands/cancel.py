"""Cancel a build that runs, or one of its jobs; it asks first, and asks which when there are several."""

from bot.actions import CancelJob, CancelPipeline, TakeBack
from bot.answers.acts import Acted, NotSentYet
from bot.answers.builds import Cancellable, CancellableJob
from bot.finding import not_of_one_workflow, of_what
from bot.models.attempt import Attempt
from bot.models.build import OPEN_STATES, Build
from bot.models.caller import Caller
from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.help import CommandHelp
from bot.models.target import Target
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router, Tool

HELP = CommandHelp(
    name="cancel",
    group="Ship",
    summary="Cancel a build that runs, or one of its jobs; I ask before I do.",
    usage="cancel <project> [<branch> | #<pipeline> | <job number>]",
    example="cancel acme/frontend release/v2.0",
    phrases=("cancel acme/frontend", "cancel acme/frontend #2417", "cancel acme/frontend 1842"),
    also=("stop", "abort", "kill"),
)
FOR_AGENTS = "Ask people to cancel a build: one that is named, or the only one that runs on a branch."
MOST_LOOKED_AT = 20  # CircleCI's page of pipelines


async def ask(request: OfTarget, caller: Caller, context: Context) -> Cancellable | CancellableJob | NotSentYet:
    """Answer with each build that runs, of the branch or of all, or with the one job.

    What one has asked for and was not sent yet is no build: it comes first, and CircleCI is asked for nothing.
    """
    target = request.target(context.projects)
    if unsent := await _unsent(target, caller, context):
        return NotSentYet(deploys=unsent)
    if target.slug is not None and target.job_number is not None:
        slug, number = await context.finder.job(request, caller)
        return await _job(slug, number, context)
    newer = 0
    if target.names_a_build:
        pipelines = [await context.finder.pipeline(request, caller)]
        if target.workflow_id:
            raise not_of_one_workflow("cancel", pipelines[0].number)
        newest = None if request.project else await context.finder.newer(pipelines[0], caller)
        newer = newest.number if newest else 0
    else:
        pipelines = list((await context.finder.lately(request, caller))[:MOST_LOOKED_AT])
    title = await context.finder.title(pipelines[0].project_slug)
    builds = tuple(await context.finder.outlines(pipelines))
    ref, commit = of_what(pipelines) if target.names_more else (None, "")
    is_named = target.names_a_build
    return Cancellable(title=title, builds=builds, ref=ref, commit=commit, is_named=is_named, newer_number=newer)


async def cancel_named(
    request: OfTarget, caller: Caller, context: Context
) -> Acted | Cancellable | CancellableJob | NotSentYet:
    """Cancel the build that is named, or the only one of a branch that runs; else do nothing, and list them.

    Agents call it so, who press no button.
    """
    found = await ask(request, caller, context)
    if not isinstance(found, Cancellable):
        return found
    build = meant(found)
    return await context.operations.cancel(caller, build.pipeline.id, reruns=build.reruns) if build else found


def meant(found: Cancellable) -> Build | None:
    """Return the build that is named, or the only one of a branch that can be cancelled; None where it is not clear.

    One that may go on is no less meant than one that runs: what has not begun counts as one that may.
    """
    if found.is_named:
        return found.builds[0]
    open_ones = [
        one for one in found.builds if one.can_be_cancelled or (one.state in OPEN_STATES and not one.never_began)
    ]
    is_one = found.ref is not None and len(open_ones) == 1 and open_ones[0].can_be_cancelled
    return open_ones[0] if is_one else None


async def _unsent(target: Target, caller: Caller, context: Context) -> tuple[Attempt, ...]:
    if target.names_a_build or target.commit:
        return ()
    unsent = await context.store.attempts.unsent_of(caller.person_id, await context.store.now())
    return tuple(one for one in unsent if one.is_of(target.slug, target.ref))


async def _job(slug: ProjectSlug, number: int, context: Context) -> CancellableJob:
    job = await context.finder.details(slug, number)
    pipeline = await context.circleci.pipeline(job.pipeline.id) if job.pipeline else None
    title = await context.finder.title(pipeline.project_slug if pipeline else slug)
    return CancellableJob(project_slug=slug, job=job, title=title, pipeline=pipeline)


async def cancel(button: CancelPipeline, caller: Caller, context: Context) -> Acted:
    """Ask CircleCI to cancel; the thread says who pressed, and the outcome once CircleCI shows it."""
    return await context.operations.cancel(caller, PipelineId(button.pipeline_id), reruns=button.reruns)


async def take_back(button: TakeBack, caller: Caller, context: Context) -> Acted:
    """Let a deploy that waits for its turn not be sent."""
    return await context.operations.take_back(caller, button.attempt_id)


async def cancel_job(button: CancelJob, caller: Caller, context: Context) -> Acted:
    """Ask CircleCI to cancel the job, if it still runs."""
    return await context.operations.cancel_job(caller, ProjectSlug(button.project_slug), button.job_number)


TOOL = Tool(summary=FOR_AGENTS, handle=cancel_named, without=("job", "tag", "commit"))


def register(router: Router) -> None:
    """Teach the router this command and its buttons."""
    router.command(HELP, permission="cancel", request=OfTarget, parse=parse_of_target, handle=ask, tool=TOOL)
    router.action(CancelPipeline, permission="cancel", handle=cancel)
    router.action(TakeBack, permission="deploy", handle=take_back)
    router.action(CancelJob, permission="cancel", handle=cancel_job)
