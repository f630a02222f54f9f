"""Find the build that made a branch red: its commit, its author, the tests that turned. Nothing is started."""

from bot.errors import NotFound
from bot.models.circleci import ProjectSlug
from bot.models.history import PastBuild
from bot.models.slack import Invocation
from bot.requests import OfTarget, parse_branch
from bot.routing import Context, Router
from bot.triage.turning import turned, turned_tests
from formatters import turning
from formatters.blocks import Message
from formatters.help import CommandHelp

HELP = CommandHelp(
    name="why-red",
    group="Look",
    summary="Find the first bad build of a red branch, its commit and author, and the tests that turned.",
    usage="why-red <project> [<branch>]",
    example="why-red acme/backend main",
    phrases=("why-red acme/frontend",),
    also=("whyred", "blame", "bisect", "culprit"),
)
STRIDES = (10, 20, 50)  # so many builds are walked back, further only where all of them are red


async def why_red(request: OfTarget, invocation: Invocation, context: Context) -> Message:
    """Answer with the first bad build, and whether the default branch is red too."""
    project, branch = await context.finder.branch(request.target, invocation)
    base = project.default_branch
    builds = await _walked(project.slug, branch, context)
    if not builds:
        raise NotFound("finished build on the branch", branch, looked_in=project.title)
    base_builds = () if branch == base else await _walked(project.slug, base, context)
    asked = turning.Asked(project.title, branch, base, len(builds))
    found, base_found = turned(builds), turned(base_builds)
    if found is None:
        return turning.not_red(asked, builds, base_found, context.links)
    ends = [build for build in (found.first, found.newest, found.green) if build is not None]
    tested = await context.history.tests(project.slug, ends)
    still, gone = turned_tests(found, tested.results)
    return turning.why_red(asked, found, still, gone, base_found, context.links)


async def _walked(slug: ProjectSlug, branch: str, context: Context) -> tuple[PastBuild, ...]:
    """Return a branch's newest builds, back to a green one as far as the strides go."""
    builds: tuple[PastBuild, ...] = ()
    for stride in STRIDES:
        builds = await context.history.builds(slug, branch, stride)
        if len(builds) < stride or any(build.is_green for build in builds):
            break
    return builds


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(HELP, parse=parse_branch, permission="read")(why_red)
