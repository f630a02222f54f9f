"""Who asked answers what an act waits for: type it, choose; or somebody lets it go on over a red branch.

The first answer counts: it is claimed before anything is sent. A press that died is run again by the engine and goes on
with its own answer. What was filled into a form is not: there the same person goes on with theirs, in the name of the
delivery that was first.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from bot.answers.acts import Acted, Answered
from bot.answers.questions import BranchIsRed, StillRuns, Waits
from bot.errors import NothingToDo, SlackError, Slip, StoreError, Taken, UsageError
from bot.models.attempt import Demand
from bot.models.caller import Caller
from bot.models.pending import Deployment, Pending
from bot.operations import demands
from bot.operations.beside import unnamed
from bot.operations.deploy import definition_of
from bot.operations.ending import entry_of, on_record, still_agreed
from bot.operations.hands import Hands
from bot.operations.waiting import alone, answer, answered_before, carry_out, changed, waiting
from bot.policy import Word
from bot.record import ended
from formatters import gate
from formatters.links import Links

log = structlog.get_logger(__name__)

DEFINITION = "definition"


async def anyway(hands: Hands, caller: Caller, pending_id: str) -> Acted:
    """Go on over a red branch; that takes the word approve, and to look at it. Who let it is in the record.

    Where another commit is red by now than the one that was named, that is asked about anew.
    """
    pending = _asked(await waiting(hands, caller, pending_id, answer(pending_id, Demand.GREEN)), Demand.GREEN)
    caller = await hands.named(caller)
    slug, ref = pending.wish.project_slug, pending.wish.ref
    async with on_record(hands, caller, pending, Word.APPROVE):
        await hands.permitted(caller, slug, ref, Word.APPROVE)
        await hands.refuse_if_hidden(caller, slug, ref)
    is_first = await hands.store.claims.holder(answer(pending_id, Demand.GREEN)) is None
    named = {"over_red": caller.called}
    with _offered():
        if is_first and (waits := await demands.red_anew(hands, caller, pending)) is not None:
            raise waits
        async with _first(hands, caller, pending, Demand.GREEN) as first:
            await _note(hands, caller, pending)
            return await _going_on(
                hands, first, pending, lambda one: one.having_met(Demand.GREEN).model_copy(update=named)
            )


@contextmanager
def _offered() -> Iterator[None]:
    """Offer it to who may say so when the block asks anew over which red commit: they are no less permitted to."""
    try:
        yield
    except Waits as waits:
        if isinstance(waits.question, BranchIsRed):
            waits.question = waits.question.model_copy(update={"may": True, "could": ()})
        raise


async def beside(hands: Hands, caller: Caller, pending_id: str) -> Acted:
    """Go on though another deploy of the same still runs: who asked for it knows of that by now.

    Where another one was begun since, that is asked about anew: nobody let it go on beside that.
    """
    pending = _asked(await waiting(hands, caller, pending_id, answer(pending_id, Demand.ALONE)), Demand.ALONE)
    await _only_asker(hands, caller, pending, Demand.ALONE, "Only who asked for it says so.")
    async with _first(hands, caller, pending, Demand.ALONE) as first:
        if others := await unnamed(hands, caller, pending.wish, pending.id, pending.beside):
            raise await demands.beside(hands, first, pending.wish, pending, others)
        return await _going_on(hands, first, pending, lambda one: one.having_met(Demand.ALONE))


async def _note(hands: Hands, caller: Caller, pending: Pending) -> None:
    """Keep in the record who let it go over a red branch; the act itself is the asker's entry."""
    asker = pending.asker
    entry = ended(entry_of(caller, pending, Word.APPROVE, "over a red branch"))
    if caller.person_id != asker.person_id:
        entry = entry.model_copy(update={"for_id": asker.person_id, "for_name": asker.name})
    await hands.record.keep_once(entry, f"{caller.delivery_id}:over-red")


def _asked(pending: Pending, demand: Demand) -> Pending:
    """Return what waits for this; raises UsageError where it was never asked for."""
    if demand not in (*pending.open, *pending.met) and not pending.was_cut_off:
        raise UsageError("This question is too old.")
    return pending


async def to_be_typed(hands: Hands, caller: Caller, pending_id: str) -> Pending:
    """Return what waits for its target to be typed; raises NothingToDo where it has been, UsageError for others."""
    try:
        pending = await waiting(hands, caller, pending_id, answer(pending_id, Demand.TYPED))
    except Taken as error:
        if error.person_id != caller.person_id:
            raise
        raise NothingToDo("typed_already", what=error.what) from error
    await _only_asker(hands, caller, _asked(pending, Demand.TYPED), Demand.TYPED, "Only who asked for it types it.")
    return pending


async def typed(hands: Hands, caller: Caller, pending_id: str, text: str) -> Answered:
    """Go on when what the asker typed is the target; raises Slip when it is another."""
    pending = await to_be_typed(hands, caller, pending_id)
    if text.strip() != gate.to_type(pending):
        raise Slip("typed", "typed_wrong", what=gate.to_type(pending))
    async with _first(hands, caller, pending, Demand.TYPED, by_form=True) as first:
        try:
            await _going_on(hands, first, pending, lambda one: one.having_met(Demand.TYPED))
        except Waits as waits:
            if isinstance(waits.question, StillRuns | BranchIsRed):
                await _ask_outside(hands, waits.question)
            raise
    return Answered(answer="typed")


async def _ask_outside(hands: Hands, asked: StillRuns | BranchIsRed) -> None:
    """Ask where the act was asked for: in a window that has been sent nothing can be pressed."""
    asker, place = asked.pending.asker, asked.pending.asker.place
    links = Links(web_url=hands.settings.web_url)
    message = gate.still_runs(asked, links) if isinstance(asked, StillRuns) else gate.red(asked)
    if place is None or place.is_direct:
        await hands.direct(asker.person_id, message)
        return
    try:
        await hands.messenger.whisper(place.channel_id, asker.person_id, message, thread_ts=place.thread_ts)
    except SlackError as error:
        log.warning("question_not_asked", method=error.method, code=error.code)


async def _only_asker(hands: Hands, caller: Caller, pending: Pending, what: str, otherwise: str) -> None:
    """Raise UsageError for anybody but who asked; what is answered already says so."""
    if caller.person_id == pending.asker.person_id:
        return
    if holder := await hands.store.claims.holder(answer(pending.id, what)):
        raise await answered_before(hands, pending, what, holder.split("|")[1])
    raise UsageError(otherwise)


async def choose(
    hands: Hands, caller: Caller, pending_id: str, definition_id: str, before: Deployment | None = None
) -> Acted:
    """Go on with the pipeline definition that the asker chose, where a choice is what was asked; the first counts.

    `before` is the deployment of a question that an earlier version put, and kept nothing of.
    """
    if before is not None and await hands.store.pending.get(pending_id) is None:
        await _waits_again(hands, caller, pending_id, before, definition_id)
    pending = await waiting(hands, caller, pending_id, answer(pending_id, DEFINITION))
    await _only_asker(hands, caller, pending, DEFINITION, "Only who asked for it chooses.")
    if not isinstance(pending.wish, Deployment) or not pending.choices:
        raise UsageError("This question is too old.")
    chosen = await definition_of(hands, pending.wish.project_slug, definition_id)
    wish = pending.wish.model_copy(update=chosen)
    async with _first(hands, caller, pending, DEFINITION) as first:
        return await _going_on(hands, first, pending, lambda one: one.wishing(wish))


async def _waits_again(hands: Hands, caller: Caller, pending_id: str, before: Deployment, definition_id: str) -> None:
    """Let a deployment wait that an earlier version asked about; raises Taken where that was answered."""
    attempt = await hands.store.attempts.get(pending_id)
    if attempt is not None:
        raise Taken(attempt.asker_id, f"deploy {before.target}")
    asked = demands.waiting(hands, caller.model_copy(update={"delivery_id": pending_id}), before)
    choices = () if before.definition_id else (definition_id,)
    await hands.store.pending.save(asked.model_copy(update={"choices": choices}))


async def _going_on(hands: Hands, caller: Caller, pending: Pending, answered: Callable[[Pending], Pending]) -> Acted:
    """Carry out what was answered, and let it be over; what is asked next is raised as Waits."""
    pending = await changed(hands, pending, answered)
    acted = await carry_out(hands, caller, pending)
    await hands.store.pending.change(pending.id, lambda one: one.ended)
    return acted


@asynccontextmanager
async def _first(
    hands: Hands, caller: Caller, pending: Pending, what: str, *, by_form: bool = False
) -> AsyncIterator[Caller]:
    """Let the first who answers in, in the name of the delivery that was first; raises Taken for others.

    What came to nothing may be answered again. Where the act itself may have arrived, its own claim stands.
    """
    claim = answer(pending.id, what)
    holder = await hands.store.claims.claim(claim, caller.claim)
    delivery_id, _, person_id = holder.partition("|")
    if holder != caller.claim and not (by_form and person_id == caller.person_id):
        raise await answered_before(hands, pending, what, person_id)
    async with alone(hands, caller, pending, claim):
        try:
            await still_agreed(hands, pending)
            yield caller.model_copy(update={"delivery_id": delivery_id})
        except StoreError:
            raise
        except Waits as waits:
            if waits.question.pending.id != pending.id:  # it was asked anew, and nothing is under way
                await hands.store.claims.release(claim)
            raise
        except Exception:
            await hands.store.claims.release(claim)
            raise
