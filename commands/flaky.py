"""Rank the tests that fail now and then, by the results of the last builds."""

import asyncio
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import NotFound, UsageError
from bot.grammar import Word
from bot.models.slack import Invocation
from bot.requests import parse_branch
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import Target
from bot.triage.flakiness import flaky
from bot.triage.sightings import with_data
from formatters import flakes
from formatters.blocks import Message
from formatters.help import CommandHelp

MOST_BUILDS = 50
HELP = CommandHelp(
    name="flaky",
    group="Look",
    summary="Rank the tests that failed in more than 2 of the last 10 builds, with their rates and links.",
    usage="flaky <project> [<branch>] [last=<builds>] [over=<failures>]",
    example="flaky acme/backend main",
    phrases=("flaky acme/backend main last=30 over=1",),
    also=("flakes", "flake", "unstable"),
)


class Flaky(BaseModel):
    """Which branch, how many builds, and above how many failures."""

    model_config = ConfigDict(frozen=True)
    target: Target
    last: int = Field(10, ge=1, le=MOST_BUILDS)
    over: int = Field(2, ge=0, le=MOST_BUILDS)


def parse(words: Sequence[Word], projects: Projects) -> Flaky:
    """Return the request."""
    named = [word for word in words if word.text.partition("=")[0] in ("last", "over") and "=" in word.text]
    target = parse_branch([word for word in words if word not in named], projects).target
    return Flaky(target=target, **{word.text.partition("=")[0]: _number(word) for word in named})


def _number(word: Word) -> int:
    name, _, value = word.text.partition("=")
    if not value.isdecimal() or not (name == "over" or int(value)) or int(value) > MOST_BUILDS:
        raise UsageError(f"`{name}` is a number up to {MOST_BUILDS}.", given=word.text)
    return int(value)


async def show_flaky(request: Flaky, invocation: Invocation, context: Context) -> Message:
    """Answer with the ranking."""
    project, branch = await context.finder.branch(request.target, invocation)
    builds = await context.history.builds(project.slug, branch, request.last)
    if not builds:
        raise NotFound("finished build on the branch", branch, looked_in=project.title)
    tested = await context.history.tests(project.slug, builds)
    extent = (len(builds), with_data(builds, tested.results), tested.unread)
    return flakes.ranking(
        flakes.Asked(project.title, branch, request.over, *extent),
        builds,
        await asyncio.to_thread(flaky, builds, tested.results, over=request.over),
        await context.history.insight(project.slug),
        context.links,
    )


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse, permission="read")(show_flaky)
