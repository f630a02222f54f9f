"""Lock a project or a branch, so that nobody else deploys it; unlock it, ask for it, take it over."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime

from bot.actions import AskHolder, TakeLock, TellWhenFree, Unlock
from bot.answers.acts import LockChanged
from bot.errors import Locked, NotAllowed, NothingToDo, UsageError, UserError
from bot.models import spelling
from bot.models.caller import Caller
from bot.models.circleci import Project, Ref
from bot.models.lock import Lock, Over, named_by
from bot.models.slack import utc_now
from bot.operations import lock_news
from bot.operations.frame import Act, Intent, acting, called
from bot.operations.hands import Hands, Subject, locked_by
from bot.policy import Word
from bot.watching.engine import END_LOCK
from formatters import lock_news as news
from formatters import locks as words

TAKE_OVER = "take over"


async def lock(
    hands: Hands, caller: Caller, project: Project, ref: Ref | None, reason: str, until: datetime | None = None
) -> LockChanged:
    """Lock it, unless somebody else has: raises Locked then. Who holds it already gives another reason or end, if any.

    It ends by itself, at `until` if that is said.
    """
    subject = Subject(project.slug, project.title, ref)
    async with acting(hands, caller, Intent(subject, Word.DEPLOY, f"lock {subject.about}", act="lock")) as act:
        wanted = Lock(
            project_slug=project.slug,
            project_title=project.title,
            ref=ref,
            holder_id=act.caller.person_id,
            holder_name=act.caller.name,
            reason=reason,
            since=utc_now(),
            until=until,
            channel_id=act.caller.channel_id,
        )
        renamed = await hands.finder.lock_on(project.slug, ref)
        held = renamed or await hands.store.locks.lock(wanted)
        if held.holder_id != act.caller.person_id:
            raise _locked(held, "lock", own=TakeLock(key="", holder_id="", reason=reason, until=until))
        now = await _changed(hands, held, wanted) if held != wanted else held
        await _ends(hands, now)
        act.note(result=f"{held.target} is locked")
    before = None if held == wanted else held
    unheard = False
    if before is None or now != before or not now.said_ts:
        unheard = not await lock_news.taken(hands, act.caller, now, before if now != before else None)
    unsent = await hands.store.attempts.unsent_of(act.caller.person_id, await hands.store.now())
    return LockChanged(
        act="lock_again" if before else "lock",
        lock=now,
        before=held,
        unsent=tuple(one for one in unsent if one.is_of(project.slug, ref)),
        unheard=unheard,
        entry=act.entry,
    )


async def _changed(hands: Hands, held: Lock, wanted: Lock) -> Lock:
    """Return a lock of one's own with another reason and end; what is not given stays as it is. Its age stays too."""
    kept = {
        "reason": wanted.reason or held.reason,
        "until": wanted.until or held.until,
        "channel_id": held.channel_id or wanted.channel_id,
    }
    if held.model_copy(update=kept) == held:
        return held
    now = held.model_copy(update={**kept, "changes": held.changes + 1, "said_ts": ""})
    if not await hands.store.locks.take(held, now):
        raise NothingToDo("lock_changed_hands", what=held.target)
    return now


async def _ends(hands: Hands, lock: Lock) -> None:
    """Have it said when it is over; and now what is to be said: of one before it, or of an end that was moved."""
    untold = await hands.store.locks.over(lock.key) or await lock_news.unheard(hands, lock)
    if untold or lock.until:
        await hands.engine.put(END_LOCK, lock.key, when=utc_now() if untold or not lock.until else lock.until)


async def unlock(hands: Hands, caller: Caller, key: str, seen: Unlock | None = None) -> LockChanged:
    """Lift a lock; its holder is told if it was somebody else. Raises NothingToDo where there is none.

    Raises Locked where it is another lock by now than the one `seen`, or has another reason or end. Of a branch it is
    said where a lock on its whole project still keeps others from it.
    """
    slug, ref = named_by(key)
    await hands.refuse_if_hidden(caller, slug, ref)
    whole = await hands.finder.lock_on(slug, None) if ref else None
    held = await (hands.store.locks.get(key) if seen else hands.finder.lock_on(slug, ref))
    if held is None:
        raise await _none(hands, caller, key, whole)
    async with _on(hands, caller, held, "unlock", "unlock") as act:
        if seen is not None and not _is_seen(held, seen, act.caller.person_id):
            raise _locked(held, "unlock", is_own=held.holder_id == act.caller.person_id)
        if seen is not None and _is_changed(held, seen):
            raise _locked(held, "unlock", is_own=held.holder_id == act.caller.person_id, is_changed=True)
        by = {"by_id": act.caller.person_id, "by_name": act.caller.name, "channel_id": act.caller.channel_id}
        if not await hands.store.locks.unlock(held, Over(lock=held, **by)):
            raise NothingToDo("lock_changed_hands", what=held.target)
        act.note(result=f"{held.target} is unlocked{await _whose(hands, act, held)}")
    await hands.engine.put(END_LOCK, held.key, when=utc_now())
    if held.holder_id != act.caller.person_id:
        await hands.direct(held.holder_id, news.was_removed(held, act.caller.person_id))
    return LockChanged(act="unlock", lock=held, still=whole, entry=act.entry)


async def take(hands: Hands, caller: Caller, button: TakeLock) -> LockChanged:
    """Move a lock to the caller, and tell who held it.

    Raises NothingToDo where it is gone, and Locked where it is another by now than the one the button was shown for, or
    has another reason or end.
    """
    await hands.refuse_if_hidden(caller, *named_by(button.key))
    held = await hands.store.locks.get(button.key)
    if held is None:
        raise await _free(hands, caller, button.key, "take_lock", button.again)
    async with _on(hands, caller, held, TAKE_OVER, "take_lock") as act:
        mine, since = _as_theirs(held, act.caller, button), _since(held)
        if held.holder_id == act.caller.person_id:
            mine = held
        elif (held.holder_id, button.since or since) != (button.holder_id, since):
            raise _locked(held, TAKE_OVER, button.again, own=button)
        elif _is_changed(held, button):
            raise _locked(held, TAKE_OVER, button.again, own=button, is_changed=True)
        elif mine.is_over(await hands.store.now()):
            raise UsageError("The end that you named has passed since. It was not taken over: lock it again.")
        elif not await hands.store.locks.take(held, mine):
            raise NothingToDo("lock_changed_hands", what=held.target)
        await _ends(hands, mine)
        act.note(result=f"{held.target} is theirs now{await _whose(hands, act, held)}")
    told = True
    if mine != held:
        told = await hands.direct(held.holder_id, news.was_taken(held, act.caller.person_id))
        await hands.store.locks.waits_no_more(held.key, act.caller.person_id)
        await lock_news.taken(hands, act.caller, mine, held)
    before = held if mine != held else None
    return LockChanged(act="take", lock=mine, before=before, untold=not told, entry=act.entry)


def _as_theirs(held: Lock, caller: Caller, given: TakeLock) -> Lock:
    """Return a lock as who takes it over holds it: said where they are from now on.

    Its reason and its end are those they gave; what they did not give stays as it is.
    """
    here = caller.place is not None and not caller.place.is_direct
    channel_id = caller.channel_id if here or not held.channel_id else held.channel_id
    whose = {"holder_id": caller.person_id, "holder_name": caller.name, "since": utc_now()}
    whose |= {"reason": given.reason or held.reason, "until": given.until or held.until}
    return held.model_copy(update={**whose, "channel_id": channel_id, "said_ts": ""})


async def ask_holder(hands: Hands, caller: Caller, button: AskHolder) -> LockChanged:
    """Tell the holder that somebody waits, once for each who presses; who asked is told when it is over."""
    key = button.key
    await hands.refuse_if_hidden(caller, *named_by(key))
    held = await hands.store.locks.get(key)
    if held is None:
        raise await _free(hands, caller, key, "ask_holder", button.again)
    async with _on(hands, caller, held, "ask for", "ask_holder") as act:
        person_id = act.caller.person_id
        if held.holder_id == person_id:  # since the message with the button they took it over
            raise NothingToDo("your_own_lock", what=held.target, again=button.again)
        asked, told = f"asked-for:{held.key}:{held.since.isoformat()}:{person_id}", True
        first = await hands.store.claims.first(asked)
        if first:
            told = await hands.direct(held.holder_id, words.asked_for(held, person_id, button.again))
        if not told:  # pressed again it is tried again
            await hands.store.claims.release(asked)
            act.note(result=f"Slack did not take the message to who holds {held.target}")
        waits = await _waits(hands, act.caller, button)
    return LockChanged(act="ask", lock=held, asked_before=not first, untold=not told, waits=waits, entry=act.entry)


async def _waits(hands: Hands, caller: Caller, button: AskHolder) -> bool:
    """Have who asked for a lock told when it is over; False where that is not to be. Raises NothingToDo if it is."""
    try:
        await lock_news.wait(hands, caller, TellWhenFree(key=button.key, again=button.again))
    except NotAllowed:
        return False
    except NothingToDo as error:
        if error.why != "too_many_wait":
            raise
        return False
    return True


async def _whose(hands: Hands, act: Act, held: Lock) -> str:
    """Return who held it, for the record, where that was somebody else."""
    if held.holder_id == act.caller.person_id:
        return ""
    return f"; {await hands.messenger.user_name(held.holder_id) or held.holder_id} held it"


async def _none(hands: Hands, caller: Caller, key: str, whole: Lock | None) -> NothingToDo:
    """Return that there is no such lock, to who might lift it; what it is on has a name for nobody else."""
    if whole is not None:
        return NothingToDo("locked_as_a_whole", what=whole.project_title, person_id=whole.holder_id)
    subject = await _named(hands, caller, key, "unlock")
    return NothingToDo("not_locked", what=subject.about, again=await _part(hands, caller, subject))


async def _part(hands: Hands, caller: Caller, subject: Subject) -> str:
    """Return the command that unlocks the part of a project that is locked, where it is one and they may see it."""
    held, _ = await hands.store.locks.all()
    parts = [one for one in held if one.project_slug == subject.slug and one.ref and subject.ref is None]
    seen = [one for one in parts if await hands.finder.may_read(caller, one.project_slug, one.ref)]
    return f"unlock {spelling.as_typed(f'{seen[0].project_slug}:{seen[0].ref}')}" if len(seen) == 1 else ""


async def _free(hands: Hands, caller: Caller, key: str, act: str, again: str) -> UserError:
    """Return that nothing stops them any more, with what was stopped; or what else does."""
    subject = await _named(hands, caller, key, act)
    await hands.refuse_if_locked(subject, Word.DEPLOY, caller.person_id, again=again)
    return NothingToDo("not_locked_any_more", what=subject.about, again=again)


async def _named(hands: Hands, caller: Caller, key: str, act: str) -> Subject:
    """Return what a lock's name names, in people's words, for who may lock it; raises NotAllowed."""
    slug, ref = named_by(key)
    with called(act):
        await hands.permitted(caller, slug, ref, Word.DEPLOY)
    return Subject(slug, await hands.finder.title(slug), ref)


def _is_seen(held: Lock, seen: Unlock, person_id: str) -> bool:
    """Say whether a lock is the one that a button is about; an old one tells only who may have meant their own."""
    return held.holder_id == (seen.holder_id or person_id) and seen.since in ("", _since(held))


def _is_changed(held: Lock, seen: Unlock | TakeLock) -> bool:
    """Say whether its reason or its end is another than its button was shown for; an old one does not tell."""
    return seen.changes not in (None, held.changes)


def _since(held: Lock) -> str:
    return held.since.isoformat()


def _locked(
    held: Lock,
    word: str,
    again: str = "",
    *,
    is_own: bool = False,
    is_changed: bool = False,
    own: TakeLock | None = None,
) -> Locked:
    error = locked_by(held, word, again)
    error.is_own, error.is_changed = is_own, is_changed
    if own:
        error.own_reason, error.own_until = own.reason, own.until
    return error


def _on(hands: Hands, caller: Caller, held: Lock, what: str, act: str) -> AbstractAsyncContextManager[Act]:
    subject = Subject(held.project_slug, held.project_title, held.ref)
    return acting(hands, caller, Intent(subject, Word.DEPLOY, f"{what} {held.target}", act=act))
