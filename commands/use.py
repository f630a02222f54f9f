"""Let a channel use a project, so that nobody has to name it there; say which, or end that."""

from collections.abc import Sequence

from bot.answers.channels import ChannelUses
from bot.errors import UsageError
from bot.grammar import Word, check_no_question, without_stop
from bot.models.caller import Caller
from bot.models.help import CommandHelp
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
    if [word.text.lower() for word in rest if not word.quoted] in [[one] for one in USES_NOTHING] and len(rest) == 1:
        return Use(nothing=True)
    target, left = parse_target(rest, projects)
    if left:
        raise UsageError("I expected a project, and a branch or a tag.", given=left[0].text)
    if target.slug is not None and (target.names_a_build or target.commit or target.pull_request):
        raise UsageError("This is one build, and a channel uses a project, or a branch of it.", given=words[0].text)
    return Use.named(target)


async def use(request: Use, caller: Caller, context: Context) -> ChannelUses:
    """Answer with what the channel uses, from now on where something was named."""
    if request.nothing:
        return await context.operations.use_nothing(caller)
    target = request.target(context.projects)
    if target.slug is None:
        return await _shown(caller, context)
    project = await context.finder.project(target.slug, caller)
    return await context.operations.use(caller, project, target.ref)


async def _shown(caller: Caller, context: Context) -> ChannelUses:
    """Answer with what is used; who may not see it is told that there is nothing."""
    used = await context.store.channels.used(caller.channel_id) if caller.channel_id else None
    seen = used is not None and await context.finder.may_read(caller, used.project_slug, used.ref)
    return ChannelUses(act="shown", used=used if seen else None)


def register(router: Router) -> None:
    """Teach the router this command. It asks no more than reading of who asks; what it sets, the operation asks for."""
    router.command(HELP, permission="read", request=Use, parse=parse, handle=use)
