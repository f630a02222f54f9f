"""Look into one job: its steps with their times, and the log of one of them."""

import asyncio
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.actions import SendLog
from bot.circleci.logs import tail
from bot.errors import UsageError
from bot.finding import known
from bot.grammar import Word
from bot.models.circleci import Action, ClassicBuild, ProjectSlug, Step
from bot.models.slack import Click, Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import Target, parse_target
from formatters import answers, steps
from formatters.blocks import Message
from formatters.help import CommandHelp

BUILD = CommandHelp(
    name="build",
    group="Look",
    summary="Show a job's steps, each with its time and outcome; the slowest and the failed are marked.",
    usage="build <project> <job number>",
    example="build acme/frontend 1842",
    phrases=("build acme/frontend 1842",),
    also=("job", "steps", "timing", "timings"),
)
LOGS = CommandHelp(
    name="logs",
    group="Look",
    summary="Show the end of the failing step's log, or of the step you name.",
    usage="logs <project> <job number> [<step>]",
    example="logs acme/frontend 1842",
    phrases=("logs acme/frontend 1842", 'logs acme/frontend 1842 "Run tests"'),
    also=("log", "output", "tail"),
)
LOG_LINES = 40
WHOLE_LOG_BYTES = 5_000_000


class JobRequest(BaseModel):
    """Which job, and which of its steps; the failing one without a name."""

    model_config = ConfigDict(frozen=True)
    target: Target
    step: str = ""


def parse_job(words: Sequence[Word], projects: Projects) -> JobRequest:
    """Return a job, or a UsageError that says what is missing."""
    request = parse_step(words, projects)
    if request.step:
        raise UsageError("I expected nothing after the job's number.", given=request.step)
    return request


def parse_step(words: Sequence[Word], projects: Projects) -> JobRequest:
    """Return a job and a step's name."""
    target, rest = parse_target(words, projects)
    if target.job_number is None:
        raise UsageError("Which job? Its number stands on CircleCI's page, and in `status`.")
    return JobRequest(target=target, step=" ".join(word.text for word in rest))


async def show_steps(request: JobRequest, invocation: Invocation, context: Context) -> Message:
    """Answer with the steps."""
    slug, number = await _which(request.target, invocation, context)
    build = await _detail(slug, number, context)
    return steps.job(build, build.workflows.job_name)


async def show_log(request: JobRequest, invocation: Invocation, context: Context) -> Message:
    """Answer with the end of a log, and offer the whole."""
    slug, number = await _which(request.target, invocation, context)
    build = await _detail(slug, number, context)
    name = f"{build.workflows.job_name} {number}".strip()
    found = choose_step(build, request.step)
    if found is None:
        return steps.no_log(name, tuple(step.name for step in build.steps if _with_output(step)))
    step, action = found
    output = await context.circleci.output(action.output_url)
    lines = await asyncio.to_thread(tail, output.text, LOG_LINES + 1)
    shortened = output.shortened or not output.complete or len(lines) > LOG_LINES
    offer = SendLog(project_slug=slug, job_number=number, step=step.name[:200])
    return steps.log(name, step.name, lines[-LOG_LINES:], offer=offer if lines else None, shortened=shortened)


async def send_log(button: SendLog, click: Click, context: Context) -> Message | None:
    """Put the whole log, cleaned and masked, into the thread as a file."""
    build = await _detail(ProjectSlug(button.project_slug), button.job_number, context)
    found = choose_step(build, button.step)
    if found is None:
        return answers.log_gone()
    output = await context.circleci.output(found[1].output_url, max_bytes=WHOLE_LOG_BYTES)
    text = "\n".join(await asyncio.to_thread(tail, output.text, 1_000_000))
    name = f"{build.workflows.job_name or 'job'}-{button.job_number}.log"
    await context.messenger.upload(click.channel_id, name, text.encode(), thread_ts=click.thread_ts)
    return None


def choose_step(build: ClassicBuild, wanted: str) -> tuple[Step, Action] | None:
    """Return the step meant, with the container whose log to read: by name, else the failing one, else the last."""
    with_log = [(step, action) for step in build.steps for action in step.actions if action.output_url]
    named = [pair for pair in with_log if wanted.casefold() in pair[0].name.casefold()]
    failed = [pair for pair in named if pair[1].is_failed]
    chosen = failed or named[-1:]
    return chosen[0] if chosen else None


def _with_output(step: Step) -> bool:
    return any(action.output_url for action in step.actions)


async def _which(target: Target, invocation: Invocation, context: Context) -> tuple[ProjectSlug, int]:
    """Return the project and the number of the job meant; in a thread the project is that of its build."""
    assert target.job_number is not None  # noqa: S101  # for mypy: parse_step has looked
    slug = target.slug or (await context.finder.pipeline(Target(), invocation)).project_slug
    return slug, target.job_number


async def _detail(slug: ProjectSlug, number: int, context: Context) -> ClassicBuild:
    with known("job", str(number), slug):
        return await context.circleci.job_steps(slug, number)


def register(router: Router) -> None:
    """Teach the router these commands and their button."""
    router.command(BUILD, parse=parse_job, permission="read")(show_steps)
    router.command(LOGS, parse=parse_step, permission="read")(show_log)
    router.action(SendLog, permission="read")(send_log)
