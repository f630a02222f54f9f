"""Rank the tests that fail now and then, by the results of the last builds."""

import asyncio
from collections.abc import Sequence

from pydantic import Field

from bot.answers.branches import FlakyTests
from bot.errors import NotFound, UsageError
from bot.grammar import Word
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.requests import BESIDE_BRANCH, OfTarget, parse_branch
from bot.routing import Context, Router, Tool
from bot.settings import Projects
from bot.triage.flakiness import flaky
from bot.triage.sightings import with_data

MOST_BUILDS = 50
FOR_AGENTS = "Rank the tests that failed now and then in the last builds of a branch."
HELP = CommandHelp(
    name="flaky",
    group="Look",
    summary="Rank the tests that failed in more than 2 of the last 10 builds, with their rates and links.",
    usage="flaky <project> [<branch>] [last=<builds>] [over=<failures>]",
    example="flaky acme/backend main",
    phrases=("flaky acme/backend main last=30 over=1",),
    also=("flakes", "flake", "unstable"),
)


class Flaky(OfTarget):
    """Which branch, how many builds, and above how many failures."""

    last: int = Field(10, ge=1, le=MOST_BUILDS)
    over: int = Field(2, ge=0, le=MOST_BUILDS)


def parse(words: Sequence[Word], projects: Projects) -> Flaky:
    """Return the request."""
    named = [word for word in words if word.text.partition("=")[0] in ("last", "over") and "=" in word.text]
    of_branch = parse_branch([word for word in words if word not in named], projects)
    numbers = {word.text.partition("=")[0]: _number(word) for word in named}
    return Flaky(**of_branch.model_dump(), **numbers)


def _number(word: Word) -> int:
    name, _, value = word.text.partition("=")
    if not value.isdecimal() or not (name == "over" or int(value)) or int(value) > MOST_BUILDS:
        raise UsageError(f"`{name}` is a number up to {MOST_BUILDS}.", given=word.text)
    return int(value)


async def show_flaky(request: Flaky, caller: Caller, context: Context) -> FlakyTests:
    """Answer with the ranking."""
    project, branch = await context.finder.branch(request, caller)
    builds = await context.history.builds(project.slug, branch, request.last)
    if not builds:
        raise NotFound("finished build, among the newest, on the branch", branch, looked_in=project.title)
    tested = await context.history.tests(project.slug, builds)
    reads_all = await context.finder.may_read(caller, project.slug)
    return FlakyTests(
        project_slug=builds[0].pipeline.project_slug,
        title=project.title,
        branch=branch,
        over=request.over,
        asked=request.last,
        builds=len(builds),
        with_data=with_data(builds, tested.results),
        unread=tested.unread,
        flakes=tuple(await asyncio.to_thread(flaky, builds, tested.results, over=request.over)),
        insight=await context.history.insight(project.slug) if reads_all else None,
        is_closed=not reads_all,
    )


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(
        HELP,
        permission="read",
        request=Flaky,
        parse=parse,
        handle=show_flaky,
        tool=Tool(summary=FOR_AGENTS, without=BESIDE_BRANCH),
    )
