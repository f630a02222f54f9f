"""A question that is asked twice is one: what waits already is pointed at, or shown once more.

That of a second person stands in its channel for everybody, so there is one about one thing. What one person is to
type, choose or allow only they can see: there is one for each, where they asked. So it is with what stands in direct
messages, which is in nobody else's way.
"""

import hashlib
from datetime import timedelta

from bot.errors import AskedAlready, NothingToDo
from bot.models.circleci import Ref
from bot.models.pending import ASKING, Approval, Cancellation, Deployment, Pending, Rerun, Wish
from bot.models.slack import utc_now
from bot.operations.hands import Hands
from formatters import endings

EVERYBODY = ""
MOST_TRIES = 5


def about(wish: Wish) -> str:
    """Return what names the same wish, whoever has it and wherever: other parameters are another deploy.

    A pull request is the same under each of its names.
    """
    match wish:
        case Deployment():
            if wish.ref.pull_request:
                wish = wish.model_copy(update={"ref": Ref(name=wish.ref.code)})
            same = wish.model_dump_json(include={"kind", "project_slug", "ref", "parameters", "definition_id"})
        case Rerun():
            same = wish.model_dump_json(include={"kind", "pipeline_id", "failed_only", "ssh", "workflows"})
        case Approval():
            same = wish.model_dump_json(include={"kind", "pipeline_id", "approval_request_id"})
        case Cancellation():
            same = wish.model_dump_json(include={"kind", "pipeline_id", "reruns"})
    return hashlib.sha256(same.encode()).hexdigest()[:32]


async def refuse_if_asked(hands: Hands, pending: Pending) -> None:
    """Raise AskedAlready where somebody else is to agree to the same already."""
    standing = await hands.store.standing.all(about(pending.wish))
    for whose in dict.fromkeys((EVERYBODY, _for_whom(pending))):
        if found := await _waits(hands, standing.get(whose, pending.id), pending):
            raise await _asked_already(hands, found)


async def refuse_if_open(hands: Hands, pending_id: str) -> None:
    """Raise AskedAlready where what was asked under this id waits for a second person."""
    pending = await hands.store.pending.get(pending_id)
    if pending is not None and pending.waits and pending.request_ts is not None:
        raise await _asked_already(hands, pending)


async def for_everybody(hands: Hands, pending: Pending) -> Pending:
    """Record what a second person is about to be asked; raises AskedAlready where somebody was faster."""
    kept_one = await kept(hands, pending.model_copy(update={"asking_until": utc_now() + ASKING}))
    if (standing := await _put(hands, kept_one, _for_whom(pending))).id != pending.id:
        await hands.store.pending.change(pending.id, lambda one: one.ended)
        raise await _asked_already(hands, standing)
    return kept_one


async def stands_no_more(hands: Hands, pending: Pending) -> None:
    """Make room for another: nobody can read this one. It is over, unless what was answered before can be once more."""
    await hands.store.standing.replace(about(pending.wish), _for_whom(pending), pending.id, "")
    if not (pending.met or pending.choices):
        await hands.store.pending.change(pending.id, lambda one: one.ended)


def _for_whom(pending: Pending) -> str:
    """Return for whom a request stands: one in direct messages for who reads them alone."""
    return f"direct:{pending.asker.person_id}" if _is_direct(pending) else EVERYBODY


def _is_direct(pending: Pending) -> bool:
    return pending.asker.place is not None and pending.asker.place.is_direct


async def others(hands: Hands, wish: Wish, pending_id: str) -> list[Pending]:
    """Return all other questions about the same that still wait."""
    standing = await hands.store.standing.all(about(wish))
    found = [await hands.store.pending.get(one) for one in standing.values() if one != pending_id]
    return [one for one in found if one is not None and one.waits]


async def for_one(hands: Hands, pending: Pending) -> Pending:
    """Record what its asker is to answer; what they were asked here before about the same is returned instead."""
    kept_one, person_id = await kept(hands, pending), pending.asker.person_id
    standing = await _put(hands, kept_one, person_id)
    if standing.id == pending.id:
        return kept_one
    if _is_same(standing, pending):
        await hands.store.pending.change(pending.id, lambda one: one.ended)
        return standing
    await hands.store.standing.replace(about(pending.wish), person_id, standing.id, pending.id)
    anew = endings.asked_anew(pending, standing)
    await hands.store.pending.change(standing.id, lambda one: one.ended.model_copy(update={"end": anew}))
    return kept_one


async def kept(hands: Hands, pending: Pending) -> Pending:
    """Record an act that waits, as it stands; raises NothingToDo where somebody has answered or ended it meanwhile."""
    saved = await hands.store.pending.save(pending)
    if saved is None:
        raise NothingToDo("changed_meanwhile", what=pending.target)
    return saved


async def _put(hands: Hands, pending: Pending, whose: str) -> Pending:
    """Let this be the question that stands, unless another one does; returns the one that does."""
    name, keep = about(pending.wish), timedelta(minutes=hands.settings.approval_minutes)
    for _ in range(MOST_TRIES):
        standing_id = await hands.store.standing.first(name, whose, pending.id, keep)
        if found := await _waits(hands, standing_id, pending):
            return found
        if standing_id == pending.id or await hands.store.standing.replace(name, whose, standing_id, pending.id):
            break
    return pending


async def _waits(hands: Hands, pending_id: str, mine: Pending) -> Pending | None:
    """Return another question than this one, if it still waits."""
    found = None if pending_id == mine.id else await hands.store.pending.get(pending_id)
    if found is None or not found.waits:
        return None
    # An earlier version let one in direct messages stand for everybody.
    is_unread = _is_direct(found) and found.asker.person_id != mine.asker.person_id
    return None if is_unread else found


def _is_same(standing: Pending, pending: Pending) -> bool:
    return (standing.asker.place, standing.open, standing.choices, standing.red) == (
        pending.asker.place,
        pending.open,
        pending.choices,
        pending.red,
    )


async def _asked_already(hands: Hands, pending: Pending) -> AskedAlready:
    place, url = pending.asker.place, ""
    if place is not None and pending.request_ts is not None:
        url = await hands.messenger.permalink(place.channel_id, pending.request_ts)
    error = AskedAlready(pending.asker.person_id, pending.target, asked_at=pending.asked_at, url=url)
    error.pending_id, error.takes_two = pending.id, pending.takes_two
    error.asker = pending.asker.called if pending.asker.agent else ""
    return error
