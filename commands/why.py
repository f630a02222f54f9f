"""Say which rule decides whether somebody may do something, and who could."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from bot.answers.people import PolicyDecision
from bot.errors import UsageError
from bot.finding import branch_of
from bot.grammar import Word, without_stop
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.policy import Word as Permission
from bot.requests import OfTarget, Typed
from bot.routing import Context, Router, Tool
from bot.settings import Projects
from bot.targets import parse_target

HELP = CommandHelp(
    name="may",
    group="Look",
    summary="Say whether you may do something here, which rule decides, and who could.",
    usage="may <command> [<project> [<branch> | tag:<tag>]]",
    example="may deploy acme/frontend main",
    phrases=("may secrets acme/frontend", "may deploy acme/frontend tag:v2.0"),
    also=("why", "policy", "permissions", "allowed"),
)
STOPPED_BY_LOCKS = (Permission.DEPLOY, Permission.RERUN, Permission.APPROVE)
TO_LOCK = ("lock", "unlock")  # of a whole project too, and at once
OF_A_BRANCH = (Permission.DEPLOY, Permission.RERUN, Permission.CANCEL, Permission.APPROVE)


class Why(OfTarget):
    """What is asked about: the word of a command, or a permission's own; and on what."""

    word: Annotated[Typed, AfterValidator(str.lower)]


def parse(words: Sequence[Word], projects: Projects) -> Why:
    """Return the request."""
    if not words:
        raise UsageError("What do you want to do?")
    about, left = parse_target(without_stop(words[1:], "?."), projects)
    if left:
        raise UsageError("I expected a project, and a branch or a tag.", given=left[0].text)
    return Why.named(about, word=words[0].text)


async def explain(request: Why, caller: Caller, context: Context) -> PolicyDecision:
    """Answer with the rule that decides."""
    known = None if request.word in list(Permission) else context.router.named(request.word)
    command = context.router.commands.get(request.word) or known
    word = command.permission if command else request.word
    if word not in list(Permission):
        raise UsageError("I know no such command.", given=request.word)
    to_lock = request.word in TO_LOCK
    slug, ref = await _about(request, "" if to_lock else word, caller, context)
    asked = await context.permissions.asked(caller, word, slug, ref)
    asked = asked._replace(certain=bool(asked.projects))
    decision = await context.permissions.decision(caller, asked)
    about = " ".join(str(part) for part in (asked.projects[1] if asked.projects else "", asked.ref or "") if part)
    could = await context.permissions.could(asked)
    held = await context.finder.locks_on(slug, ref) if slug and word in STOPPED_BY_LOCKS else []
    locks = tuple(lock for lock in held if lock.holder_id != caller.person_id)
    told = decision._replace(rule=await context.permissions.reason(decision, asked))
    if to_lock:  # which takes a deploy's right, and meets none of its demands
        told = told._replace(second_person=False, typed=False, green=False)
    return PolicyDecision(
        word=word,
        about=about,
        could=could,
        elsewhere=await context.permissions.could_elsewhere(asked),
        locks=locks,
        to_lock=to_lock,
        unbuilt=await _is_unbuilt(slug, request.about(context.projects)[1], caller, context),
        **told._asdict(),
    )


async def _about(request: Why, word: str, caller: Caller, context: Context) -> tuple[ProjectSlug | None, Ref | None]:
    """Return the project by CircleCI's own name, and the branch that would be meant: the default one is one too."""
    target = await context.finder.named(request, caller)
    slug, ref = target.slug, target.ref
    if request.project and (target.names_a_build or target.commit):
        pipeline = await context.finder.pipeline(request, caller)
        slug, ref = pipeline.project_slug, branch_of(pipeline)
    if slug is None:
        return None, ref
    project = await context.finder.project(slug, caller)
    if ref is None and word in OF_A_BRANCH:
        ref = Ref(name=project.default_branch)
    return project.slug, ref


async def _is_unbuilt(slug: ProjectSlug | None, ref: Ref | None, caller: Caller, context: Context) -> bool:
    """Say whether CircleCI never built the branch that was named; who may not look at it is not told."""
    if slug is None or ref is None or ref.is_tag or ref.pull_request:
        return False
    readable = await context.finder.may_read(caller, slug, ref)
    return readable and not await context.finder.has_branch(slug, ref.name)


def register(router: Router) -> None:
    """Teach the router this command."""
    router.command(
        HELP,
        permission="read",
        request=Why,
        parse=parse,
        handle=explain,
        tool=Tool(without=("pipeline", "job", "commit"), needs_project=False),
    )
