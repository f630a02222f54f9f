"""A second person agrees or declines, or nobody does in time.

The first who decides counts: it is claimed before anything is sent, and all of it is read again before that. A press
that died is run again by the engine, and goes on with its own decision. What was filled into a form is not: there the
same person goes on with theirs.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import assert_never

from bot.answers.acts import Acted, Answered
from bot.answers.questions import Waits
from bot.errors import BotError, CircleCIError, NothingToDo, Slip, StoreError, UsageError
from bot.masks import masked
from bot.models.caller import Caller
from bot.models.pending import Approval, Cancellation, Deployment, End, Pending, Rerun
from bot.models.slack import utc_now
from bot.operations import demands
from bot.operations.ending import (
    EXPIRED,
    OTHERWISE,
    WORDS,
    came_to_nothing,
    decision,
    done_otherwise,
    end,
    ended_meanwhile,
    on_record,
    still_agreed,
    subject,
)
from bot.operations.hands import Hands
from bot.operations.requests import request
from bot.operations.seen import seen_now
from bot.operations.waiting import AGREE, UNDER_WAY, alone, carry_out, changed, waiting
from bot.policy import Decision, Word
from formatters import agreement, endings
from formatters.links import Links

DECLINE = "decline"
MOST_SECONDS = 1.5  # of the three that Slack gives a window to open


async def agree(hands: Hands, caller: Caller, pending_id: str, shown: str = "") -> Acted:
    """Let it happen; who asked for it cannot agree, but for what their agent did, and the first who decides counts.

    What was pushed or ran again since it was asked is shown first, and agreed to anew: raises NothingToDo then. So it
    does for a press on what was `shown` before that: a second click of the same person, or somebody else's.
    """
    pending, caller = await to_decide(hands, caller, pending_id), await hands.named(caller)
    async with on_record(hands, caller, pending):
        if _is_own(pending, caller.person_id) and pending.takes_two:
            raise NothingToDo("not_your_agents" if pending.asker.agent else "not_your_own")
        allowed = await _may(hands, caller, pending)
        await demands.refuse_if_more_is_demanded(hands, caller, allowed, pending)
        await _said_before(hands, caller, pending)
        if await _is_decided(hands, caller, pending, AGREE) and (pending.is_agreed or pending.was_cut_off):
            await _gone_on_with(hands, caller, pending)
        else:
            async with _undecided_again(hands, caller, pending):
                await _as_it_was_asked(hands, caller, pending, shown)
        await _decide(hands, caller, pending, AGREE)
    return await _agreed(hands, caller, await changed(hands, pending, lambda one: one.agreed_to_by(caller)))


async def to_decide(hands: Hands, caller: Caller, pending_id: str) -> Pending:
    """Return what waits for a second person; raises UsageError where nobody was asked yet."""
    pending = await waiting(hands, caller, pending_id, decision(pending_id))
    if pending.request_ts is None:
        raise UsageError("This question is too old.")
    return pending


async def _may(hands: Hands, caller: Caller, pending: Pending) -> Decision:
    """Return what is demanded of somebody who may do themselves what they let happen, and look at it."""
    wish = pending.wish
    also = (Word.SSH,) if isinstance(wish, Rerun) and wish.ssh else ()
    decided = await hands.permitted(caller, wish.project_slug, wish.ref, WORDS[wish.kind], *also)
    await hands.refuse_if_hidden(caller, wish.project_slug, wish.ref)
    return decided


async def _said_before(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Raise NothingToDo where a run of this press before knew how it ended, and died before that was said."""
    if await _is_decided(hands, caller, pending, AGREE) and pending.end is not None:
        await end(hands, pending, pending.end)
        raise NothingToDo("decided_already", person_id=caller.person_id)


async def _gone_on_with(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Let a press that was agreed to and died go on; raises NothingToDo where something changed before it was sent."""
    if not await _may_be_sent(hands, caller, pending):
        await still_agreed(hands, pending)


async def _may_be_sent(hands: Hands, caller: Caller, pending: Pending) -> bool:
    match pending.wish:
        case Deployment():
            attempt = await hands.store.attempts.get(pending.id)
            return attempt is not None and attempt.sent_at is not None
        case Rerun():
            last = await hands.store.acted.last(pending.wish.pipeline_id)
            return (last or "").startswith(f"{caller.delivery_id}|")
        case Approval() | Cancellation():
            return False  # approved or not, what it lets run is the same
    assert_never(pending.wish)


async def _as_it_was_asked(hands: Hands, caller: Caller, pending: Pending, shown: str) -> None:
    """Raise Locked, or NothingToDo where something was pushed or ran again since `shown`: the request shows it then."""
    if not isinstance(pending.wish, Cancellation):  # no lock stops that
        people = (caller.person_id, *await hands.whose_locks(pending.asker))
        await hands.refuse_if_locked(subject(pending), WORDS[pending.wish.kind], *people)
    if pending.seen.is_still(await seen_now(hands, pending.wish)) and pending.shows(shown):
        return
    try:
        await request(hands, pending)
    except NothingToDo:
        await ended_meanwhile(hands, pending)
        raise
    raise NothingToDo("changed_meanwhile" if pending.version else "asked_by_earlier", what=pending.target)


@asynccontextmanager
async def _undecided_again(hands: Hands, caller: Caller, pending: Pending) -> AsyncIterator[None]:
    """Give the decision back where a run of this press before, which died, has claimed what cannot be agreed to now."""
    try:
        yield
    except StoreError:
        raise
    except Exception:
        if await hands.store.claims.holder(decision(pending.id)) == f"{caller.claim}|{AGREE}":
            await hands.store.claims.release(decision(pending.id))
        raise


async def _agreed(hands: Hands, caller: Caller, pending: Pending) -> Acted:
    """Carry out what was agreed to; an agreement that comes to nothing is over, whatever it met."""
    try:
        acted = await carry_out(hands, caller, pending)
    except StoreError:
        raise  # the engine runs it again
    except Exception as error:
        await came_to_nothing(hands, pending, caller.called, error)
        if isinstance(error, Waits):
            raise NothingToDo("agreed_in_vain", what=pending.target) from error
        raise
    if acted.detail == "looked_for":
        await end(hands, pending, endings.looked_for(pending, caller.called))
        return acted
    page, number = "", acted.pipeline_number
    if number is not None:
        page = Links(web_url=hands.settings.web_url).pipeline(acted.project_slug, number)
    await end(hands, pending, endings.agreed(pending, caller.called, page, number))
    return acted


async def may_decline(hands: Hands, caller: Caller, pending_id: str) -> Pending | None:
    """Return what somebody may decline; raises NotAllowed, and what `decline` would.

    Where that is not known in time it returns None: the window opens, and who sends it is asked then.
    """
    try:
        async with asyncio.timeout(MOST_SECONDS):
            pending, caller = await to_decide(hands, caller, pending_id), await hands.named(caller)
            async with on_record(hands, caller, pending):
                await _may_decline(hands, caller, pending)
    except (TimeoutError, CircleCIError):
        return None
    return pending


async def _may_decline(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Ask whether somebody may, unless they take back what they asked for: that needs no right."""
    if not _is_own(pending, caller.person_id):
        await _may(hands, caller, pending)


async def decline(hands: Hands, caller: Caller, pending_id: str, reason: str) -> Answered:
    """Let it end there; the asker reads the reason in the thread. Raises Slip for none, or one that is too long."""
    pending, caller = await to_decide(hands, caller, pending_id), await hands.named(caller)
    if not reason.strip():
        raise Slip("reason", "no_reason")
    if len(reason) > agreement.LONGEST_REASON:
        raise Slip("reason", "reason_too_long", what=str(agreement.LONGEST_REASON))
    reason = masked(reason)  # it is kept, and others read it
    async with on_record(hands, caller, pending):
        await _may_decline(hands, caller, pending)
        await _decide(hands, caller, pending, DECLINE, by_form=True)
    async with alone(hands, caller, pending, decision(pending_id)):
        how = pending.end or _declined(pending, caller.person_id, caller.called, reason)
        await end(hands, pending, how, _why_declined(pending, caller.person_id, caller.called, reason))
    return Answered(answer="take back" if _is_own(pending, caller.person_id) else "decline")


def _declined(pending: Pending, person_id: str, name: str, reason: str) -> End:
    if _is_own(pending, person_id):
        return End(shown=endings.taken_back(pending, reason).text)
    told = endings.declined_to_asker(pending, name, reason)
    return End(shown=endings.declined(pending, name, reason).text, told=told.text, again=_again(pending))


def _again(pending: Pending) -> str:
    """Return the line that asks for the same; a person's press would do at once what an agent only asked for."""
    return "" if pending.asker.agent else pending.wish.typed


def _why_declined(pending: Pending, person_id: str, name: str, reason: str) -> NothingToDo:
    """Return what the record says of it."""
    why = f": {reason.strip()}" if reason.strip() else ""
    act = "took it back" if _is_own(pending, person_id) else "declined"
    return NothingToDo("declined", person_id=person_id, what=f"{name} {act}{why}")


def _is_own(pending: Pending, person_id: str) -> bool:
    return person_id == pending.asker.person_id


async def expire(hands: Hands, pending_id: str) -> timedelta | None:
    """Let a request that nobody decided end; the asker is told in the thread.

    What was decided by somebody whose run died is brought to its end, once there was time for it to go on; returns the
    pause until then.
    """
    pending = await hands.store.pending.get(pending_id)
    if pending is None or pending.over or pending.request_ts is None:
        return None
    _, person_id, verdict = (await hands.store.claims.claim(decision(pending_id), EXPIRED)).split("|")
    if verdict and utc_now() < (pending.expires_at or utc_now()) + UNDER_WAY:
        return UNDER_WAY
    if pending.end is not None:
        await end(hands, pending, pending.end)  # it is in the record
    else:
        await end(hands, pending, *await _end_of(hands, pending, person_id, verdict))
    return None


async def _end_of(hands: Hands, pending: Pending, person_id: str, verdict: str) -> tuple[End, BotError]:
    if not verdict:
        told = endings.expired_to_asker(pending)
        how = End(shown=endings.expired(pending).text, told=told.text, again=_again(pending))
        return how, NothingToDo("expired")
    name = await hands.messenger.user_name(person_id) or person_id
    if verdict == DECLINE:
        return _declined(pending, person_id, name, ""), _why_declined(pending, person_id, name, "")
    if verdict == OTHERWISE:
        return done_otherwise(pending, name), NothingToDo("done_otherwise", person_id=person_id)
    shown = endings.agreed_in_vain(pending, name, endings.interrupted(), is_sure=False).text
    return End(shown=shown, in_vain=True, lost="not found"), NothingToDo("agreed_in_vain", what=pending.target)


async def _is_decided(hands: Hands, caller: Caller, pending: Pending, verdict: str, *, by_form: bool = False) -> bool:
    """Say whether this caller has decided so before; raises NothingToDo where somebody else has, or otherwise.

    It was a run of this press, which died; of a form any that this person filled in.
    """
    holder = await hands.store.claims.holder(decision(pending.id))
    if holder is None:
        return False
    _, person_id, decided = holder.split("|")
    is_own = (person_id, decided) == (caller.person_id, verdict) if by_form else holder == f"{caller.claim}|{verdict}"
    if not is_own:
        raise NothingToDo("decided_already", person_id=person_id)
    return True


async def _decide(hands: Hands, caller: Caller, pending: Pending, verdict: str, *, by_form: bool = False) -> None:
    """Claim the decision for who pressed; raises NothingToDo where somebody else was first."""
    await hands.store.claims.claim(decision(pending.id), f"{caller.claim}|{verdict}")
    await _is_decided(hands, caller, pending, verdict, by_form=by_form)
