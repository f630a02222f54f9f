"""Show which tests failed, with their messages; the counts and the slowest."""

import asyncio
from collections.abc import Sequence

from pydantic import Field

from bot.answers.jobs import TestResults, Unread
from bot.circleci.partial import whatever_can_be_read
from bot.lookup import known
from bot.models.caller import Caller
from bot.models.circleci import TestResult
from bot.models.help import CommandHelp
from bot.requests import OfTarget, parse_of_target
from bot.routing import Context, Router, Tool
from bot.triage.attempts import Settled, settled

HELP = CommandHelp(
    name="tests",
    group="Look",
    summary="Show the failing tests with their messages, the counts and the slowest.",
    usage="tests <project> [<branch> | tag:<tag> | #<pipeline> | <job number>]",
    example="tests acme/frontend release/v2.0",
    phrases=("tests acme/frontend", "tests acme/frontend #2417", "tests acme/frontend 1842"),
    also=("test", "failures", "failed"),
)
MOST_JOBS, MOST_FAILED, MOST_SLOW = 10, 200, 3
MOST_PAGES, PAGES_OF_EACH = 20, 5  # of one job's results, and of each of several jobs


class TestsFrom(OfTarget):
    """Whose test results, and from which of the failing ones on: agents are told some at a time."""

    __test__ = False

    start: int = Field(1, ge=1, le=MOST_FAILED)


async def show_tests(request: OfTarget, caller: Caller, context: Context) -> TestResults:
    """Answer with the results of one job, of the failed jobs of a build, or of all where none failed."""
    if request.target(context.projects).job_number is not None:
        slug, number = await context.finder.job(request, caller)
        tests, more = await _of_job(slug, number, context)
        return summed_up(f"{slug} {number}", [await asyncio.to_thread(settled, tests)], more=more)
    build = await context.finder.workflows(request, caller)
    pipeline = build.pipeline
    jobs = [job for run in build.real_runs for job in run.jobs if job.job_number is not None]
    # The results of the failed jobs tell what failed; the others cost a request each for nothing.
    jobs = [job for job in jobs if job.is_failed] or jobs
    numbers = [job.job_number for job in jobs[:MOST_JOBS] if job.job_number is not None]
    pages = MOST_PAGES if len(numbers) == 1 else PAGES_OF_EACH
    read = await whatever_can_be_read(*(_of_job(pipeline.project_slug, number, context, pages) for number in numbers))
    # Thousands of tests take a while, and others wait for the loop.
    listed = await asyncio.to_thread(lambda: [settled(tests) for tests, _ in read.found])
    named = f" {build.runs[0].workflow.name}" if request.target(context.projects).workflow_id else ""
    title = f"{await context.finder.title(pipeline.project_slug)} #{pipeline.number}{named}"
    again, missed = f"tests {request.typed}".strip(), len(read.errors)
    unread = Unread(tried=read.tried, missed=missed, limited=read.was_limited, again=again) if missed else None
    found = summed_up(title, listed, more=any(more for _, more in read.found))
    return found.model_copy(update={"jobs_left_out": len(jobs) - len(numbers), "unread": unread, "build": build})


async def show_tests_from(request: TestsFrom, caller: Caller, context: Context) -> TestResults:
    """Answer with the same, the failing tests from one of them on."""
    of = OfTarget(**request.model_dump(exclude={"start"}))
    found = await show_tests(of, caller, context)
    return found.model_copy(update={"failed": found.failed[request.start - 1 :], "start": request.start})


def summed_up(title: str, jobs: Sequence[Settled], *, more: bool = False) -> TestResults:
    """Return what failed of the tests of all these jobs, how many there are, and the slowest."""
    tests = [test for job in jobs for test in job.tests]
    failed = [test for job in jobs for test in job.failed]
    timed = any(test.run_time for test in tests)
    return TestResults(
        title=title,
        failed=tuple(failed[:MOST_FAILED]),
        tests_failed=len(failed),
        tests_skipped=sum(test.result == "skipped" for test in tests),
        tests_total=len(tests),
        flaky=tuple(test for job in jobs for test in job.flaky)[:MOST_FAILED],
        repeated=sum(job.repeated for job in jobs),
        more=more,
        slowest=tuple(sorted(tests, key=lambda test: -(test.run_time or 0))[:MOST_SLOW]) if timed else (),
    )


async def _of_job(
    slug: str, number: int, context: Context, pages: int = MOST_PAGES
) -> tuple[tuple[TestResult, ...], bool]:
    with known("job", str(number), slug):
        return await context.circleci.some_tests(slug, number, pages)


TOOL = Tool(request=TestsFrom, handle=show_tests_from, without=("commit", "tag"))


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(
        HELP,
        permission="read",
        request=OfTarget,
        parse=parse_of_target,
        handle=show_tests,
        tool=TOOL,
    )
