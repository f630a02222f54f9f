"""Find the build that made a branch red: its commit, its author, the tests that turned. Nothing is started."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from bot.errors import NotFound, UsageError
from bot.grammar import Word
from bot.models.circleci import ProjectSlug, Ref
from bot.models.history import PastBuild
from bot.models.slack import Invocation
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import parse_target
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


class WhyRed(BaseModel):
    """Which branch; the default one without `ref`."""

    model_config = ConfigDict(frozen=True)
    slug: ProjectSlug
    ref: Ref | None = None


def parse(words: Sequence[Word], projects: Projects) -> WhyRed:
    """Return the request."""
    target, rest = parse_target(words, projects)
    if target.slug is None:
        raise UsageError("Which project?")
    if rest or target.pipeline_number or target.job_number or (target.ref and target.ref.is_tag):
        raise UsageError("I expected a branch.", given=rest[0].text if rest else str(target.ref or "a number"))
    return WhyRed(slug=target.slug, ref=target.ref)


async def why_red(request: WhyRed, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001
    """Answer with the first bad build, and whether the default branch is red too."""
    project = await context.finder.project(request.slug)
    base = project.vcs_info.default_branch or "main"
    branch = request.ref.name if request.ref else base
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
    router.command(HELP, parse=parse, permission="read")(why_red)
