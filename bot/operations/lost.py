"""What became of an approval, a rerun or a cancel whose answer was lost: it is looked for, and who pressed is told.

What is found done is as if its answer had come: it is followed where it was asked for, the record has it, and the
request of a second person says so.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import NamedTuple

import structlog

from bot.errors import CircleCIError, NotFound, PartlyDone, SlackError, StoreError, Unavailable
from bot.models.audit import Outcome
from bot.models.build import Build
from bot.models.caller import Caller, Place
from bot.models.lost import Lost
from bot.models.pending import End, Pending
from bot.models.slack import utc_now
from bot.operations import following, unanswered
from bot.operations.beside import note_rerun
from bot.operations.ending import found_out
from bot.operations.frame import Act
from bot.operations.hands import Hands
from bot.operations.targets import held_by
from bot.watching.engine import LOOK_AFTER
from formatters import endings, errors
from formatters import lost as words
from formatters.blocks import Message
from formatters.links import Links

LOOKS = 5  # a poll interval between two: by then CircleCI shows it, and what came to nothing may be pressed again
FOUND, IN_PART = "its answer was lost, and it was done", "its answer was lost, and only a part of it was done"
log = structlog.get_logger(__name__)


class _Sent:
    """What is sent within the block, once it is known."""

    act: Act | None = None


class Became(NamedTuple):
    """What a look shows: the words for who pressed, and whether all of it was done, or the names of a `part`."""

    told: Message
    is_done: bool = False
    part: str = ""


@asynccontextmanager
async def looked_for(hands: Hands, caller: Caller, lost: Lost, pending: Pending | None) -> AsyncIterator[_Sent]:
    """Have it looked for where the answer to a write of the block is lost; the error says so.

    What an agent did by itself, and CircleCI took in part, is kept so: nobody else would tell it.
    """
    sent = _Sent()
    try:
        yield sent
    except (Unavailable, PartlyDone) as error:
        cause = error.error if isinstance(error, PartlyDone) else error
        if not caller.is_bot and isinstance(cause, Unavailable) and cause.arrived and not cause.of_read:
            with suppress(StoreError):  # then it is left to who reads it
                await hands.store.lost.save(_whole(lost, caller, pending, sent.act))
                if pending is None and caller.agent:
                    await _asked_alone(hands, lost, {"lost": "looked for"})
                await hands.engine.add(LOOK_AFTER, lost.id, when=utc_now() + hands.settings.poll_interval / 2)
                cause.is_looked_for = True
        elif isinstance(error, PartlyDone) and pending is None and caller.agent:
            with suppress(StoreError):
                number = sent.act.subject.number if sent.act else None
                part = {"lost": "in part", "became": errors.error(error).text, "pipeline_number": number}
                await _asked_alone(hands, lost, part)
        raise


def _whole(lost: Lost, caller: Caller, pending: Pending | None, act: Act | None) -> Lost:
    whose = {"caller": act.caller if act else caller, "entry": act.noted if act else None}
    request = {"pending_id": pending.id, "agreed": pending.agreed} if pending else {}
    return lost.model_copy(update={**whose, **request})


async def look(hands: Hands, lost_id: str) -> timedelta | None:
    """Look whether CircleCI shows it, and say so; returns the pause before the next look."""
    lost = await hands.store.lost.get(lost_id)
    if lost is None:
        return None
    build, found = None, None
    try:
        build = await hands.reads.build(lost.pipeline_id)
        lost = lost.model_copy(update={"looks": lost.looks + 1})
        found = became(lost, build, is_last=lost.looks >= LOOKS)
    except NotFound as error:
        log.warning("lost_act_not_looked_for", lost=lost_id, error=repr(error))
    except CircleCIError as error:
        log.warning("lost_act_not_looked_for", lost=lost_id, error=repr(error))
        lost = lost.model_copy(update={"unanswered": lost.unanswered + 1})
        if pause := unanswered.pause(lost.unanswered, hands.settings.poll_interval):
            await hands.store.lost.save(lost)
            if lost.unanswered == unanswered.TOLD_AFTER:
                await _tell_all(hands, lost, words.unknown(lost, goes_on=True), None)
            return pause
    if build is not None and found is None and lost.looks < LOOKS:
        await hands.store.lost.save(lost)
        return hands.settings.poll_interval
    await _settled(hands, lost, build, found)
    await _tell_all(hands, lost, found.told if found else words.unknown(lost), build)
    await hands.store.lost.forget(lost_id)
    return None


def became(lost: Lost, build: Build, *, is_last: bool) -> Became | None:
    """Return what CircleCI shows; None for nothing yet, unless this `is_last`. What else goes on tells nothing."""
    match lost.act:
        case "approve":
            return _approved(lost, build, is_last=is_last)
        case "rerun":
            return _reran(lost, build, is_last=is_last)
        case "cancel":
            return _stopped(lost, build, is_last=is_last)
        case _:
            return _job_stopped(lost, build, is_last=is_last)


def _approved(lost: Lost, build: Build, *, is_last: bool) -> Became | None:
    run, held = held_by(build, lost.approval_request_id)
    if held.waits_for_approval:
        return Became(words.still_held(lost, build, run, held)) if is_last else None
    if held.status == "success":
        return Became(words.approved(lost, build), is_done=True)
    return Became(words.stands(lost, build))


def _reran(lost: Lost, build: Build, *, is_last: bool) -> Became | None:
    """Say whether each workflow that was sent has run again: it is another one by then."""
    if not lost.workflows:  # an earlier version did not write them down
        runs = build.fingerprint != lost.fingerprint
        return Became(words.reran(lost, build, runs=runs), runs) if runs or is_last else None
    now = {run.workflow.id for run in build.runs}
    left = [name for one, name in lost.workflows.items() if one in now]
    again = [name for one, name in lost.workflows.items() if one not in now]
    if left and not is_last:
        return None
    if left and again:
        return Became(words.reran_in_part(lost, build, again, left), part=", ".join(again))
    return Became(words.reran(lost, build, runs=bool(again)), bool(again))


def _stopped(lost: Lost, build: Build, *, is_last: bool) -> Became | None:
    """Say what of that which was to end goes on: it may be all, where an earlier version did not write down what."""
    meant = [run for run in build.runs if run.workflow.id in lost.workflows or not lost.workflows]
    left = [run.workflow.name for run in meant if not run.workflow.is_finished]
    if left and not is_last:
        return None
    gone = [run.workflow.name for run in meant if run.workflow.status == "canceled"]
    told = words.stopped(lost, build, left, gone)
    return Became(told, part=", ".join(gone)) if left else Became(told, bool(gone))


def _job_stopped(lost: Lost, build: Build, *, is_last: bool) -> Became | None:
    jobs = [job for run in build.runs for job in run.jobs]
    is_named = not lost.job_number  # by an earlier version, which did not write down its number
    meant = [one for one in jobs if (one.name == lost.job_name if is_named else one.job_number == lost.job_number)]
    runs = any(not job.is_finished for job in meant)
    if runs and not is_last:
        return None
    gone, told = any(job.status == "canceled" for job in meant), words.job(lost, build, runs=runs)
    return Became(told, gone and not runs, lost.job_name if gone and runs else "")


async def _settled(hands: Hands, lost: Lost, build: Build | None, found: Became | None) -> None:
    """Let what was done be as if its answer had come; a request, and an agent that asked, are told anyway."""
    if found and build and (found.is_done or found.part):
        await _on_record(hands, lost, found)
        await _follow(hands, lost, build)
    pending = await hands.store.pending.get(lost.pending_id) if lost.pending_id else None
    if pending is not None and lost.agreed is not None:
        await found_out(hands, pending, _how(hands, pending, lost.agreed.called, lost, build, found))
    elif lost.by.agent and not lost.pending_id:
        is_done, told = bool(found and found.is_done), found.told if found else words.unknown(lost)
        attempt = max((run.attempt for run in build.runs), default=0) if build and lost.act == "rerun" else 0
        how = "in part" if found and found.part else "" if is_done else "not found"
        number = build.pipeline.number if build else None
        became = {"lost": how, "became": told.text, "attempt": attempt, "pipeline_number": number}
        await _asked_alone(hands, lost, became)


def _how(hands: Hands, pending: Pending, name: str, lost: Lost, build: Build | None, found: Became | None) -> End:
    """Return how a request ends of which it was looked for what became of it."""
    if found is None or build is None:
        return endings.not_found(pending, name, words.unknown(lost).text)
    if found.is_done:
        page = Links(web_url=hands.settings.web_url).pipeline(build.pipeline.project_slug, build.pipeline.number)
        return endings.agreed(pending, name, page, build.pipeline.number)
    if found.part:
        return endings.in_part(pending, name, found.told.text)
    return endings.not_found(pending, name, found.told.text)


async def _asked_alone(hands: Hands, lost: Lost, became: Mapping[str, object]) -> None:
    """Let what an agent did by itself say how that stands."""
    asked = await hands.store.asked.get(lost.id)
    if asked is not None:
        known = {"stands": True, "pipeline_id": lost.pipeline_id, "project_title": lost.project_title}
        await hands.store.asked.save(asked.model_copy(update={**known, **became}))


async def _on_record(hands: Hands, lost: Lost, found: Became) -> None:
    """Keep that it was done, or what of it: what is on record says that it failed."""
    if lost.entry is None:
        return
    came, outcome = (f"{IN_PART}: {found.part}", Outcome.FAILED) if found.part else (FOUND, Outcome.DONE)
    result = f"{lost.entry.result}; {came}".removeprefix("; ")
    entry = lost.entry.model_copy(update={"at": utc_now(), "outcome": outcome, "result": result})
    await hands.record.keep_once(entry, f"{lost.id}:found" if found.part else lost.id)


async def _follow(hands: Hands, lost: Lost, build: Build) -> None:
    """Let who did it hear of what comes of it: in the threads that follow it, else where they did it."""
    caller, pipeline_id = lost.by, lost.pipeline_id
    if lost.act not in ("rerun", "approve") or lost.caller is None:
        return
    act, lease = "rerun" if lost.act == "rerun" else "approved", hands.settings.lease
    async with hands.store.watches.fence(pipeline_id, lease, wait=lease):
        for watch in await hands.store.watches.of(pipeline_id):
            await hands.store.watches.save(watch, watch.acted_on(caller, act))
    if lost.wish is not None:
        await note_rerun(hands, caller, lost.wish, lost.fingerprint)
    try:
        if caller.place and (lost.act == "rerun" or not await hands.store.watches.any(pipeline_id)):
            await following.follow(hands, caller, build.pipeline, lost.project_title, act=act)
    except SlackError as error:
        log.warning("lost_act_not_followed", lost=lost.id, method=error.method, code=error.code)
    await hands.look_again(pipeline_id)


async def _tell_all(hands: Hands, lost: Lost, message: Message, build: Build | None) -> None:
    for person in {one.person_id: one for one in (lost.by, lost.agreed) if one}.values():
        await _tell(hands, person, message, build)


async def _tell(hands: Hands, person: Caller, message: Message, build: Build | None) -> None:
    """Tell somebody where they did it; where Slack does not take that, in direct messages, if they may look there."""
    place = None if person.directly else person.place
    try:
        if place is None or place.is_direct:
            await hands.direct(person.person_id, message)
        else:
            await hands.messenger.whisper(place.channel_id, person.person_id, message, thread_ts=place.thread_ts)
    except SlackError as error:
        log.warning("person_not_told", user=person.person_id, method=error.method, code=error.code)
        if await _may_look_alone(hands, person, build):
            await hands.direct(person.person_id, message)


async def _may_look_alone(hands: Hands, person: Caller, build: Build | None) -> bool:
    try:
        place = Place(channel_id=await hands.messenger.direct_channel(person.person_id))
        alone = person.model_copy(update={"place": place})
        return build is None or await hands.finder.may_read(alone, build.pipeline.project_slug, build.pipeline.ref)
    except (SlackError, CircleCIError, NotFound):
        return False
