"""Look into one job: its steps with their times, and the log of one of them."""

import asyncio
from collections.abc import Sequence

from bot.actions import SendLog
from bot.answers import File
from bot.answers.jobs import JobSteps, NoLog, StepLog
from bot.circleci.logs import tail
from bot.errors import UsageError, reading
from bot.grammar import Word
from bot.lookup import known
from bot.models.caller import Caller
from bot.models.circleci import Action, ClassicBuild, ProjectSlug, Ref, Step
from bot.models.help import CommandHelp
from bot.models.target import Target
from bot.requests import OfTarget, Typed
from bot.routing import Context, Router, Tool
from bot.settings import Projects
from bot.targets import parse_target

JOB = CommandHelp(
    name="job",
    group="Look",
    summary="Show a job's steps, each with its time and outcome; the slowest and the failed are marked.",
    usage="job <project> [<branch> | #<pipeline>] [<job number>]",
    example="job acme/frontend 1842",
    phrases=("job acme/frontend #2417",),
    also=("build", "steps", "timing", "timings"),
)
LOGS = CommandHelp(
    name="logs",
    group="Look",
    summary="Show the end of the failing step's log, or of the one you name.",
    usage="logs <project> [<branch> | #<pipeline>] [<job number>] [<step>]",
    example="logs acme/frontend 1842",
    phrases=("logs acme/frontend #2417", 'logs acme/frontend 1842 "Run tests"'),
    also=("log", "output", "tail"),
)
FOR_AGENTS = "Show the steps of a job, each with its time and outcome."
LOG_LINES = 40
WHOLE_LOG_BYTES = 5_000_000


class JobRequest(OfTarget):
    """Which job, and which of its steps; the failing one without a name."""

    step: Typed = ""

    def target(self, projects: Projects) -> Target:
        """Return what is named; a job alone is one of the project whose build the thread follows."""
        alone = not (self.project or self.branch or self.tag or self.pipeline)
        return Target(job_number=self.job) if alone else super().target(projects)


def parse_job(words: Sequence[Word], projects: Projects) -> JobRequest:
    """Return a job, or a UsageError that says what is missing."""
    request = parse_step(words, projects)
    if request.step:
        raise UsageError("I expected nothing after the job's number.", given=request.step)
    return request


def parse_step(words: Sequence[Word], projects: Projects) -> JobRequest:
    """Return a job and a step's name."""
    target, rest = parse_target(words, projects)
    return JobRequest.named(target, step=" ".join(word.text for word in rest))


async def show_steps(request: JobRequest, caller: Caller, context: Context) -> JobSteps:
    """Answer with the steps."""
    slug, number = await context.finder.job(request, caller)
    build = await _detail(slug, number, context)
    return JobSteps(project_slug=slug, title=await context.finder.title(slug), ref=_ref(build), build=build)


async def show_log(request: JobRequest, caller: Caller, context: Context) -> StepLog | NoLog:
    """Answer with the end of a log."""
    slug, number = await context.finder.job(request, caller)
    build = await _detail(slug, number, context)
    found = choose_step(build, request.step)
    if found is None:
        return _no_log(slug, number, build)
    step, action = found
    with reading():
        output = await context.circleci.output(action.output_url)
    lines = await asyncio.to_thread(tail, output.text, LOG_LINES + 1)
    return StepLog(
        project_slug=slug,
        title=await context.finder.title(slug),
        ref=_ref(build),
        job_name=build.workflows.job_name,
        job_number=number,
        step=step.name,
        lines=lines[-LOG_LINES:],
        shortened=output.shortened or not output.complete or len(lines) > LOG_LINES,
        is_running=build.is_running,
    )


async def send_log(button: SendLog, caller: Caller, context: Context) -> File | NoLog:
    """Answer with the whole log, cleaned and masked, as a file."""
    slug, number = ProjectSlug(button.project_slug), button.job_number
    await context.finder.may_read_job(slug, number, caller)
    build = await _detail(slug, number, context)
    found = choose_step(build, button.step)
    if found is None:
        return _no_log(slug, number, build, is_gone=True)
    with reading():
        output = await context.circleci.output(found[1].output_url, max_bytes=WHOLE_LOG_BYTES)
    text = "\n".join(await asyncio.to_thread(tail, output.text, 1_000_000))
    return File(name=f"{build.workflows.job_name or 'job'}-{number}.log", content=text.encode())


def choose_step(build: ClassicBuild, wanted: str) -> tuple[Step, Action] | None:
    """Return the step meant, with the container whose log to read: by name, else the failing one, else the last."""
    with_log = [(step, action) for step in build.steps for action in step.actions if action.output_url]
    named = [pair for pair in with_log if wanted.casefold() in pair[0].name.casefold()]
    failed = [pair for pair in named if pair[1].is_failed]
    chosen = failed or named[-1:]
    return chosen[0] if chosen else None


def _no_log(slug: ProjectSlug, number: int, build: ClassicBuild, *, is_gone: bool = False) -> NoLog:
    names = tuple(step.name for step in build.steps if any(action.output_url for action in step.actions))
    return NoLog(
        project_slug=slug,
        job_name=build.workflows.job_name,
        job_number=number,
        steps=names,
        is_gone=is_gone,
        is_running=build.is_running,
        has_begun=build.has_begun,
    )


def _ref(build: ClassicBuild) -> Ref | None:
    name = build.vcs_tag or build.branch
    return Ref(name=name, kind="tag" if build.vcs_tag else "branch") if name else None


async def _detail(slug: ProjectSlug, number: int, context: Context) -> ClassicBuild:
    with known("job", str(number), slug):
        return await context.circleci.job_steps(slug, number)


def register(router: Router) -> None:
    """Teach the router these commands and their button."""
    router.command(
        JOB,
        permission="read",
        request=JobRequest,
        parse=parse_job,
        handle=show_steps,
        tool=Tool(summary=FOR_AGENTS, without=("step", "tag", "commit")),
    )
    router.command(
        LOGS,
        permission="read",
        request=JobRequest,
        parse=parse_step,
        handle=show_log,
        tool=Tool(without=("tag", "commit")),
    )
    router.action(SendLog, permission="read", handle=send_log)
