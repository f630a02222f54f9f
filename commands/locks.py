"""Lock a project or a branch, so that nobody else deploys it; unlock it, ask for it, take it over."""

from collections.abc import Sequence
from contextlib import suppress

from bot.actions import AskHolder, TakeLock, Unlock
from bot.answers.acts import LockChanged
from bot.answers.locks import Locks, WhichLock
from bot.errors import CircleCIError, NotFound, UsageError
from bot.grammar import NAMES_OF_REFS, STOPS, Word, check_no_question, is_parameter, parse_project, parse_ref
from bot.links import is_link
from bot.models import git
from bot.models.caller import Caller
from bot.models.circleci import Project, ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.likeness import near_miss
from bot.models.lock import lock_key, named_by
from bot.models.slack import utc_now
from bot.models.target import Target
from bot.requests import Nothing, OfTarget, Typed, parse_nothing
from bot.routing import Context, Router
from bot.settings import Projects

LOCK = CommandHelp(
    name="lock",
    group="Ship",
    summary="Keep others from deploying a project or a branch, and say why.",
    usage="lock <project>[:<branch>] <reason>",
    example="lock acme/frontend:main database migration until 17:00",
    phrases=("lock acme/frontend", "lock acme/frontend:tag:v2.0 broken release"),
    also=("freeze", "block", "hold-off"),
)
UNLOCK = CommandHelp(
    name="unlock",
    group="Ship",
    summary="Let others deploy it again.",
    usage="unlock <project>[:<branch>]",
    example="unlock acme/frontend:main",
    phrases=("unlock acme/frontend",),
    also=("unfreeze", "unblock"),
)
LOCKS = CommandHelp(
    name="locks",
    group="Look",
    summary="Say what is locked, by whom, since when and why.",
    usage="locks",
    example="locks",
)


class OfLock(OfTarget):
    """What is to be locked or unlocked, a project or a branch of it, and why.

    `or_branch` is the first word of the reason where it was typed so that it may be meant as a branch or a tag.
    """

    reason: Typed = ""
    or_branch: Typed = ""


def parse(words: Sequence[Word], projects: Projects) -> OfLock:
    """Return the request; what follows the project is the reason, unless the handler finds a branch in it."""
    if not words:
        raise UsageError("Which project?")
    text = words[0].text
    name, colon, branch = (text, "", "") if is_link(text) else text.partition(":")
    if colon and not branch:
        raise UsageError("Which branch?", given=text)
    reason = " ".join(word.text for word in words[1:])
    project = parse_project(name, projects)
    if project.names_a_build or project.commit:
        raise UsageError("This leads to one build, and a lock is on a branch or a project.", given=text)
    if words[1:] and _is_build(words[1]):
        problem = "This is one build, and a lock is on a branch or a project. As a reason it goes in quotes."
        raise UsageError(problem, given=words[1].text)
    _check_no_parameter(words[1:])
    target = project.also(Target(ref=parse_ref(Word(branch, words[0].quoted)))) if branch else project
    or_branch = _or_branch(words[1]) if not target.names_more and words[1:] else ""
    check_no_question(words)
    return OfLock.named(target, reason=reason, or_branch=or_branch)


def _is_build(word: Word) -> bool:
    """Say whether a word names one build, by its number or its commit; one in quotes is the reason."""
    return not word.quoted and (git.is_commit(word.text) or (word.text[:1] == "#" and word.text[1:].isdecimal()))


def _check_no_parameter(reason: Sequence[Word]) -> None:
    """Raise UsageError for a reason that begins with the name of a branch or a tag, written as parameters are."""
    name = reason[0].text.partition("=")[0].lower() if reason and is_parameter(reason[0]) else ""
    if name in NAMES_OF_REFS:
        what, _ = NAMES_OF_REFS[name]
        problem = f"This may be {what}, or the reason. What is to be locked comes after the project and a colon."
        raise UsageError(f"{problem} As a reason it goes in quotes.", given=reason[0].text)


def _or_branch(word: Word) -> str:
    """Return the branch or the tag that a word may be meant as, without what ends a clause; quotes make it a reason."""
    text = word.text.rstrip(STOPS)
    try:
        return text if not word.quoted and parse_ref(Word(text)) else ""
    except UsageError:
        return ""


def parse_unlock(words: Sequence[Word], projects: Projects) -> OfLock:
    """Return the request, which gives no reason: what follows the project is its branch or tag."""
    request = parse(words, projects)
    behind = words[1:]
    target = request.target(projects)
    if behind and not target.names_more:
        request, behind = OfLock.named(target.also(Target(ref=parse_ref(behind[0])))), behind[1:]
    if behind:
        raise UsageError("I expected nothing after this.", given=behind[0].text)
    check_no_question(words)
    return request


async def lock(request: OfLock, caller: Caller, context: Context) -> LockChanged | WhichLock:
    """Lock it, unless somebody has; where a branch may be meant or the whole project, it is asked which."""
    slug, ref = await _what(request, caller, context)
    project = await context.finder.project(slug, caller)
    if request.or_branch and await _may_be_meant(request.or_branch, project, caller, context):
        meant, rest = (
            parse_ref(Word(request.or_branch)),
            request.reason.removeprefix(request.or_branch).lstrip(f"{STOPS} "),
        )
        return WhichLock(
            project_slug=project.slug, project_title=project.title, ref=meant, reason=rest, words=request.reason
        )
    unbuilt = await _unbuilt(project, ref, caller, context) if ref else {}
    changed = await context.operations.lock(caller, project, ref, request.reason)
    return changed.model_copy(update=unbuilt)


async def _what(request: OfLock, caller: Caller, context: Context) -> tuple[ProjectSlug, Ref | None]:
    """Return the project, and what of it is to be locked or unlocked: a branch or a tag, or all of it."""
    target = await context.finder.named(request, caller)
    if target.slug is None:
        raise UsageError("Which project?")
    if target.names_a_build or target.commit:
        raise UsageError("This is one build, and a lock is on a branch or a project.", given=request.typed)
    return target.slug, target.ref


async def _may_be_meant(word: str, project: Project, caller: Caller, context: Context) -> bool:
    """Say whether the first word of a reason may be the branch or the tag to be locked."""
    if "/" in word or word.startswith("tag:"):
        return True
    branches = [project.default_branch, *await context.finder.built_lately(project.slug, caller)]
    return word.casefold() in [one.casefold() for one in branches]


async def _unbuilt(project: Project, ref: Ref, caller: Caller, context: Context) -> dict[str, object]:
    """Return what to say of a branch that CircleCI never built; it is locked all the same, whatever CircleCI says."""
    finder = context.finder
    if ref.is_tag or ref.name == project.default_branch or not await finder.may_read(caller, project.slug, ref):
        return {}
    with suppress(CircleCIError, NotFound):
        if not await finder.has_branch(project.slug, ref.name):
            near = near_miss(ref.name, await finder.built_lately(project.slug, caller))
            return {"unbuilt": True, "near": near}
    return {}


async def unlock(request: OfLock, caller: Caller, context: Context) -> LockChanged:
    """Unlock it; its holder is told if it was somebody else."""
    slug, ref = await _what(request, caller, context)
    project = await context.finder.project(slug, caller)
    return await context.operations.unlock(caller, lock_key(project.slug, ref))


async def unlock_it(button: Unlock, caller: Caller, context: Context) -> LockChanged:
    """Remove the lock that the button is about, and no other."""
    return await context.operations.unlock_seen(caller, button)


async def take(button: TakeLock, caller: Caller, context: Context) -> LockChanged:
    """Move the lock to who pressed; the one who held it is told."""
    taken = await context.operations.take_lock(caller, button)
    return taken.model_copy(update={"again": button.again})


async def ask_holder(button: AskHolder, caller: Caller, context: Context) -> LockChanged:
    """Tell the holder that somebody waits; once for each who presses."""
    return await context.operations.ask_holder(caller, button)


async def list_locks(request: Nothing, caller: Caller, context: Context) -> Locks:
    """Answer with every lock on what the caller may look at."""
    found, unread = await context.store.locks.all()
    places = [*((one.project_slug, one.ref) for one in found), *map(named_by, unread)]
    readable = await context.permissions.readable(caller, places)
    return Locks(
        locks=tuple(one for one in found if (one.project_slug, one.ref) in readable),
        unread=tuple(key for key in unread if named_by(key) in readable),
        read_at=utc_now(),
    )


def register(router: Router) -> None:
    """Teach the router these commands and their buttons."""
    router.command(LOCK, permission="deploy", request=OfLock, parse=parse, handle=lock)
    router.command(UNLOCK, permission="deploy", request=OfLock, parse=parse_unlock, handle=unlock)
    router.command(LOCKS, permission="read", request=Nothing, parse=parse_nothing, handle=list_locks)
    router.action(Unlock, permission="deploy", handle=unlock_it)
    router.action(TakeLock, permission="deploy", handle=take)
    router.action(AskHolder, permission="deploy", handle=ask_holder)
