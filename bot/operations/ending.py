"""How an act that waited ends: that is kept before it is said, to the channel, to who asked and in the record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import structlog

from bot.answered import decision_on
from bot.answers.questions import Waits
from bot.errors import BotError, NothingToDo, PartlyDone, SlackError, StoreError, Unavailable, UserError, did_nothing
from bot.models.audit import Entry
from bot.models.caller import Caller
from bot.models.pending import Deployment, End, Pending, Wish
from bot.operations.hands import Hands, Subject
from bot.operations.seen import seen_now
from bot.operations.standing import others
from bot.policy import Word
from bot.record import begun, ended, is_recorded, mark_recorded
from formatters import agreement, endings, errors, gate
from formatters.blocks import Message

log = structlog.get_logger(__name__)
OTHERWISE, EXPIRED = "otherwise", "expired||"
WORDS = {"deploy": Word.DEPLOY, "rerun": Word.RERUN, "approve": Word.APPROVE, "cancel": Word.CANCEL}


async def end(hands: Hands, pending: Pending, how: End, why: Exception | None = None) -> None:
    """Let it be over once it was said how it ended; where a run dies in between, another can go on with that.

    With `why` it came to nothing, and the record has not yet the asker's entry of that.
    """
    if why is not None and not is_recorded(why):
        entry = ended(entry_of(pending.asker, pending).model_copy(update=_agreed_by(pending)), why)
        await hands.record.keep_once(entry, pending.asker.delivery_id)
    if (why_asked := agreement.said_why(pending.asker)) and why_asked not in how.more:
        how = how.model_copy(update={"more": (*how.more, why_asked)})
    await hands.store.pending.change(pending.id, lambda one: one.model_copy(update={"end": how}))
    await _show(hands, pending, endings.as_ended(how))
    if how.told:
        await _tell(hands, pending, endings.as_told(pending, how))
    await hands.store.pending.change(pending.id, lambda one: one.ended)


async def found_out(hands: Hands, pending: Pending, how: End) -> None:
    """Let one that is over say how it ended after all, where nobody could tell."""
    if (why_asked := agreement.said_why(pending.asker)) and why_asked not in how.more:
        how = how.model_copy(update={"more": (*how.more, why_asked)})
    await hands.store.pending.change(pending.id, lambda one: one.model_copy(update={"end": how}), though_over=True)
    await _show(hands, pending, endings.as_ended(how))


async def came_to_nothing(hands: Hands, pending: Pending, name: str, error: Exception) -> None:
    """End what was agreed to in vain; a question that it met at the last is no answer, and in no record yet."""
    is_sure = isinstance(error, Waits) or did_nothing(error)
    if isinstance(error, Waits):
        why = gate.question(error.question).text
        error = NothingToDo("agreed_in_vain", what=pending.target)
    else:
        why = errors.error(error).text if isinstance(error, BotError) else endings.interrupted()
    shown, lost = endings.agreed_in_vain(pending, name, why, is_sure=is_sure).text, _lost(error)
    is_sought = lost == "looked for" and not isinstance(error, PartlyDone)
    how = End(shown=shown, in_vain=True, lost=lost)
    await end(hands, pending, endings.looked_for(pending, name) if is_sought else how, error)


def _lost(error: Exception) -> Literal["", "looked for", "not found", "in part"]:
    """Say whether it may have been done without an answer, or was in part: nobody refused it then."""
    cause = error.error if isinstance(error, PartlyDone) else error
    if isinstance(cause, Unavailable) and cause.is_looked_for:
        return "looked for"
    if isinstance(error, PartlyDone):
        return "in part"
    return "" if did_nothing(error) else "not found"


async def still_agreed(hands: Hands, pending: Pending) -> None:
    """Raise NothingToDo where somebody has agreed to it, and it is not what they saw any more: it is over then."""
    if pending.agreed is None or pending.seen.is_still(await seen_now(hands, pending.wish)):
        return
    error = NothingToDo("agreed_in_vain", what=pending.target)
    await came_to_nothing(hands, pending, pending.agreed.called, error)
    raise error


async def overtaken(hands: Hands, caller: Caller, wish: Wish, pending: Pending | None) -> None:
    """End what others were still to agree to or to answer about the very thing that is done now.

    Who is asked whether theirs may run beside this very deploy goes on being asked.
    """
    done = pending.id if pending else caller.delivery_id
    try:
        for one in await others(hands, wish, pending.id if pending else ""):
            if done not in one.beside:
                await _overtaken(hands, caller, one)
    except StoreError as error:
        log.warning("questions_not_ended", error=str(error))  # what was done is done


async def _overtaken(hands: Hands, caller: Caller, pending: Pending) -> None:
    """End one, unless somebody decides it at this moment; of what one person sees alone nothing is to be said yet."""
    mine, how = f"{caller.claim}|{OTHERWISE}", done_otherwise(pending, caller.called)
    if pending.request_ts is None:
        over = {"end": how, "over": True, "open": ()}
        await hands.store.pending.change(pending.id, lambda one: one.model_copy(update=over))
    elif await hands.store.claims.claim(decision(pending.id), mine) == mine:
        await end(hands, pending, how, NothingToDo("done_otherwise", person_id=caller.person_id))


def done_otherwise(pending: Pending, name: str) -> End:
    """Return how it ends where somebody did the same without it."""
    told = endings.overtaken_to_asker(pending, name) if pending.request_ts else None
    return End(shown=endings.overtaken(pending, name).text, told=told.text if told else "")


def decision(pending_id: str) -> str:
    """Return the name of the claim on agreeing and declining."""
    return decision_on(pending_id)


async def ended_meanwhile(hands: Hands, pending: Pending) -> None:
    """Say once more how it ended, where somebody ended it while the request was written anew."""
    now = await hands.store.pending.get(pending.id)
    if now is not None and now.end is not None:
        await _show(hands, now, endings.as_ended(now.end))


@asynccontextmanager
async def on_record(hands: Hands, caller: Caller, pending: Pending, word: Word | None = None) -> AsyncIterator[None]:
    """Keep in the record who was refused a decision, and why."""
    try:
        yield
    except UserError as error:
        await hands.record.keep_once(ended(entry_of(caller, pending, word), error), caller.delivery_id)
        mark_recorded(error)
        raise


def entry_of(caller: Caller, pending: Pending, word: Word | None = None, how: str = "") -> Entry:
    """Return the entry of the record of who answers, or asked."""
    wish = pending.wish
    found = {
        "about": subject(pending).about,
        "project_slug": wish.project_slug,
        "ref": str(wish.ref or ""),
        "pipeline_number": None if isinstance(wish, Deployment) else wish.pipeline_number,
    }
    what = f"{wish.kind} {wish.target} {how}".strip()
    if pending.asker.agent and not caller.agent:
        found |= {"for_id": pending.asker.person_id, "for_name": pending.asker.called}
    return begun(caller, word or WORDS[wish.kind], what).model_copy(update=found)


def subject(pending: Pending) -> Subject:
    """Return what it is about."""
    return Subject(pending.wish.project_slug, pending.wish.project_title, pending.wish.ref)


def _agreed_by(pending: Pending) -> dict[str, str]:
    agreed = pending.agreed
    return {"agreed_id": agreed.person_id, "agreed_name": agreed.name} if agreed else {}


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
