"""Answers to what an act waits for: agree, decline, deploy all the same, type it, choose; or nobody answers in time.

The first answer counts: it is claimed before anything is sent, and all of it is read again before that. A press that
died is run again by the engine and goes on with its own answer. What was filled into a form is not: there the same
person goes on with theirs, in the name of the delivery that was first.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import assert_never

import structlog

from bot.answers.acts import Acted, Answered
from bot.answers.questions import Waits
from bot.errors import (
    BotError,
    NotAllowed,
    NothingToDo,
    PartlyDone,
    SlackError,
    StoreError,
    Taken,
    UsageError,
    UserError,
)
from bot.models.attempt import Demand
from bot.models.audit import Entry
from bot.models.caller import Caller
from bot.models.pending import Approval, Deployment, End, Pending, Rerun
from bot.models.slack import utc_now
from bot.operations import demands
from bot.operations.approve import approve
from bot.operations.deploy import definition_of, deploy
from bot.operations.frame import did_nothing
from bot.operations.hands import Hands, Subject
from bot.operations.rerun import rerun
from bot.policy import Word
from bot.record import begun, ended, is_recorded, mark_recorded
from formatters import errors, gate
from formatters.blocks import Message

log = structlog.get_logger(__name__)
WORDS = {"deploy": Word.DEPLOY, "rerun": Word.RERUN, "approve": Word.APPROVE}
AGREE, DECLINE, EXPIRED, DEFINITION = "agree", "decline", "expired||", "definition"
UNDER_WAY = timedelta(minutes=2)  # how long an answer may take, or is waited for when it died


async def agree(hands: Hands, caller: Caller, pending_id: str) -> Acted:
    """Let it happen; who asked for it cannot agree, and the first who decides counts.

    What was pushed or ran again since it was asked is shown first, and agreed to anew: raises NothingToDo then.
    """
    pending, caller = await _waiting(hands, caller, pending_id, _decision(pending_id)), await hands.named(caller)
    async with _on_record(hands, caller, pending):
        if caller.person_id == pending.asker.person_id:
            raise NothingToDo("not_your_own")
        await _may(hands, caller, pending)
        await _said_before(hands, caller, pending)
        if not (await _is_decided(hands, caller, pending, AGREE) and pending.is_agreed):
            async with _undecided_again(hands, caller, pending):
                await _as_it_was_asked(hands, caller, pending)
        await _decide(hands, caller, pending, AGREE)
    return await _agreed(hands, caller, await _changed(hands, pending, lambda one: _with_word_of(one, caller)))


async def _said_before(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Raise NothingToDo where a run of this press before knew how it ended, and died before that was said."""
    if await _is_decided(hands, caller, pending, AGREE) and pending.end is not None:
        await _end(hands, pending, pending.end)
        raise NothingToDo("decided_already", person_id=caller.person_id)


async def _as_it_was_asked(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Raise Locked, or NothingToDo where something was pushed or ran again since: the request shows it then."""
    await hands.refuse_if_locked(_subject(pending), WORDS[pending.wish.kind], caller.person_id, pending.asker.person_id)
    if pending.seen.is_still(await demands.seen_now(hands, pending.wish)):
        return
    try:
        await demands.request(hands, pending)
    except NothingToDo:
        await _ended_meanwhile(hands, pending)
        raise
    raise NothingToDo("changed_meanwhile", what=pending.target)


@asynccontextmanager
async def _undecided_again(hands: Hands, caller: Caller, pending: Pending) -> AsyncIterator[None]:
    """Give the decision back where a run of this press before, which died, has claimed what cannot be agreed to now."""
    try:
        yield
    except StoreError:
        raise
    except Exception:
        if await hands.store.claims.holder(_decision(pending.id)) == f"{caller.claim}|{AGREE}":
            await hands.store.claims.release(_decision(pending.id))
        raise


async def _ended_meanwhile(hands: Hands, pending: Pending) -> None:
    """Say once more how it ended, where somebody ended it while the request was written anew."""
    now = await hands.store.pending.get(pending.id)
    if now is not None and now.end is not None:
        await _show(hands, now, gate.as_ended(now.end))


def _with_word_of(pending: Pending, caller: Caller) -> Pending:
    return pending.having_met(Demand.SECOND_PERSON).model_copy(update={"agreed": caller})


async def _agreed(hands: Hands, caller: Caller, pending: Pending) -> Acted:
    """Carry out what was agreed to; an agreement that comes to nothing is over, whatever it met."""
    try:
        acted = await carry_out(hands, caller, pending)
    except StoreError:
        raise  # the engine runs it again
    except Exception as error:
        await _came_to_nothing(hands, pending, caller.called, error)
        if isinstance(error, Waits):
            raise NothingToDo("agreed_in_vain", what=pending.target) from error
        raise
    await _end(hands, pending, End(shown=gate.agreed(pending, caller.called).text))
    return acted


async def _came_to_nothing(hands: Hands, pending: Pending, name: str, error: Exception) -> None:
    """End what was agreed to in vain; a question that it met at the last is no answer, and in no record yet."""
    sent = (
        "part" if isinstance(error, PartlyDone) else "nothing" if did_nothing(error) or isinstance(error, Waits) else ""
    )
    if isinstance(error, Waits):
        why = gate.question(error.question).text
        error = NothingToDo("agreed_in_vain", what=pending.target)
    else:
        why = errors.error(error).text if isinstance(error, BotError) else gate.interrupted()
    await _end(hands, pending, End(shown=gate.agreed_in_vain(pending, name, why, sent).text), error)


async def decline(hands: Hands, caller: Caller, pending_id: str, reason: str) -> Answered:
    """Let it end there; the asker reads the reason in the thread."""
    pending, caller = await _waiting(hands, caller, pending_id, _decision(pending_id)), await hands.named(caller)
    async with _on_record(hands, caller, pending):
        await _may(hands, caller, pending)
        await _decide(hands, caller, pending, DECLINE, by_form=True)
    async with _alone(hands, caller, pending, _decision(pending_id)):
        end = pending.end or _declined(pending, caller.called, reason)
        await _end(hands, pending, end, _why_declined(caller.person_id))
    return Answered(answer="decline")


def _declined(pending: Pending, name: str, reason: str) -> End:
    told = gate.declined_to_asker(pending, name, reason)
    return End(shown=gate.declined(pending, name, reason).text, told=told.text)


def _why_declined(person_id: str) -> NothingToDo:
    return NothingToDo("declined", person_id=person_id)


async def expire(hands: Hands, pending_id: str) -> timedelta | None:
    """Let a request that nobody decided end; the asker is told in the thread.

    What was decided by somebody whose run died is brought to its end, once there was time for it to go on; returns the
    pause until then.
    """
    pending = await hands.store.pending.get(pending_id)
    if pending is None or pending.over or pending.request_ts is None:
        return None
    _, person_id, verdict = (await hands.store.claims.claim(_decision(pending_id), EXPIRED)).split("|")
    if verdict and utc_now() < (pending.expires_at or utc_now()) + UNDER_WAY:
        return UNDER_WAY
    end, why = await _end_of(hands, pending, person_id, verdict)
    await _end(hands, pending, pending.end or end, why)
    return None


async def _end_of(hands: Hands, pending: Pending, person_id: str, verdict: str) -> tuple[End, BotError]:
    if not verdict:
        told = gate.expired_to_asker(pending)
        return End(shown=gate.expired(pending).text, told=told.text), NothingToDo("expired")
    name = await hands.messenger.user_name(person_id) or person_id
    if verdict == DECLINE:
        return _declined(pending, name, ""), _why_declined(person_id)
    shown = gate.agreed_in_vain(pending, name, gate.interrupted(), "").text
    return End(shown=shown), NothingToDo("agreed_in_vain", what=pending.target)


async def anyway(hands: Hands, caller: Caller, pending_id: str) -> Acted:
    """Go on over a red branch; that takes the word approve, and who lets somebody else is in the record."""
    pending, caller = (
        await _waiting(hands, caller, pending_id, _answer(pending_id, Demand.GREEN)),
        await hands.named(caller),
    )
    slug, ref = pending.wish.project_slug, pending.wish.ref
    async with _on_record(hands, caller, pending, Word.APPROVE):
        await hands.permissions.check(caller, Word.APPROVE, slug, ref)
    async with _first(hands, caller, pending, Demand.GREEN) as first:
        if caller.person_id != pending.asker.person_id:
            entry = ended(_entry(caller, pending, Word.APPROVE, "over a red branch")).model_copy(
                update=_for(pending.asker)
            )
            await hands.record.keep_once(entry, caller.delivery_id)
        return await _going_on(hands, first, pending, lambda one: one.having_met(Demand.GREEN))


def _for(asker: Caller) -> dict[str, str]:
    return {"for_id": asker.person_id, "for_name": asker.name}


async def typed(hands: Hands, caller: Caller, pending_id: str, text: str) -> Answered:
    """Go on when what the asker typed is the target; raises NothingToDo when it is another."""
    pending = await _waiting(hands, caller, pending_id, _answer(pending_id, Demand.TYPED))
    _only_asker(pending, caller, "Only who asked for it types it.")
    if text.strip() != gate.to_type(pending):
        raise NothingToDo("typed_wrong", what=gate.to_type(pending))
    async with _first(hands, caller, pending, Demand.TYPED, by_form=True) as first:
        await _going_on(hands, first, pending, lambda one: one.having_met(Demand.TYPED))
    return Answered(answer="typed")


async def choose(
    hands: Hands, caller: Caller, pending_id: str, definition_id: str, before: Deployment | None = None
) -> Acted:
    """Go on with the pipeline definition that the asker chose, where a choice is what was asked; the first counts.

    `before` is the deployment of a question that an earlier version put, and kept nothing of.
    """
    if before is not None and not before.definition_id and await hands.store.pending.get(pending_id) is None:
        await _waits_again(hands, caller, pending_id, before, definition_id)
    pending = await _waiting(hands, caller, pending_id, _answer(pending_id, DEFINITION))
    _only_asker(pending, caller, "Only who asked for it chooses.")
    if not isinstance(pending.wish, Deployment) or not pending.choices:
        raise UsageError("This question is too old.")
    chosen = await definition_of(hands, pending.wish.project_slug, definition_id)
    wish = pending.wish.model_copy(update={"definition_id": chosen})
    async with _first(hands, caller, pending, DEFINITION) as first:
        return await _going_on(hands, first, pending, lambda one: one.wishing(wish))


async def _going_on(hands: Hands, caller: Caller, pending: Pending, answered: Callable[[Pending], Pending]) -> Acted:
    """Carry out what was answered, and let it be over; what is asked next is raised as Waits."""
    pending = await _changed(hands, pending, answered)
    acted = await carry_out(hands, caller, pending)
    await hands.store.pending.change(pending.id, lambda one: one.ended)
    return acted


async def _changed(hands: Hands, pending: Pending, change: Callable[[Pending], Pending]) -> Pending:
    changed = await hands.store.pending.change(pending.id, change)
    if changed is None:
        raise UsageError("This question is too old.")
    return changed


async def _waits_again(hands: Hands, caller: Caller, pending_id: str, before: Deployment, definition_id: str) -> None:
    """Let a deployment wait that an earlier version asked about; raises Taken where that was answered."""
    attempt = await hands.store.attempts.get(pending_id)
    if attempt is not None:
        raise Taken(attempt.asker_id, f"deploy {before.target}")
    asker = caller.model_copy(update={"delivery_id": pending_id})
    asked = demands.waiting(hands, asker, before).model_copy(update={"choices": (definition_id,)})
    await hands.store.pending.save(asked)


async def carry_out(hands: Hands, caller: Caller, pending: Pending) -> Acted:
    """Carry out what waited, as its asker would, in the name of the delivery that lets it happen."""
    asker = pending.asker.model_copy(update={"delivery_id": caller.delivery_id})
    try:
        return await _carried_out(hands, asker, pending)
    except NotAllowed as error:
        error.is_of_another = asker.person_id != caller.person_id
        raise


async def _carried_out(hands: Hands, asker: Caller, pending: Pending) -> Acted:
    match pending.wish:
        case Deployment():
            return await deploy(hands, asker, pending.wish, pending)
        case Rerun():
            return await rerun(hands, asker, pending.wish, pending)
        case Approval():
            return await approve(hands, asker, pending.wish, pending)
    assert_never(pending.wish)


@asynccontextmanager
async def _first(
    hands: Hands, caller: Caller, pending: Pending, what: str, *, by_form: bool = False
) -> AsyncIterator[Caller]:
    """Let the first who answers in, in the name of the delivery that was first; raises Taken for others.

    What came to nothing may be answered again. Where the act itself may have arrived, its own claim stands.
    """
    claim = _answer(pending.id, what)
    holder = await hands.store.claims.claim(claim, caller.claim)
    delivery_id, _, person_id = holder.partition("|")
    if holder != caller.claim and not (by_form and person_id == caller.person_id):
        raise _taken(pending, person_id)
    async with _alone(hands, caller, pending, claim):
        try:
            await _still_agreed(hands, pending)
            yield caller.model_copy(update={"delivery_id": delivery_id})
        except (Waits, StoreError):
            raise
        except Exception:
            await hands.store.claims.release(claim)
            raise


async def _still_agreed(hands: Hands, pending: Pending) -> None:
    """Raise NothingToDo where somebody has agreed to it, and it is not what they saw any more: it is over then."""
    if pending.agreed is None or pending.seen.is_still(await demands.seen_now(hands, pending.wish)):
        return
    error = NothingToDo("agreed_in_vain", what=pending.target)
    await _came_to_nothing(hands, pending, pending.agreed.called, error)
    raise error


@asynccontextmanager
async def _alone(hands: Hands, caller: Caller, pending: Pending, claim: str) -> AsyncIterator[None]:
    """Let one answer of a person in at a time; raises Taken for the second. One that died is waited for a while."""
    name = f"alone:{claim}"
    if await hands.store.claims.claim(name, caller.claim, UNDER_WAY) != caller.claim:
        raise _taken(pending, caller.person_id)
    try:
        yield
    finally:
        with suppress(StoreError):
            await hands.store.claims.release(name)


def _taken(pending: Pending, person_id: str) -> Taken:
    return Taken(person_id, f"{pending.wish.kind} {pending.target}")


def _decision(pending_id: str) -> str:
    return f"second:{pending_id}"


def _answer(pending_id: str, what: str) -> str:
    return f"answered:{pending_id}:{what}"


async def _is_decided(hands: Hands, caller: Caller, pending: Pending, verdict: str, *, by_form: bool = False) -> bool:
    """Say whether this caller has decided so before; raises NothingToDo where somebody else has, or otherwise.

    It was a run of this press, which died; of a form any that this person filled in.
    """
    holder = await hands.store.claims.holder(_decision(pending.id))
    if holder is None:
        return False
    _, person_id, decided = holder.split("|")
    is_own = (person_id, decided) == (caller.person_id, verdict) if by_form else holder == f"{caller.claim}|{verdict}"
    if not is_own:
        raise NothingToDo("decided_already", person_id=person_id)
    return True


async def _decide(hands: Hands, caller: Caller, pending: Pending, verdict: str, *, by_form: bool = False) -> None:
    """Claim the decision for who pressed; raises NothingToDo where somebody else was first."""
    await hands.store.claims.claim(_decision(pending.id), f"{caller.claim}|{verdict}")
    await _is_decided(hands, caller, pending, verdict, by_form=by_form)


async def _waiting(hands: Hands, caller: Caller, pending_id: str, claim: str) -> Pending:
    """Return the act that waits; who has answered in time, as `claim` says, may go on after that.

    Raises UsageError for one that is over, NothingToDo or Taken where it is known who let it happen.
    """
    pending = await hands.store.pending.get(pending_id)
    if pending is None or not (pending.over or _is_late(pending)):
        return _found(pending)
    _, person_id, verdict = f"{await hands.store.claims.holder(claim) or ''}||".split("|")[:3]
    if pending.over and verdict == AGREE:
        raise NothingToDo("decided_already", person_id=person_id)
    if pending.over and pending.end is None and person_id and not verdict:
        raise _taken(pending, person_id)
    return _found(None if pending.over or person_id != caller.person_id else pending)


def _is_late(pending: Pending) -> bool:
    return pending.expires_at is not None and utc_now() > pending.expires_at


def _found(pending: Pending | None) -> Pending:
    if pending is None:
        raise UsageError("This question is too old.")
    return pending


async def _may(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Ask whether somebody may do themselves what they let happen."""
    wish = pending.wish
    for word in (WORDS[wish.kind], *((Word.SSH,) if isinstance(wish, Rerun) and wish.ssh else ())):
        await hands.permissions.check(caller, word, wish.project_slug, wish.ref)


@asynccontextmanager
async def _on_record(hands: Hands, caller: Caller, pending: Pending, word: Word | None = None) -> AsyncIterator[None]:
    """Keep in the record who was refused a decision, and why."""
    try:
        yield
    except UserError as error:
        await hands.record.keep_once(ended(_entry(caller, pending, word), error), caller.delivery_id)
        mark_recorded(error)
        raise


def _subject(pending: Pending) -> Subject:
    return Subject(pending.wish.project_slug, pending.wish.project_title, pending.wish.ref)


def _only_asker(pending: Pending, caller: Caller, otherwise: str) -> None:
    if caller.person_id != pending.asker.person_id:
        raise UsageError(otherwise)


async def _end(hands: Hands, pending: Pending, end: End, why: Exception | None = None) -> None:
    """Let it be over once it was said how it ended; where a run dies in between, another can go on with that.

    With `why` it came to nothing, and the record has not yet the asker's entry of that.
    """
    if why is not None and not is_recorded(why):
        entry = ended(_entry(pending.asker, pending).model_copy(update=_agreed_by(pending)), why)
        await hands.record.keep_once(entry, pending.asker.delivery_id)
    await hands.store.pending.change(pending.id, lambda one: one.model_copy(update={"end": end}))
    await _show(hands, pending, gate.as_ended(end))
    if end.told:
        await _tell(hands, pending, gate.as_told(end))
    await hands.store.pending.change(pending.id, lambda one: one.ended)


def _agreed_by(pending: Pending) -> dict[str, str]:
    agreed = pending.agreed
    return {"agreed_id": agreed.person_id, "agreed_name": agreed.name} if agreed else {}


def _entry(caller: Caller, pending: Pending, word: Word | None = None, how: str = "") -> Entry:
    wish = pending.wish
    found = {
        "about": _subject(pending).about,
        "project_slug": wish.project_slug,
        "ref": str(wish.ref or ""),
        "pipeline_number": None if isinstance(wish, Deployment) else wish.pipeline_number,
    }
    what = f"{wish.kind} {wish.target} {how}".strip()
    return begun(caller, word or WORDS[wish.kind], what).model_copy(update=found)


async def _show(hands: Hands, pending: Pending, message: Message) -> None:
    """Put what became of it in the place of the request."""
    if pending.request_ts is None or pending.asker.place is None:
        return
    try:
        await hands.messenger.update(pending.asker.place.channel_id, pending.request_ts, message, urgent=True)
    except SlackError as error:
        log.warning("request_not_edited", pending=pending.id, method=error.method, code=error.code)


async def _tell(hands: Hands, pending: Pending, message: Message) -> None:
    place = pending.asker.place
    if place is None:
        return
    try:
        await hands.messenger.post(place.channel_id, message, thread_ts=place.thread_ts or pending.request_ts)
    except SlackError as error:
        log.warning("asker_not_told", pending=pending.id, method=error.method, code=error.code)
