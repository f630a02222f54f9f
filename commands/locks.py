"""Lock a project or a branch, so that nobody else deploys it; unlock it, ask for it, take it over."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from bot import ends, reasons
from bot.actions import AskHolder, TakeLock, TellWhenFree, Unlock
from bot.answers.acts import LockChanged
from bot.answers.locks import Locks, WhichLock, WillTell
from bot.errors import CircleCIError, NotFound, RateLimited, Unavailable, UsageError
from bot.grammar import Word, check_no_question, parse_project, parse_ref, parse_slug, without_stop
from bot.intents.times import tells_of_an_end
from bot.links import is_link
from bot.models.caller import Caller
from bot.models.circleci import Project, ProjectSlug, Ref
from bot.models.help import CommandHelp
from bot.models.lengths import tells_of_time
from bot.models.likeness import may_be_slip, near_miss
from bot.models.lock import lock_key, named_by
from bot.models.slack import utc_now
from bot.models.target import Target
from bot.naming import ALL
from bot.permissions import SOON_SECONDS
from bot.refs import TAG
from bot.requests import OfTarget, Request, Typed
from bot.routing import Context, Router, Tool
from bot.settings import Projects

LOCK = CommandHelp(
    name="lock",
    group="Ship",
    summary="Keep others from deploying a project or a branch, say why and until when.",
    usage="lock <project> [<branch>] [<reason>] [until <time>]",
    example="lock acme/frontend main database migration until 17:00",
    phrases=("lock acme/frontend", "lock acme/frontend tag:v2.0 2h broken release", "lock acme/frontend for 90m"),
    also=("freeze", "block", "hold-off"),
)
UNLOCK = CommandHelp(
    name="unlock",
    group="Ship",
    summary="Let others deploy it again.",
    usage="unlock <project> [<branch>]",
    example="unlock acme/frontend main",
    phrases=("unlock acme/frontend",),
    also=("unfreeze", "unblock"),
)
LOCKS = CommandHelp(
    name="locks",
    group="Look",
    summary="Say what is locked, by whom, since when, until when and why.",
    usage="locks [<project> | all]",
    example="locks",
    phrases=("locks acme/frontend", "locks all"),
)


class OfLock(OfTarget):
    """What is to be locked or unlocked, a project or a branch of it, and why.

    `or_branch` is what the reason begins with where it was typed so that it may be meant as a branch or a tag; then
    `or_reason` is the reason. Where it stands `in_place` of one, it is one if there is such. `until` is when it is to
    end, as people say it: `until 17:00`, `for 2h`.
    """

    reason: Typed = ""
    or_branch: Typed = ""
    or_reason: Typed = ""
    in_place: bool = False
    until: Typed = ""


class OfLocks(Request):
    """The locks of which project, of all without one."""

    project: Typed = ""

    def about(self, projects: Projects) -> tuple[ProjectSlug | None, Ref | None]:
        """Return the project, where one is named."""
        return (parse_slug(self.project, projects) if self.project else None), None


def parse(words: Sequence[Word], projects: Projects) -> OfLock:
    """Return the request; what follows the project is the reason, unless the handler finds a branch in it."""
    target = _target(words, projects)
    check_no_question(words)
    until, reason = ends.find(words[1:], behind_a_branch=not target.names_more)
    if not until and ends.is_a_day(reason, behind_a_branch=not target.names_more):
        raise UsageError(f"{ends.AT_ONCE} {ends.HOW}.{ends.OF_A_REASON}", given=" ".join(word.text for word in reason))
    reasons.check(reason, projects)
    meant = reasons.OrRef() if target.names_more else reasons.or_ref(reason)
    if meant.is_first and meant.name.startswith(TAG):
        target, reason, meant = target.also(Target(ref=parse_ref(Word(meant.name)))), reason[1:], reasons.OrRef()
    more = {"or_branch": meant.name, "or_reason": meant.behind, "in_place": meant.is_first, "until": until}
    return OfLock.named(target, reason=" ".join(word.text for word in reason), **more)


def _target(words: Sequence[Word], projects: Projects) -> Target:
    """Return what the first word names: a project, or with a colon or by a link a branch or a tag of it."""
    if not words:
        raise UsageError("Which project?")
    text = words[0].text
    name, colon, branch = (text, "", "") if is_link(text) else text.partition(":")
    if colon and not branch:
        raise UsageError("Which branch?", given=text)
    project = parse_project(name, projects)
    if project.names_a_build or project.commit:
        raise UsageError("This leads to one build, and a lock is on a branch or a project.", given=text)
    return project.also(Target(ref=parse_ref(Word(branch, words[0].quoted)))) if branch else project


def parse_unlock(words: Sequence[Word], projects: Projects) -> OfLock:
    """Return the request, which gives no reason: what follows the project is its branch or tag."""
    target, behind = _target(words, projects), words[1:]
    reasons.check(behind, projects)
    check_no_question(words)
    if behind and not target.names_more:
        target, behind = target.also(Target(ref=parse_ref(behind[0]))), behind[1:]
    if behind:
        raise UsageError("I expected nothing after this.", given=behind[0].text)
    return OfLock.named(target)


async def lock(request: OfLock, caller: Caller, context: Context) -> LockChanged | WhichLock:
    """Lock it, unless somebody has; where a branch may be meant or the whole project, it is asked which."""
    slug, ref = await _what(request, caller, context)
    end, reason = await _end(request.until, caller, context), request.reason
    project = await context.finder.project_or_named(slug, caller, soon=not request.or_branch)
    if meant := await _asked_for(request, project, caller, context) if request.or_branch else None:
        if not (request.in_place and meant.is_known):
            names = {"project_slug": project.slug, "project_title": project.title, "ref": meant.ref}
            return WhichLock(**names, reason=request.or_reason, words=request.reason, until=request.until)
        ref, reason = meant.ref, request.or_reason
    if project.id:
        _check_is_no_folder(ref, project)
    unbuilt = await _unbuilt(project, ref, caller, context) if ref and project.id else {}
    changed = await context.operations.lock(caller, project, ref, reason, end.at if end else None)
    notes = end.notes if end else (ends.NOT_GIVEN,) if _tells_of_an_end(reason) else ()
    return changed.model_copy(update={**unbuilt, "as_spelled": not project.id, "notes": notes})


def _tells_of_an_end(reason: str) -> bool:
    return tells_of_time(reason) or tells_of_an_end(reason)  # in English, or in the languages of sentences


async def _end(until: str, caller: Caller, context: Context) -> ends.End | None:
    """Return when it is to end, in the zone of who says it, as Slack knows it, on the clock that all hosts share."""
    if not until:
        return None
    zone = await context.messenger.zone_of(caller.person_id) if ends.asks_for_a_zone(until) else ""
    return ends.read(until, await context.store.now(), zone)


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


class _Meant(NamedTuple):
    """A branch or a tag; it `is_known` where CircleCI knows one of that very name."""

    ref: Ref
    is_known: bool = False


async def _asked_for(request: OfLock, project: Project, caller: Caller, context: Context) -> _Meant | None:
    """Return what may be meant, as below; raises UsageError with what needs no answer where CircleCI gives none."""
    with suppress(RateLimited, Unavailable):
        if project.id:
            return await _meant(request, project, caller, context)
    problem = "CircleCI does not answer, so I cannot tell whether this is a branch, and nothing is locked. Without it"
    branch, whole = f"lock {project.title}:<branch>", f"lock {project.title}"
    raise UsageError(
        f"{problem} I take `{branch}`, and for all of it `{whole}` with the reason in quotes.", given=request.or_branch
    )


async def _meant(request: OfLock, project: Project, caller: Caller, context: Context) -> _Meant | None:
    """Return the branch or the tag that the beginning of a reason may be meant as: by its name, or by a slip in it."""
    word, finder = request.or_branch, context.finder
    typed = parse_ref(Word(word))
    lately = [ref for ref in await finder.refs_lately(project.slug, caller) if ref.is_tag or not typed.is_tag]
    known = [Ref(name=project.default_branch), *lately]
    same = [ref for ref in known if ref.name.casefold() == typed.name.casefold()]
    same.sort(key=lambda ref: ref.name != typed.name)
    if typed.is_tag or same:
        return _Meant(typed) if typed.is_tag else _Meant(same[0], is_known=same[0] == typed)
    if await finder.may_read(caller, project.slug, typed) and await finder.has_branch(project.slug, typed.name):
        return _Meant(typed, is_known=True)
    if reasons.is_surely_a_ref(word):
        return _Meant(typed if "/" in word else Ref(name=typed.name, kind="tag"))
    if slipped := next((ref for ref in known if may_be_slip(typed.name, ref.name)), None):
        return _Meant(slipped)
    is_worth_asking = reasons.may_be_a_ref(word, request.or_reason, is_first=request.in_place)
    return _Meant(typed) if is_worth_asking else None


async def _unbuilt(project: Project, ref: Ref, caller: Caller, context: Context) -> dict[str, object]:
    """Return what to say of a branch that CircleCI never built; it is locked all the same, whatever CircleCI says.

    Nobody waits for that to hold a lock.
    """
    finder = context.finder
    if ref.is_tag or ref.name == project.default_branch or not await finder.may_read(caller, project.slug, ref):
        return {}
    with suppress(CircleCIError, NotFound, TimeoutError):
        async with asyncio.timeout(SOON_SECONDS):
            if not await finder.has_branch(project.slug, ref.name):
                near = near_miss(ref.name, await finder.built_lately(project.slug, caller))
                return {"unbuilt": True, "near": near}
    return {}


async def unlock(request: OfLock, caller: Caller, context: Context) -> LockChanged:
    """Unlock it; its holder is told if it was somebody else."""
    slug, ref = await _what(request, caller, context)
    project = await context.finder.project_or_named(slug, caller, soon=True)
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


async def tell_when_free(button: TellWhenFree, caller: Caller, context: Context) -> WillTell:
    """Tell who was stopped by a lock when it is over; once for each who presses."""
    return await context.operations.tell_when_free(caller, button)


def parse_locks(words: Sequence[Word], projects: Projects) -> OfLocks:
    """Return the request; `all` is of every project, where a channel uses one too."""
    rest = without_stop(words, "?.")
    if len(rest) > 1:
        raise UsageError("I expected a project, or all.", given=rest[1].text)
    is_all = not rest or rest[0].text.lower() in ALL
    return OfLocks() if is_all else OfLocks(project=parse_slug(rest[0].text, projects))


async def list_locks(request: OfLocks, caller: Caller, context: Context) -> Locks:
    """Answer with every lock on what the caller may look at, of one project if one is named."""
    found, unread = await context.store.locks.all()
    places = [*((one.project_slug, one.ref) for one in found), *map(named_by, unread)]
    readable = await context.permissions.readable(caller, places)
    listed = Locks(
        locks=tuple(one for one in found if (one.project_slug, one.ref) in readable),
        unread=tuple(key for key in unread if named_by(key) in readable),
        read_at=utc_now(),
        sees_all=await context.permissions.reads_all(caller),
    )
    slug, _ = request.about(context.projects)
    return await _of_project(listed, slug, caller, context) if slug else listed


async def _of_project(listed: Locks, slug: ProjectSlug, caller: Caller, context: Context) -> Locks:
    """Return those of a project, by whatever names it was locked, and how many there are of others."""
    project = await context.finder.project_or_named(slug, caller)
    slugs = {named_by(key)[0] for key in (*(one.key for one in listed.locks), *listed.unread)}
    ours = {one for one in slugs if await context.finder.is_now(one, project.slug)}
    locks = tuple(one for one in listed.locks if named_by(one.key)[0] in ours)
    unread = tuple(key for key in listed.unread if named_by(key)[0] in ours)
    elsewhere = len(listed.locks) + len(listed.unread) - len(locks) - len(unread)
    found = {"locks": locks, "unread": unread, "project_title": project.title, "elsewhere": elsewhere}
    return listed.model_copy(update=found)


def register(router: Router) -> None:
    """Teach the router these commands and their buttons."""
    router.command(LOCK, permission="deploy", request=OfLock, parse=parse, handle=lock)
    router.command(UNLOCK, permission="deploy", request=OfLock, parse=parse_unlock, handle=unlock)
    router.command(
        LOCKS, permission="read", request=OfLocks, parse=parse_locks, handle=list_locks, tool=Tool(needs_project=False)
    )
    router.action(Unlock, permission="deploy", handle=unlock_it)
    router.action(TakeLock, permission="deploy", handle=take)
    router.action(TellWhenFree, permission="read", handle=tell_when_free)
    router.action(AskHolder, permission="deploy", handle=ask_holder)
