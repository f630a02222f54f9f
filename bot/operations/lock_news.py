"""What is said of a lock: to its channel that it was taken and that it is over, to who asked that it is gone."""

from contextlib import suppress
from datetime import timedelta

import structlog

from bot.actions import TellWhenFree
from bot.answers.locks import WillTell
from bot.errors import Locked, NothingToDo, SlackError, SlackLimited, Unreadable
from bot.models.caller import Caller, Place
from bot.models.lock import Lock, Over, Waiting, named_by
from bot.models.refusals import Refused, refused
from bot.models.slack import utc_now
from bot.once import post_once
from bot.operations.hands import Hands, Subject
from bot.policy import Word
from bot.watching.engine import END_LOCK
from formatters import lock_news as words
from formatters.blocks import Message

SOON = timedelta(seconds=2)
log = structlog.get_logger(__name__)


async def taken(hands: Hands, caller: Caller, lock: Lock, before: Lock | None) -> bool:
    """Say in its channel how a lock stands now, where it was asked for and where it was; False where nobody hears it.

    What was said of it `before` can be pressed no more. Where Slack is busy, its channel hears of it a little later.
    """
    if before is not None and before.said_ts:
        await _edit(hands, before, words.changed(before, lock))
    places = _public(lock.channel_id, caller.channel_id, before.channel_id if before else "")
    try:
        async with hands.store.locks.fence(lock.key, hands.settings.lease) as is_ours:
            heard = {one: await _say_held(hands, lock, before, one) for one in places} if is_ours else {}
    except SlackError as error:
        log.warning("lock_not_told_yet", method=error.method, code=error.code)
        heard = {}
    if places and not heard:
        await hands.engine.put(END_LOCK, lock.key, when=utc_now() + SOON)
    return bool(heard.get(caller.channel_id, True))


async def end(hands: Hands, key: str) -> timedelta | None:
    """Say of the locks of this name that are over that they are, each once; returns the pause until the next end.

    Of one that holds it is said as well, if that is still to be done; who waits hears of an end that was moved.
    """
    async with hands.store.locks.fence(key, hands.settings.lease) as is_ours:
        if not is_ours:
            return SOON
        holds = None
        with suppress(Unreadable):  # it holds, and nobody knows how long
            holds = await hands.store.locks.settle(key)
        for one in await hands.store.locks.over(key):
            await _tell_over(hands, one)
        if holds and not holds.said_ts and _public(holds.channel_id):
            await _say_held(hands, holds, None, holds.channel_id)
        if holds is None:
            return None
        for waits in await unheard(hands, holds):
            await _tell_moved(hands, holds, waits)
    return await hands.store.locks.left(holds)


async def unheard(hands: Hands, lock: Lock) -> list[Waiting]:
    """Return who waits for the end of a lock and was told another one than it has by now."""
    return [one for one in await hands.store.locks.waiting(lock.key) if not one.knows(lock)]


async def _tell_moved(hands: Hands, lock: Lock, one: Waiting) -> None:
    """Tell one who waits when the lock ends by now, if they may look at it."""
    if await hands.finder.may_read(_as_caller(one, lock.key), lock.project_slug, lock.ref):
        name = f"{lock.key}|{lock.since.isoformat()}|{lock.ending}|moved"
        await _heard_directly(hands, one.person_id, words.moved(lock, one.until), name)
    await hands.store.locks.knows(lock, one)


async def _say_held(hands: Hands, lock: Lock, before: Lock | None, channel_id: str) -> str:
    """Say once in a channel how a lock stands, in its own with *Unlock*; empty text where that takes nothing."""
    is_its_own = channel_id == lock.channel_id
    name = f"{lock.key}|{lock.since.isoformat()}|{lock.changes}"
    said_ts = await _heard(hands, channel_id, words.news(lock, before, pressed=is_its_own), name)
    if said_ts and is_its_own:
        await hands.store.locks.take(lock, lock.model_copy(update={"said_ts": said_ts}))
    return said_ts


async def wait(hands: Hands, caller: Caller, button: TellWhenFree) -> WillTell:
    """Keep that somebody is to be told when a lock ends; once for each, and for not too many.

    Raises NothingToDo where it is gone, or theirs.
    """
    slug, ref = named_by(button.key)
    await hands.permitted(caller, slug, ref, Word.READ)
    held = await hands.store.locks.get(button.key)
    if held is None:
        raise await _gone(hands, button)
    if held.holder_id == caller.person_id:
        raise NothingToDo("lock_is_your_own", what=held.target)
    known = {"channel_id": caller.channel_id, "again": button.again, "ending": held.ending}
    waiting = Waiting(person_id=caller.person_id, **known)
    is_new = await hands.store.locks.wait(held.key, waiting)
    if is_new is None:
        raise NothingToDo("too_many_wait", what=held.target)
    now = await hands.store.locks.get(held.key)
    if now is None:  # it ended just now, and who was told then may be told already
        await hands.store.locks.waits_no_more(held.key, caller.person_id)
        raise await _gone(hands, button)
    if now.ending != held.ending:  # and who was told of that may not have been them
        await hands.engine.put(END_LOCK, held.key, when=utc_now())
    return WillTell(lock=held, asked_before=not is_new)


async def _gone(hands: Hands, button: TellWhenFree) -> NothingToDo:
    slug, ref = named_by(button.key)
    about = Subject(slug, await hands.finder.title(slug), ref).about
    return NothingToDo("not_locked_any_more", what=about, again=button.again)


async def _tell_over(hands: Hands, over: Over) -> None:
    """Tell the channels, or whose lock it was where there is none; then whoever waits, each once."""
    lock, message = over.lock, words.over(over)
    if lock.said_ts:
        await _edit(hands, lock, words.was(over))
    if over.by_id:
        for channel_id in _public(lock.channel_id, over.channel_id):
            over = await _told_in(hands, over, channel_id, message)
    elif lock.holder_id not in over.told:
        over = await _told_in(hands, over, lock.channel_id, message) if lock.channel_id else over
        if lock.channel_id not in over.told:
            await _heard_directly(hands, lock.holder_id, message, over.name)
            over = await hands.store.locks.told_in(over, lock.holder_id)
    for one in await hands.store.locks.waiting(lock.key):
        await _tell_waiting(hands, over, one)
    await hands.store.locks.told(over)


async def _told_in(hands: Hands, over: Over, channel_id: str, message: Message) -> Over:
    """Say it in a channel that has not heard it, and keep that: what fails behind it is tried again without it."""
    if channel_id in over.told or not await _heard(hands, channel_id, message, over.name):
        return over
    return await hands.store.locks.told_in(over, channel_id)


async def _tell_waiting(hands: Hands, over: Over, one: Waiting) -> None:
    """Tell one who waited, unless it is locked again by somebody else: then they wait on."""
    lock, still = over.lock, ""
    subject = Subject(lock.project_slug, lock.project_title, lock.ref)
    try:
        await hands.refuse_if_locked(subject, Word.DEPLOY, one.person_id)
    except Locked as error:
        if lock.key in (error.key, *(one.key for one in error.others)):
            return
        still = error.target
    except Unreadable:
        return
    if await hands.finder.may_read(_as_caller(one, over.name), lock.project_slug, lock.ref):
        there = next(iter(_public(one.channel_id)), "")
        await _heard_directly(hands, one.person_id, words.free(over, one.again, still, there), over.name)
    await hands.store.locks.waits_no_more(lock.key, one.person_id)


def _as_caller(one: Waiting, delivery_id: str) -> Caller:
    place = Place(channel_id=one.channel_id) if one.channel_id else None
    return Caller(person_id=one.person_id, place=place, delivery_id=delivery_id)


def _public(*channel_ids: str) -> list[str]:
    """Return which of these are channels that others read, each once."""
    return [one for one in dict.fromkeys(channel_ids) if one and not Place(channel_id=one).is_direct]


async def _heard(hands: Hands, channel_id: str, message: Message, name: str) -> str:
    """Say it once in a place; returns its `ts`, empty text where that takes nothing. Raises what passes."""
    try:
        claims, place = hands.store.claims, Place(channel_id=channel_id)
        return await post_once(hands.messenger, claims, place, message, kind="lock-said", name=name)
    except SlackError as error:
        if error.lost or isinstance(error, SlackLimited) or refused(error.code) is Refused.FOR_NOW:
            raise
        log.info("lock_not_told", channel=channel_id, method=error.method, code=error.code)
        return ""


async def _heard_directly(hands: Hands, person_id: str, message: Message, name: str) -> None:
    try:
        channel_id = await hands.messenger.direct_channel(person_id)
    except SlackError as error:
        if error.lost or isinstance(error, SlackLimited) or refused(error.code) is Refused.FOR_NOW:
            raise
        log.info("person_not_told", user=person_id, code=error.code)
        return
    await _heard(hands, channel_id, message, name)


async def _edit(hands: Hands, lock: Lock, message: Message) -> None:
    try:
        await hands.messenger.update(lock.channel_id, lock.said_ts, message, urgent=True)
    except SlackError as error:
        log.info("lock_not_edited", method=error.method, code=error.code)
