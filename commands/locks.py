"""Lock a project or a branch, so that nobody else deploys it; unlock it, ask for it, take it over."""

from collections.abc import Sequence

import structlog
from pydantic import BaseModel, ConfigDict

from bot.actions import AskHolder, TakeLock, Unlock
from bot.errors import SlackError, UsageError
from bot.grammar import Word, parse_project, parse_ref
from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock, lock_key
from bot.models.slack import Click, Invocation, utc_now
from bot.requests import Nothing, parse_nothing
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import locks as words_for
from formatters.blocks import Message
from formatters.help import CommandHelp

log = structlog.get_logger(__name__)

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


class OfLock(BaseModel):
    """What is to be locked or unlocked, and why."""

    model_config = ConfigDict(frozen=True)
    slug: ProjectSlug
    ref: Ref | None = None
    reason: str = ""


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
    return OfLock(slug=parse_project(name, projects).slug, ref=ref, reason=reason)


def parse_unlock(words: Sequence[Word], projects: Projects) -> OfLock:
    """Return the request, which gives no reason."""
    request = parse(words, projects)
    if request.reason:
        raise UsageError("I expected nothing after this.", given=words[1].text)
    return request


async def lock(request: OfLock, invocation: Invocation, context: Context) -> Message:
    """Lock it, unless somebody has."""
    project = await context.finder.project(request.slug)
    wanted = Lock(
        project_slug=project.slug,
        project_title=project.title,
        ref=request.ref,
        holder_id=invocation.user_id,
        reason=request.reason,
        since=utc_now(),
    )
    held = await context.store.locks.lock(wanted)
    if held.holder_id == invocation.user_id:
        return words_for.locked(held)
    return words_for.held_already(held, utc_now() - held.since)


async def unlock(request: OfLock, invocation: Invocation, context: Context) -> Message:
    """Unlock it; its holder is told if it was somebody else."""
    project = await context.finder.project(request.slug)
    return await _unlock(lock_key(project.slug, request.ref), invocation, context)


async def unlock_it(button: Unlock, click: Click, context: Context) -> Message:
    """Unlock what the button names."""
    held = await context.store.locks.get(button.key)
    if held is not None:
        await context.permissions.check(click, "deploy", held.project_slug, held.ref)
    return await _unlock(button.key, click, context)


async def _unlock(key: str, said: Invocation | Click, context: Context) -> Message:
    held = await context.store.locks.get(key)
    if held is None:
        return words_for.not_locked(key)
    if not await context.store.locks.unlock(held):
        return words_for.changed_hands(held.target)
    if held.holder_id != said.user_id:
        await _tell(held.holder_id, words_for.was_removed(held, said.user_id), context)
    return words_for.unlocked(held.target)


async def take(button: TakeLock, click: Click, context: Context) -> Message:
    """Move the lock to who pressed; the one who held it is told."""
    held = await context.store.locks.get(button.key)
    if held is None:
        return words_for.not_locked(button.key)
    await context.permissions.check(click, "deploy", held.project_slug, held.ref)
    mine = held.model_copy(update={"holder_id": click.user_id, "since": utc_now()})
    if held.holder_id == click.user_id:
        return words_for.taken(held)
    if held.holder_id != button.holder_id or not await context.store.locks.take(held, mine):
        return words_for.changed_hands(held.target)
    await _tell(held.holder_id, words_for.was_taken(held, click.user_id), context)
    return words_for.taken(mine)


async def ask_holder(button: AskHolder, click: Click, context: Context) -> Message:
    """Tell the holder that somebody waits; once for each who presses."""
    held = await context.store.locks.get(button.key)
    if held is None:
        return words_for.not_locked(button.key)
    if await context.store.claims.first(f"asked-for:{button.key}:{held.since.isoformat()}:{click.user_id}"):
        await _tell(held.holder_id, words_for.asked_for(held, click.user_id), context)
    return words_for.holder_asked(held)


async def list_locks(request: Nothing, invocation: Invocation, context: Context) -> Message:  # noqa: ARG001  # as all
    """Answer with every lock."""
    found = await context.store.locks.all()
    return words_for.all_locks(found, [utc_now() - one.since for one in found])


async def _tell(user_id: str, message: Message, context: Context) -> None:
    try:
        await context.messenger.direct(user_id, message)
    except SlackError as error:
        log.warning("holder_not_told", user=user_id, code=error.code)


def register(router: Router) -> None:
    """Teach the router these commands and their buttons."""
    router.command(LOCK, parse=parse, permission="deploy")(lock)
    router.command(UNLOCK, parse=parse_unlock, permission="deploy")(unlock)
    router.command(LOCKS, parse=parse_nothing, permission="read")(list_locks)
    router.action(Unlock, permission="deploy")(unlock_it)
    router.action(TakeLock, permission="deploy")(take)
    router.action(AskHolder, permission="deploy")(ask_holder)
