"""Find the build that made a branch red: its commit, its author, the tests that turned. Nothing is started."""

from collections.abc import Sequence
from contextlib import suppress

from bot.answers.branches import WhyRed
from bot.errors import NotFound, Rejected, Unavailable
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.history import PastBuild, Turned
from bot.models.subscription import Subscription, key_of, named_in
from bot.requests import BESIDE_BRANCH, OfTarget, parse_branch
from bot.routing import Context, Router, Tool
from bot.triage.turning import passed_with, turned, turned_tests
from formatters.words import branch_words

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


async def why_red(request: OfTarget, caller: Caller, context: Context) -> WhyRed:
    """Answer with the first bad build, and whether the default branch is red too.

    Below a message about a branch by some of its builds, or workflows, alone it is about these, and the branch by all
    of them is what it is compared with.
    """
    project, branch = await context.finder.branch(request, caller)
    rule = await _of_thread(project.slug, branch, caller, context) if request == OfTarget() else None
    base = branch if rule else project.default_branch
    builds = await _walked(project.slug, branch, context, rule)
    again = await _fails_and_goes_on(project.slug, branch, _decided(builds), context, rule)
    newest = _decided(builds) or again
    if newest is None:
        raise NotFound("build that passed or failed, among the newest, on the branch", branch, looked_in=project.title)
    if branch != base and not await context.finder.may_read(caller, project.slug, Ref(name=base)):
        base = branch  # it is compared with nothing
    base_builds = await _walked(project.slug, base, context) if rule or branch != base else ()
    found = turned(builds)
    answer = WhyRed(
        title=project.title,
        branch=branch_words(key_of(branch, rule.scope)) if rule else branch,
        base=base,
        builds=len(builds),
        newest=newest,
        turned=found,
        base_turned=turned(base_builds),
        base_is_known=(branch == base and not rule) or _decided(base_builds) is not None,
        again=again,
        newer_number=await _newer(project.slug, branch, again or newest, context) if not rule else 0,
        passed_before=passed_with(found.first, builds) if found else 0,
    )
    return await _with_tests(project.slug, answer, found, context) if found else answer


async def _of_thread(slug: ProjectSlug, branch: str, caller: Caller, context: Context) -> Subscription | None:
    """Return a rule that is about the same as the message of a thread, where that is not about all of a branch."""
    told = await context.finder.told_in(caller.place)
    if told is None or named_in(told.branch) in (told.branch, "") or named_in(told.branch) != branch:
        return None
    rules = await context.store.subscriptions.of_project(slug)
    return next((one for one in rules if one.channel_id == caller.channel_id and one.hears(told.branch)), None)


def _decided(builds: Sequence[PastBuild]) -> PastBuild | None:
    """Return the newest build that passed or failed."""
    return next((build for build in builds if build.is_green or build.is_red), None)


async def _fails_and_goes_on(
    slug: ProjectSlug, branch: str, decided: PastBuild | None, context: Context, rule: Subscription | None
) -> PastBuild | None:
    """Return a newer build that is red as far as it has ended, such as one that runs again; nothing is read twice."""
    for pipeline in await context.circleci.pipelines(slug, branch):
        if decided is not None and pipeline.number <= decided.pipeline.number:
            break
        with suppress(Rejected, Unavailable):
            attempts = await context.circleci.attempts(pipeline.id)
            ended = [run for run in attempts if run.workflow.is_finished and not run.workflow.is_setup]
            build = _part(PastBuild(pipeline=pipeline, runs=tuple(ended)), rule)
            if build and len(ended) < len(attempts) and build.is_red:
                return build
    return None


async def _newer(slug: ProjectSlug, branch: str, told: PastBuild, context: Context) -> int:
    """Return the number of the branch's newest build, if that is newer than what is told; it has decided nothing."""
    newest = max((pipeline.number for pipeline in await context.circleci.pipelines(slug, branch)), default=0)
    return newest if newest > told.pipeline.number else 0


async def _with_tests(slug: ProjectSlug, answer: WhyRed, found: Turned, context: Context) -> WhyRed:
    """Return the answer with the tests that turned in the first bad build."""
    ends = [build for build in (found.first, found.newest, found.green) if build is not None]
    tested = await context.history.tests(slug, ends)
    still, gone = turned_tests(found, tested.results)
    return answer.model_copy(update={"still_failing": still, "failing_no_more": gone})


async def _walked(
    slug: ProjectSlug, branch: str, context: Context, rule: Subscription | None = None
) -> tuple[PastBuild, ...]:
    """Return a branch's newest builds, back to a green one as far as the strides go; of a rule, what counts for it."""
    found: tuple[PastBuild, ...] = ()
    for stride in STRIDES:
        builds = await context.history.builds(slug, branch, stride)
        found = tuple(part for one in builds if (part := _part(one, rule)))
        if len(builds) < stride or any(build.is_green for build in found):
            break
    return found


def _part(build: PastBuild, rule: Subscription | None) -> PastBuild | None:
    return rule.part_of(build) if rule else build


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(
        HELP, permission="read", request=OfTarget, parse=parse_branch, handle=why_red, tool=Tool(without=BESIDE_BRANCH)
    )
