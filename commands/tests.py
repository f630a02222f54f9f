"""Show which tests failed, with their messages; the counts and the slowest."""

from bot.circleci.partial import whatever_can_be_read
from bot.finding import known
from bot.models.circleci import TestResult
from bot.models.slack import Invocation
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router
from formatters import results, unread
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="tests",
    group="Look",
    summary="Show the failing tests with their messages, the counts and the slowest.",
    usage="tests <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="tests acme/frontend release/v2.0",
    phrases=("tests acme/frontend", "tests acme/frontend #2417", "tests acme/frontend 1842"),
    also=("test", "failures", "failed"),
)
MOST_JOBS = 10


async def show_tests(request: OfTarget, invocation: Invocation, context: Context) -> Message:
    """Answer with the results of one job, of the failed jobs of a build, or of all where none failed."""
    target = request.target
    if target.slug is not None and target.job_number is not None:
        found = await _of_job(target.slug, target.job_number, context)
        return results.summary(f"{target.slug} {target.job_number}", [found])
    pipeline = await context.finder.pipeline(target, invocation)
    build = await context.circleci.build(pipeline.id)
    jobs = [job for run in build.real_runs for job in run.jobs if job.job_number is not None]
    # The results of the failed jobs tell what failed; the others cost a request each for nothing.
    jobs = [job for job in jobs if job.is_failed] or jobs
    numbers = [job.job_number for job in jobs[:MOST_JOBS] if job.job_number is not None]
    read = await whatever_can_be_read(*(_of_job(pipeline.project_slug, number, context) for number in numbers))
    title = f"{await context.finder.title(pipeline.project_slug)} #{pipeline.number}"
    told = results.summary(title, read.found, left_out=len(jobs) - len(numbers))
    return (
        told
        if read.is_whole
        else unread.add(told, read.tried, len(read.errors), invocation.text, limited=read.was_limited)
    )


async def _of_job(slug: str, number: int, context: Context) -> tuple[TestResult, ...]:
    with known("job", str(number), slug):
        return await context.circleci.tests(slug, number)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse_of_target, permission="read")(show_tests)
