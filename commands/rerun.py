"""Run a finished pipeline's workflows again, from their failed jobs or whole; with SSH for those allowed."""

from collections.abc import Sequence

from bot.actions import RerunAll, RerunFailed
from bot.answers.acts import Acted
from bot.answers.builds import NothingFailed, OldBuild
from bot.errors import NothingToDo, UsageError
from bot.finding import not_of_one_workflow
from bot.grammar import Word, without_stop
from bot.models.build import Build, State
from bot.models.caller import Caller
from bot.models.circleci import Pipeline, PipelineId
from bot.models.help import CommandHelp
from bot.policy import Word as Permission
from bot.requests import OfTarget
from bot.routing import Context, Router, Tool
from bot.settings import Projects
from bot.targets import parse_target
from commands.heard import refuse_unheard, who_hears_of
from commands.older import before_an_old_one, old_build

HELP = CommandHelp(
    name="rerun",
    group="Ship",
    summary="Run the failed jobs of a build again, or all of it, and follow it here.",
    usage="rerun <project> [<branch> | tag:<tag> | #<pipeline> | <job number>] [failed | all] [ssh]",
    example="rerun acme/frontend release/v2.0",
    phrases=("rerun acme/frontend #2417 all", "rerun acme/frontend main failed"),
    also=("retry", "restart"),
)
FOR_AGENTS = "Ask people to run the failed jobs of a build again, or all of it; then `follow`."
MODES = ("failed", "all", "ssh")


class Rerun(OfTarget):
    """Which build; `everything` starts it from its first job, `ssh` opens the failed jobs to the token's user."""

    everything: bool = False
    ssh: bool = False


def parse(words: Sequence[Word], projects: Projects) -> Rerun:
    """Return the request; the last words say how."""
    rest, modes = without_stop(words), set[str]()
    while rest and not rest[-1].quoted and rest[-1].text.lower() in MODES:
        modes.add(rest.pop().text.lower())
    target, left = parse_target(rest, projects)
    if left:
        raise UsageError("I expected failed, all or ssh here.", given=left[0].text)
    if "all" in modes and modes & {"failed", "ssh"}:
        raise UsageError("It is either all of it, or the failed jobs.", given=" ".join(sorted(modes)))
    return Rerun.named(target, everything="all" in modes, ssh="ssh" in modes)


async def rerun(request: Rerun, caller: Caller, context: Context) -> Acted | NothingFailed | OldBuild:
    """Rerun it, and follow it in this place if nobody does; of what passed or was cancelled, all of it is offered.

    Of a build that is named, and is not the newest of its branch, it is asked back.
    """
    if request.ssh:
        await context.permissions.check(caller, "ssh", certain=False)
    pipeline, target = await context.finder.pipeline(request, caller, exactly=True), request.target(context.projects)
    if target.workflow_id:
        raise not_of_one_workflow("rerun", pipeline.number)
    line, slug, number = _line(request, pipeline), pipeline.project_slug, pipeline.number
    await refuse_unheard(line, Permission.RERUN, slug, pipeline.ref, caller, context, number=number)
    offered = () if request.everything else (State.PASSED,) if request.ssh else (State.PASSED, State.CANCELED)
    newer = await context.finder.newer(pipeline, caller) if target.names_a_build else None
    if offered or newer:
        build, title = await context.circleci.outline(pipeline), await context.finder.title(pipeline.project_slug)
        if build.state in offered and request.ssh:
            raise NothingToDo("no_job_to_open", number=pipeline.number)
        if build.state in offered:
            return NothingFailed(title=title, build=build, newer_number=newer.number if newer else 0)
        if newer and (asked := await old_build(_press(request, build), build, newer, context)):
            return asked
    return await context.operations.rerun(caller, pipeline.id, failed_only=not request.everything, ssh=request.ssh)


def _line(request: Rerun, pipeline: Pipeline) -> str:
    """Return the line that asks for the same build."""
    how = [*(["all"] if request.everything else []), *(["ssh"] if request.ssh else [])]
    return " ".join([HELP.name, pipeline.project_slug, f"#{pipeline.number}", *how])


def _press(request: Rerun, build: Build) -> RerunAll | RerunFailed:
    """Return what a button would carry that does the same."""
    pipeline_id, attempt = build.pipeline.id, build.mark
    if request.everything:
        return RerunAll(pipeline_id=pipeline_id, attempt=attempt)
    return RerunFailed(pipeline_id=pipeline_id, attempt=attempt, ssh=request.ssh)


async def rerun_failed(button: RerunFailed, caller: Caller, context: Context) -> Acted | OldBuild:
    """Rerun what failed, of an old build after a question; it is followed where it is pressed."""
    if asked := await before_an_old_one(button, caller, context):
        return asked
    how = ["ssh"] if button.ssh else []
    caller = await who_hears_of(button.pipeline_id, caller, context, Permission.RERUN, *how)
    pipeline_id = PipelineId(button.pipeline_id)
    return await context.operations.rerun(
        caller, pipeline_id, failed_only=True, **button.model_dump(include={"ssh", "attempt", "workflows"})
    )


async def rerun_all(button: RerunAll, caller: Caller, context: Context) -> Acted | OldBuild:
    """Rerun every workflow from its first job, of an old build after a question; it is followed where it is pressed."""
    if asked := await before_an_old_one(button, caller, context):
        return asked
    caller = await who_hears_of(button.pipeline_id, caller, context, Permission.RERUN, "all")
    pipeline_id = PipelineId(button.pipeline_id)
    return await context.operations.rerun(caller, pipeline_id, failed_only=False, attempt=button.attempt)


def register(router: Router) -> None:
    """Teach the router this command and its buttons."""
    router.command(
        HELP,
        permission="rerun",
        request=Rerun,
        parse=parse,
        handle=rerun,
        tool=Tool(summary=FOR_AGENTS, without=("ssh", "job", "commit")),
    )
    router.action(RerunFailed, permission="rerun", handle=rerun_failed)
    router.action(RerunAll, permission="rerun", handle=rerun_all)
