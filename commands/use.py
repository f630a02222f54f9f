"""Let a channel use a project, so that nobody has to name it there; say which, or end that."""

from collections.abc import Sequence

from bot.answers.channels import ChannelUses
from bot.errors import Unbuilt, UsageError
from bot.grammar import Word, check_no_question, without_stop
from bot.models.caller import Caller
from bot.models.circleci import Project, Ref
from bot.models.help import CommandHelp
from bot.models.spelling import as_typed
from bot.naming import USE, USES_NOTHING
from bot.requests import OfTarget
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import parse_target

HELP = CommandHelp(
    name=USE,
    group="Ship",
    summary="Let this channel use a project, so that nobody has to name it here; say which it uses, or end that.",
    usage="use [<project> [<branch> | tag:<tag>] | nothing]",
    example="use acme/frontend main",
    phrases=("use", "use acme/frontend", "use nothing"),
    also=("default", "defaults"),
)


class Use(OfTarget):
    """Which project and which branch of it; none to be told, and `nothing` to end it."""

    nothing: bool = False


def parse(words: Sequence[Word], projects: Projects) -> Use:
    """Return the request."""
    check_no_question(words)
    rest = without_stop(words)
    if len(rest) == 1 and not rest[0].quoted and rest[0].text.lower() in USES_NOTHING:
        return Use(nothing=True)
    target, left = parse_target(rest, projects)
    if left:
        raise UsageError("I expected a project, and a branch or a tag.", given=left[0].text)
    if target.slug is not None and (target.names_a_build or target.commit or target.pull_request):
        raise UsageError("This is one build, and a channel uses a project, or a branch of it.", given=rest[-1].text)
    return Use.named(target)


async def use(request: Use, caller: Caller, context: Context) -> ChannelUses:
    """Answer with what the channel uses, from now on where something was named.

    Raises Unbuilt for a branch that was never built: all who leave it out would mean it, and it may be no branch.
    """
    if request.nothing:
        return await context.operations.use_nothing(caller)
    target = request.target(context.projects)
    if target.slug is None:
        return await _shown(caller, context)
    project = await context.finder.project(target.slug, caller)
    if target.ref not in (None, Ref(name=project.default_branch)) and not caller.unbuilt:
        await _check_built(project, target.ref, caller, context)
    return await context.operations.use(caller, project, target.ref)


async def _check_built(project: Project, ref: Ref, caller: Caller, context: Context) -> None:
    await context.permissions.check(caller, "deploy", project.slug, ref, certain=False)  # who may not is not asked
    alike = await context.finder.unless_built(project.slug, ref, caller)
    if alike is not None:
        again = f"{USE} {project.slug} {as_typed(ref.name)}"
        raise Unbuilt(ref.name, looked_in=project.title, alike=alike, again=again, directly=False)


async def _shown(caller: Caller, context: Context) -> ChannelUses:
    """Answer with what is used; who may not see it is told that there is nothing."""
    used = await context.store.channels.used(caller.channel_id) if caller.channel_id else None
    seen = used is not None and await context.finder.may_read(caller, used.project_slug, used.ref)
    return ChannelUses(act="shown", used=used if seen else None)


def register(router: Router) -> None:
    """Teach the router this command. It asks no more than reading of who asks; what it sets, the operation asks for."""
    router.command(HELP, permission="read", request=Use, parse=parse, handle=use)
