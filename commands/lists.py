"""Lists over everything the token sees: what ran lately, the followed projects, who the bot is."""

from collections.abc import Sequence
from typing import TypeVar

from bot.answers.lists import FollowedProjects, ProjectResult, RecentBuilds
from bot.answers.people import TokenOwner
from bot.errors import UsageError
from bot.grammar import Word
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.classic import BuildSummary, FollowedProject
from bot.models.help import CommandHelp
from bot.requests import Nothing, Request, Typed, parse_nothing
from bot.routing import Context, Router, Tool
from bot.settings import Projects

T = TypeVar("T", BuildSummary, FollowedProject)

RECENT = CommandHelp(
    name="recent",
    group="Look",
    summary="Say what ran lately over all followed projects.",
    usage="recent",
    example="recent",
    phrases=("recent",),
    also=("latest", "lately", "builds", "history"),
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
    also=("whoami", "token"),
)


class Filter(Request):
    """A part of the names to list; all of them without one."""

    wanted: Typed = ""


def parse_filter(words: Sequence[Word], projects: Projects) -> Filter:
    """Return the part of a name to look for."""
    if len(words) > 1:
        raise UsageError("I look for one word.", given=words[1].text)
    return Filter(wanted=words[0].text if words else "")


async def recent(request: Nothing, caller: Caller, context: Context) -> RecentBuilds:
    """Answer with the newest jobs."""
    builds = await context.circleci.recent_builds(limit=100)
    return RecentBuilds(builds=await _readable(builds, caller, context))


async def projects(request: Filter, caller: Caller, context: Context) -> FollowedProjects:
    """Answer with the followed projects."""
    found = await _readable(await context.circleci.followed_projects(), caller, context)
    chosen = sorted((one for one in found if request.wanted.lower() in one.title.lower()), key=lambda one: one.title)
    listed = tuple(ProjectResult.of(one) for one in chosen)
    return FollowedProjects(wanted=request.wanted, of=len(found), projects=listed)


async def me(request: Nothing, caller: Caller, context: Context) -> TokenOwner:
    """Answer with whom the token belongs to."""
    user, organizations = await context.circleci.me(), await context.circleci.collaborations()
    return TokenOwner(user=user, organizations=organizations)


async def _readable(found: Sequence[T], caller: Caller, context: Context) -> tuple[T, ...]:
    """Return those of projects and branches that the caller may look at; what is left out is not counted either."""
    places = [(_slug(one, context.projects), _ref(one)) for one in found]
    allowed = await context.permissions.readable(caller, places, is_current=True)
    return tuple(one for one, place in zip(found, places, strict=True) if place in allowed)


def _slug(one: BuildSummary | FollowedProject, projects: Projects) -> ProjectSlug:
    # API v1.1 may leave the code host out: a rule about the slug must fit all the same.
    return one.slug if one.vcs_type else ProjectSlug(f"{projects.default_vcs}/{one.title}")


def _ref(one: BuildSummary | FollowedProject) -> Ref | None:
    """Return whose result is listed: of a project that of its default branch; a build's may have no name."""
    if isinstance(one, FollowedProject):
        return Ref(name=one.default_branch) if one.default_branch else None
    return Ref(name=one.ref, kind="tag" if one.vcs_tag else "branch")


def register(router: Router) -> None:
    """Teach the router these commands."""
    router.command(RECENT, permission="read", request=Nothing, parse=parse_nothing, handle=recent)
    router.command(PROJECTS, permission="read", request=Filter, parse=parse_filter, handle=projects, tool=Tool())
    router.command(ME, permission="read", request=Nothing, parse=parse_nothing, handle=me)
