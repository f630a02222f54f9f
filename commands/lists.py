"""Lists over everything the token sees: what ran lately, the followed projects, who the bot is."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.errors import UsageError
from bot.grammar import Word
from bot.models.slack import Invocation
from bot.requests import Nothing, parse_nothing
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import lists
from formatters.blocks import Message
from formatters.help import CommandHelp

RECENT = CommandHelp(
    name="recent",
    group="Look",
    summary="Say what ran lately over all followed projects.",
    usage="recent",
    example="recent",
    phrases=("recent",),
    also=("latest", "lately", "builds"),
)
PROJECTS = CommandHelp(
    name="projects",
    group="Look",
    summary="List the followed projects with their newest result.",
    usage="projects [<part of a name>]",
    example="projects front",
    phrases=("projects",),
    also=("repos", "list"),
)
ME = CommandHelp(
    name="me",
    group="Learn",
    summary="Say who I am on CircleCI and what I can see.",
    usage="me",
    example="me",
    phrases=("me",),
    also=("whoami", "who", "token"),
)


class Filter(BaseModel):
    """A part of the names to list; all of them without one."""

    model_config = ConfigDict(frozen=True)
    wanted: str = ""


def parse_filter(words: Sequence[Word], projects: Projects) -> Filter:  # noqa: ARG001  # each parser has both
    """Return the part of a name to look for."""
    if len(words) > 1:
        raise UsageError("I look for one word.", given=words[1].text)
    return Filter(wanted=words[0].text if words else "")


async def recent(request: Nothing, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with the newest jobs."""
    return lists.recent(await context.circleci.recent_builds(limit=100), context.links)


async def projects(request: Filter, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with the followed projects."""
    return lists.projects(await context.circleci.followed_projects(), request.wanted)


async def me(request: Nothing, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all handlers
    """Answer with whom the token belongs to."""
    user, organizations = await context.circleci.me(), await context.circleci.collaborations()
    return lists.me(user, organizations)


def register(router: Router) -> None:
    """Teach the router these commands."""
    router.command(RECENT, parse=parse_nothing, permission="read")(recent)
    router.command(PROJECTS, parse=parse_filter, permission="read")(projects)
    router.command(ME, parse=parse_nothing, permission="read")(me)
