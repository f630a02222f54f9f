"""Lock a project or a branch, so that nobody else deploys it; unlock it, ask for it, take it over."""

from collections.abc import Sequence
from contextlib import suppress

from bot import reasons
from bot.actions import AskHolder, TakeLock, Unlock
from bot.answers.acts import LockChanged
from bot.answers.locks import Locks, WhichLock
from bot.errors import CircleCIError, NotFound, UsageError
from bot.grammar import Word, check_no_question, parse_project, parse_ref
from bot.links import is_link
from bot.models.caller import Caller
from bot.models.circleci import Project, ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.likeness import are_alike, near_miss
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

    `or_branch` is what the reason begins with where it was typed so that it may be meant as a branch or a tag; then
    `or_reason` is the reason.
    """

    reason: Typed = ""
    or_branch: Typed = ""
    or_reason: Typed = ""


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
    reasons.check(words[1:], projects)
    target = project.also(Target(ref=parse_ref(Word(branch, words[0].quoted)))) if branch else project
    meant = reasons.OrRef() if target.names_more else reasons.or_ref(words[1:])
    check_no_question(words)
    return OfLock.named(target, reason=reason, or_branch=meant.name, or_reason=meant.behind)


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
    if meant := await _meant(request.or_branch, project, caller, context) if request.or_branch else None:
        names = {"project_slug": project.slug, "project_title": project.title, "ref": meant}
        return WhichLock(**names, reason=request.or_reason, words=request.reason)
    _check_is_no_folder(ref, project)
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


def _check_is_no_folder(ref: Ref | None, project: Project) -> None:
    """Raise UsageError for a folder of the default branch, as a link names it: git has no branch below another."""
    default = project.default_branch
    if ref and not ref.is_tag and ref.name.startswith(f"{default}/"):
        problem = f"{project.title} has the branch {default}, and git knows none below it. A folder is locked with all"
        raise UsageError(f"{problem} of its branch.", given=ref.name)


async def _meant(word: str, project: Project, caller: Caller, context: Context) -> Ref | None:
    """Return the branch or the tag that the beginning of a reason may be meant as: by its name, or by a slip in it."""
    typed, finder = parse_ref(Word(word)), context.finder
    lately = [ref for ref in await finder.refs_lately(project.slug, caller) if ref.is_tag or not typed.is_tag]
    known = [Ref(name=project.default_branch), *lately]
    same = [ref for ref in known if ref.name.casefold() == typed.name.casefold()]
    same.sort(key=lambda ref: ref.name != typed.name)
    if typed.is_tag or same:
        return typed if typed.is_tag else same[0]
    if await finder.may_read(caller, project.slug, typed) and await finder.has_branch(project.slug, typed.name):
        return typed
    if reasons.is_surely_a_ref(word):
        return typed if "/" in word else Ref(name=typed.name, kind="tag")
    return next((ref for ref in known if are_alike(typed.name, ref.name)), None)


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
