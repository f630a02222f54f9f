"""What became of an approval, a rerun or a cancel whose answer was lost: it is looked for, and who pressed is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from bot.errors import CircleCIError, NotFound, PartlyDone, SlackError, StoreError, Unavailable
from bot.models.build import Build
from bot.models.caller import Caller
from bot.models.lost import Lost
from bot.models.slack import utc_now
from bot.operations.hands import Hands
from bot.operations.targets import held_by
from bot.watching.engine import LOOK_AFTER
from formatters import lost as words
from formatters.blocks import Message

LOOKS = 5  # a poll interval between two: by then CircleCI shows it, and what came to nothing may be pressed again
log = structlog.get_logger(__name__)


@asynccontextmanager
async def looked_for(hands: Hands, caller: Caller, lost: Lost) -> AsyncIterator[None]:
    """Have it looked for where the answer to a write of the block is lost; the error says so."""
    try:
        yield
    except (Unavailable, PartlyDone) as error:
        cause = error.error if isinstance(error, PartlyDone) else error
        if not caller.is_bot and isinstance(cause, Unavailable) and cause.arrived and not cause.of_read:
            with suppress(StoreError):  # then it is left to who reads it
                await hands.store.lost.save(lost)
                await hands.engine.add(LOOK_AFTER, lost.id, when=utc_now() + hands.settings.poll_interval / 2)
                cause.is_looked_for = True
        raise


async def look(hands: Hands, lost_id: str) -> timedelta | None:
    """Look whether CircleCI shows it, and say so; returns the pause before the next look."""
    lost = await hands.store.lost.get(lost_id)
    if lost is None:
        return None
    lost, message = lost.model_copy(update={"looks": lost.looks + 1}), None
    try:
        message = await _became(hands, lost, is_last=lost.looks >= LOOKS)
    except (CircleCIError, NotFound) as error:
        log.warning("lost_act_not_looked_for", lost=lost_id, error=repr(error))
    if message is None and lost.looks < LOOKS:
        await hands.store.lost.save(lost)
        return hands.settings.poll_interval
    await _tell(hands, lost, message or words.unknown(lost))
    await hands.store.lost.forget(lost_id)
    return None


async def _became(hands: Hands, lost: Lost, *, is_last: bool) -> Message | None:
    """Return what CircleCI shows; None for nothing yet, unless this `is_last`."""
    build = await hands.reads.build(lost.pipeline_id)
    match lost.act:
        case "approve":
            run, held = held_by(build, lost.approval_request_id)
            if held.waits_for_approval:
                return words.still_held(lost, build, run, held) if is_last else None
            return words.approved(lost, build) if held.status == "success" else words.stands(lost, build)
        case "rerun":
            runs = build.fingerprint != lost.fingerprint
            return words.reran(lost, build, runs=runs) if runs or is_last else None
        case "cancel":
            return words.stands(lost, build) if _has_ended(build) or is_last else None
        case _:
            runs = any(job.name == lost.job_name and not job.is_finished for run in build.runs for job in run.jobs)
            return words.job(lost, build, runs=runs) if not runs or is_last else None


def _has_ended(build: Build) -> bool:
    return all(run.workflow.is_finished for run in build.runs)


async def _tell(hands: Hands, lost: Lost, message: Message) -> None:
    try:
        if lost.place is None or lost.place.is_direct:
            await hands.direct(lost.person_id, message)
        else:
            place = lost.place
            await hands.messenger.whisper(place.channel_id, lost.person_id, message, thread_ts=place.thread_ts)
    except SlackError as error:
        log.warning("person_not_told", user=lost.person_id, method=error.method, code=error.code)
