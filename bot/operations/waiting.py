"""What every answer needs: the act that still waits, one answer of a person at a time, and to carry it out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import assert_never

from bot.answers.acts import Acted
from bot.errors import NotAllowed, NothingToDo, StoreError, Taken, UsageError, UserError
from bot.models.caller import Caller
from bot.models.pending import Approval, Cancellation, Deployment, Pending, Rerun
from bot.operations.approve import approve
from bot.operations.cancel import cancel
from bot.operations.deploy import deploy
from bot.operations.hands import Hands
from bot.operations.rerun import rerun

AGREE = "agree"
UNDER_WAY = timedelta(minutes=2)  # how long an answer may take, or is waited for when it died


async def waiting(hands: Hands, caller: Caller, pending_id: str, claim: str) -> Pending:
    """Return the act that waits; who has answered in time, as `claim` says, may go on after that.

    Slack is asked anew who answers: what was kept of them is good enough for what they do themselves, and for looks.
    Raises UsageError for one of which nothing is known, NothingToDo or Taken for one that is over.
    """
    if caller.agent:
        raise UsageError("An agent asks, and a person answers.")
    hands.permissions.forget_one(caller)
    pending = await hands.store.pending.get(pending_id)
    if pending is None or pending.waits:
        return _found(pending)
    if not await hands.finder.may_read(caller, pending.wish.project_slug, pending.wish.ref):
        return _found(None)  # how it ended names what it was about
    _, person_id, verdict = f"{await hands.store.claims.holder(claim) or ''}||".split("|")[:3]
    if pending.over and verdict == AGREE:
        raise NothingToDo("decided_already", person_id=person_id)
    if pending.over and pending.end is not None:
        raise NothingToDo("over", what=pending.end.shown)
    if pending.over and person_id and not verdict:
        raise await _went_on(hands, caller, pending, person_id)
    if pending.over or person_id == caller.person_id:
        return _found(None if pending.over else pending)
    raise NothingToDo("answered_too_late", what=pending.target)


def _found(pending: Pending | None) -> Pending:
    if pending is None:
        raise UsageError("This question is too old.")
    return pending


async def _went_on(hands: Hands, caller: Caller, pending: Pending, person_id: str) -> Taken:
    """Return the error that says who was first, and what came of it."""
    error = taken(pending, person_id)
    attempt = await hands.store.attempts.get(pending.id) if isinstance(pending.wish, Deployment) else None
    number = attempt.pipeline_number if attempt else None
    error = Taken(person_id, error.what, number=number or 0, is_own=person_id == caller.person_id)
    error.is_past = True
    return error


@asynccontextmanager
async def alone(hands: Hands, caller: Caller, pending: Pending, claim: str) -> AsyncIterator[None]:
    """Let one answer of a person in at a time; raises Taken for the second. One that died is waited for a while."""
    name = f"alone:{claim}"
    if await hands.store.claims.claim(name, caller.claim, UNDER_WAY) != caller.claim:
        raise taken(pending, caller.person_id)
    try:
        yield
    finally:
        with suppress(StoreError):
            await hands.store.claims.release(name)


def taken(pending: Pending, person_id: str) -> Taken:
    """Return the error that says who was first."""
    return Taken(person_id, f"{pending.wish.kind} {pending.target}")


async def answered_before(hands: Hands, pending: Pending, demand: str, person_id: str) -> UserError:
    """Return that somebody has answered this, and what the act waits for since; or that it is under way."""
    now = await hands.store.pending.get(pending.id)
    if now is None or not now.waits or not now.open or demand in now.open:
        return taken(pending, person_id)
    return NothingToDo("answered_before", what=now.target, person_id=person_id, state=now.open[0])


async def changed(hands: Hands, pending: Pending, change: Callable[[Pending], Pending]) -> Pending:
    """Change the act as it stands by now; raises UsageError where it is over."""
    now = await hands.store.pending.change(pending.id, change)
    if now is None:
        raise UsageError("This question is too old.")
    return now


async def carry_out(hands: Hands, caller: Caller, pending: Pending) -> Acted:
    """Carry out what waited, as its asker would, in the name of the delivery that lets it happen."""
    asker = pending.asker.model_copy(update={"delivery_id": caller.delivery_id})
    try:
        return await _carried_out(hands, asker, pending)
    except NotAllowed as error:
        error.is_of_another = bool(asker.agent) or asker.person_id != caller.person_id
        error.agent = asker.agent if error.user_id == asker.person_id else ""
        error.own = asker.own
        raise


async def _carried_out(hands: Hands, asker: Caller, pending: Pending) -> Acted:
    match pending.wish:
        case Deployment():
            return await deploy(hands, asker, pending.wish, pending)
        case Rerun():
            return await rerun(hands, asker, pending.wish, pending)
        case Approval():
            return await approve(hands, asker, pending.wish, pending)
        case Cancellation():
            return await cancel(hands, asker, pending.wish.pipeline_id, pending.wish.reruns, pending)
    assert_never(pending.wish)


def answer(pending_id: str, what: str) -> str:
    """Return the name of the claim on meeting a demand, or on a choice."""
    return f"answered:{pending_id}:{what}"
