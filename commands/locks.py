"""Lock a project or a branch, so that nobody else deploys it; unlock it, ask for it, take it over."""

from collections.abc import Sequence

from bot.actions import AskHolder, TakeLock, Unlock
from bot.answers.acts import LockChanged
from bot.answers.locks import Locks
from bot.errors import UsageError
from bot.grammar import Word, parse_project, parse_ref
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.models.lock import lock_key, named_by
from bot.models.slack import utc_now
from bot.requests import Nothing, OfTarget, Typed, parse_nothing
from bot.routing import Context, Router
from bot.settings import Projects
from bot.targets import Target

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
    """What is to be locked or unlocked, a project or a branch of it, and why."""

    reason: Typed = ""


def parse(words: Sequence[Word], projects: Projects) -> OfLock:
    """Return the request; what follows the project is the reason."""
    if not words:
        raise UsageError("Which project?")
    text = words[0].text
    name, colon, branch = (text, "", "") if text.startswith(("http:", "https:")) else text.partition(":")
    if colon and not branch:
        raise UsageError("Which branch?", given=text)
    reason = " ".join(word.text for word in words[1:])
    ref = parse_ref(Word(branch)) if branch else None
    return OfLock.named(Target(slug=parse_project(name, projects).slug, ref=ref), reason=reason)


def parse_unlock(words: Sequence[Word], projects: Projects) -> OfLock:
    """Return the request, which gives no reason."""
    request = parse(words, projects)
    if request.reason:
        raise UsageError("I expected nothing after this.", given=words[1].text)
    return request


async def lock(request: OfLock, caller: Caller, context: Context) -> LockChanged:
    """Lock it, unless somebody has."""
    slug, ref = request.about(context.projects)
    if slug is None:
        raise UsageError("Which project?")
    project = await context.finder.project(slug, caller)
    return await context.operations.lock(caller, project, ref, request.reason)


async def unlock(request: OfLock, caller: Caller, context: Context) -> LockChanged:
    """Unlock it; its holder is told if it was somebody else."""
    slug, ref = request.about(context.projects)
    if slug is None:
        raise UsageError("Which project?")
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
    return await context.operations.ask_holder(caller, button.key)


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
