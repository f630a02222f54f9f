"""Answers to what an act waits for: agree, decline, deploy all the same, type it, choose; or nobody answers in time.

The first answer counts: it is claimed before anything is read again, and all of it is read again before anything is
sent.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never

import structlog

from bot.answers.acts import Acted, Answered
from bot.answers.questions import Waits
from bot.errors import BotError, NothingToDo, SlackError, StoreError, Taken, UsageError, UserError
from bot.models.attempt import Demand
from bot.models.audit import Entry
from bot.models.caller import Caller
from bot.models.pending import Approval, Deployment, Pending, Rerun
from bot.models.slack import utc_now
from bot.operations import demands
from bot.operations.approve import approve
from bot.operations.deploy import definition_of, deploy
from bot.operations.frame import did_nothing
from bot.operations.hands import Hands, Subject
from bot.operations.rerun import rerun
from bot.policy import Word
from bot.record import begun, ended, mark_recorded
from formatters import errors, gate
from formatters.blocks import Message

log = structlog.get_logger(__name__)
WORDS = {"deploy": Word.DEPLOY, "rerun": Word.RERUN, "approve": Word.APPROVE}


async def agree(hands: Hands, caller: Caller, pending_id: str) -> Acted:
    """Let it happen; who asked for it cannot agree, and the first who decides counts.

    What was pushed since it was asked is shown first, and agreed to anew: raises NothingToDo then.
    """
    pending, caller = await _waiting(hands, pending_id), await hands.named(caller)
    async with _on_record(hands, caller, pending):
        if caller.person_id == pending.asker.person_id:
            raise NothingToDo("not_your_own")
        await _may(hands, caller, pending)
        if not await _is_decided(hands, caller, pending, "agree"):
            await _as_it_was_asked(hands, caller, pending)
        await _decide(hands, caller, pending, "agree")
    pending = await hands.store.pending.save(
        pending.having_met(Demand.SECOND_PERSON).model_copy(update={"agreed": caller})
    )
    try:
        acted = await carry_out(hands, caller, pending)
    except BotError as error:
        await _show(hands, pending, _in_vain(pending, caller, error))
        raise
    await _show(hands, pending, gate.agreed(pending, caller.called))
    return acted


async def _as_it_was_asked(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Raise Locked, or NothingToDo where something was pushed since: the request shows it then."""
    await hands.refuse_if_locked(_subject(pending), WORDS[pending.wish.kind], caller.person_id, pending.asker.person_id)
    if not pending.seen.is_still(await demands.seen_now(hands, pending.wish)):
        await demands.request(hands, pending)
        raise NothingToDo("changed_meanwhile", what=pending.target)


def _in_vain(pending: Pending, caller: Caller, error: BotError) -> Message:
    if isinstance(error, Waits):
        return gate.agreed_in_vain(pending, caller.called, gate.question(error.question).text)
    why = errors.error(error).text
    return gate.agreed_in_vain(pending, caller.called, why, is_sure=did_nothing(error))


async def decline(hands: Hands, caller: Caller, pending_id: str, reason: str) -> Answered:
    """Let it end there; the asker reads the reason in the thread."""
    pending, caller = await _waiting(hands, pending_id), await hands.named(caller)
    async with _on_record(hands, caller, pending):
        await _may(hands, caller, pending)
        await _decide(hands, caller, pending, "decline")
    await _end(hands, pending, NothingToDo("declined", person_id=caller.person_id))
    await _show(hands, pending, gate.declined(pending, caller.called, reason))
    await _tell(hands, pending, gate.declined_to_asker(pending, caller.called, reason))
    return Answered(answer="decline")


async def expire(hands: Hands, pending_id: str) -> None:
    """Let a request that nobody decided end; the asker is told in the thread."""
    pending = await hands.store.pending.get(pending_id)
    if pending is None or pending.over or not pending.open:
        return
    if await hands.store.claims.claim(f"second:{pending_id}", "expired||") != "expired||":
        return
    await _end(hands, pending, NothingToDo("expired"))
    await _show(hands, pending, gate.expired(pending))
    await _tell(hands, pending, gate.expired_to_asker(pending))


async def anyway(hands: Hands, caller: Caller, pending_id: str) -> Acted:
    """Go on over a red branch; that takes the word approve."""
    pending = await _waiting(hands, pending_id)
    slug, ref = pending.wish.project_slug, pending.wish.ref
    await hands.permissions.check(caller, Word.APPROVE, slug, ref)
    async with _first(hands, caller, pending, Demand.GREEN):
        return await carry_out(hands, caller, await _met(hands, pending, Demand.GREEN))


async def typed(hands: Hands, caller: Caller, pending_id: str, text: str) -> Answered:
    """Go on when what the asker typed is the target; raises NothingToDo when it is another."""
    pending = await _waiting(hands, pending_id)
    _only_asker(pending, caller, "Only who asked for it types it.")
    if text.strip() != gate.to_type(pending):
        raise NothingToDo("typed_wrong", what=gate.to_type(pending))
    async with _first(hands, caller, pending, Demand.TYPED):
        await carry_out(hands, caller, await _met(hands, pending, Demand.TYPED))
    return Answered(answer="typed")


async def choose(
    hands: Hands, caller: Caller, pending_id: str, definition_id: str, before: Deployment | None = None
) -> Acted:
    """Go on with the pipeline definition that the asker chose; the first choice counts.

    `before` is the deployment of a question that an earlier version put, and kept nothing of.
    """
    if before is not None and await hands.store.pending.get(pending_id) is None:
        await _waits_again(hands, caller, pending_id, before)
    pending = await _waiting(hands, pending_id)
    _only_asker(pending, caller, "Only who asked for it chooses.")
    if not isinstance(pending.wish, Deployment):
        raise UsageError("This question is too old.")
    chosen = await definition_of(hands, pending.wish.project_slug, definition_id)
    async with _first(hands, caller, pending, "definition"):
        wish = pending.wish.model_copy(update={"definition_id": chosen})
        pending = await hands.store.pending.save(pending.model_copy(update={"wish": wish}))
        return await carry_out(hands, caller, pending)


async def _waits_again(hands: Hands, caller: Caller, pending_id: str, before: Deployment) -> None:
    """Let a deployment wait that an earlier version asked about; raises Taken where that was answered."""
    attempt = await hands.store.attempts.get(pending_id)
    if attempt is not None:
        raise Taken(attempt.asker_id, f"deploy {before.target}")
    asker = caller.model_copy(update={"delivery_id": pending_id})
    await hands.store.pending.save(demands.waiting(hands, asker, before))


async def carry_out(hands: Hands, caller: Caller, pending: Pending) -> Acted:
    """Carry out what waited, as its asker would, in the name of the delivery that lets it happen."""
    asker = pending.asker.model_copy(update={"delivery_id": caller.delivery_id})
    match pending.wish:
        case Deployment():
            return await deploy(hands, asker, pending.wish, pending)
        case Rerun():
            return await rerun(hands, asker, pending.wish, pending)
        case Approval():
            return await approve(hands, asker, pending.wish, pending)
    assert_never(pending.wish)


@asynccontextmanager
async def _first(hands: Hands, caller: Caller, pending: Pending, what: str) -> AsyncIterator[None]:
    """Let the first who answers in; raises Taken for others. What came to nothing may be answered again.

    Where the act itself may have arrived, its own claim stands.
    """
    claim = f"answered:{pending.id}:{what}"
    holder = await hands.store.claims.claim(claim, caller.claim)
    if holder != caller.claim:
        raise Taken(holder.partition("|")[2], f"{pending.wish.kind} {pending.target}")
    try:
        yield
    except (Waits, StoreError):
        raise
    except Exception:
        await hands.store.claims.release(claim)
        raise


async def _is_decided(hands: Hands, caller: Caller, pending: Pending, verdict: str) -> bool:
    """Say whether a run of this press before, which died, has decided; raises NothingToDo where somebody else has."""
    holder = await hands.store.claims.holder(f"second:{pending.id}")
    if holder not in (None, f"{caller.claim}|{verdict}"):
        raise NothingToDo("decided_already", person_id=holder.split("|")[1])
    return holder is not None


async def _decide(hands: Hands, caller: Caller, pending: Pending, verdict: str) -> None:
    """Claim the decision for who pressed; raises NothingToDo where somebody else was first."""
    await hands.store.claims.claim(f"second:{pending.id}", f"{caller.claim}|{verdict}")
    await _is_decided(hands, caller, pending, verdict)


async def _met(hands: Hands, pending: Pending, demand: Demand) -> Pending:
    return await hands.store.pending.save(pending.having_met(demand))


async def _waiting(hands: Hands, pending_id: str) -> Pending:
    pending = await hands.store.pending.get(pending_id)
    if pending is None or pending.over or (pending.expires_at is not None and utc_now() > pending.expires_at):
        raise UsageError("This question is too old.")
    return pending


async def _may(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Ask whether somebody may do themselves what they let happen."""
    wish = pending.wish
    for word in (WORDS[wish.kind], *((Word.SSH,) if isinstance(wish, Rerun) and wish.ssh else ())):
        await hands.permissions.check(caller, word, wish.project_slug, wish.ref)


@asynccontextmanager
async def _on_record(hands: Hands, caller: Caller, pending: Pending) -> AsyncIterator[None]:
    """Keep in the record who was refused a decision, and why."""
    try:
        yield
    except UserError as error:
        await hands.record.keep_once(ended(_entry(caller, pending), error), caller.delivery_id)
        mark_recorded(error)
        raise


def _subject(pending: Pending) -> Subject:
    return Subject(pending.wish.project_slug, pending.wish.project_title, pending.wish.ref)


def _only_asker(pending: Pending, caller: Caller, otherwise: str) -> None:
    if caller.person_id != pending.asker.person_id:
        raise UsageError(otherwise)


async def _end(hands: Hands, pending: Pending, why: BotError) -> None:
    """Let it be over, and keep in the record that it came to nothing."""
    await hands.store.pending.save(pending.model_copy(update={"over": True, "open": ()}))
    await hands.record.keep_once(ended(_entry(pending.asker, pending), why), pending.asker.delivery_id)


def _entry(caller: Caller, pending: Pending) -> Entry:
    wish = pending.wish
    found = {
        "about": _subject(pending).about,
        "project_slug": wish.project_slug,
        "ref": str(wish.ref or ""),
        "pipeline_number": None if isinstance(wish, Deployment) else wish.pipeline_number,
    }
    return begun(caller, WORDS[wish.kind], f"{wish.kind} {wish.target}").model_copy(update=found)


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
