"""Cancel a build, or one of its jobs: cancelled twice is cancelled, so nothing stands in its way for long."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import structlog

from bot.answers.acts import Acted
from bot.errors import NothingToCancelYet, NothingToDo, PartlyDone, Rejected
from bot.lookup import known
from bot.models.build import Build, Run
from bot.models.caller import Caller
from bot.models.circleci import TERMINAL_JOB_STATUSES, PipelineId, ProjectSlug, WorkflowId
from bot.models.lost import Lost, names
from bot.models.pending import Cancellation, Pending
from bot.models.slack import CANCELLED
from bot.operations.ending import overtaken
from bot.operations.frame import Act, Intent, acting, partly
from bot.operations.hands import Hands, Subject
from bot.operations.lost import looked_for
from bot.operations.seen import refuse_unseen
from bot.operations.targets import named, nothing_of
from bot.policy import Word
from formatters import agreement, replies

log = structlog.get_logger(__name__)

ENDED_BY_ITSELF = 400
INTERVALS = 12  # of polling: by then CircleCI shows it, or it may be pressed again


async def cancel(
    hands: Hands,
    caller: Caller,
    pipeline_id: PipelineId,
    reruns: int | None = None,
    pending: Pending | None = None,
) -> Acted:
    """Cancel every workflow of the pipeline that is not finished; raises NothingToDo where none runs.

    So it does where it has run again since it had so many `reruns`: that is not what was pressed on. A person is asked
    nothing; what an agent asks for, a person lets happen.
    """
    build = await hands.reads.build(pipeline_id)
    may_look = await hands.finder.may_read(caller, build.pipeline.project_slug, build.pipeline.ref)
    if may_look and reruns is not None and reruns < build.reruns and _open(build):
        raise nothing_of(build, "ran_again", what=f"cancel {named(build)}")
    title = await hands.finder.title(build.pipeline.project_slug)
    if may_look and caller.agent and pending is None and not _open(build):
        raise _nothing_to_cancel(build, title)  # before anybody is asked for it
    number, wish = f"#{build.pipeline.number}", _wished(build, title)
    once = f"cancel:{pipeline_id}:{build.fingerprint}" if _open(build) else None
    intent = _intent(hands, Subject.of(build.pipeline, title), number, once)
    intent = replace(intent, wish=wish if caller.agent else None, pending=pending)
    lost = _lost(caller, "cancel", pipeline_id, title).model_copy(update={"workflows": names(_open(build))})
    async with looked_for(hands, caller, lost, pending) as looks, acting(hands, caller, intent) as act:
        looks.act = act
        refuse_unseen(pending, build, wish)
        try:
            await _cancel_all(hands, act, build, title)
        except PartlyDone as error:
            await _tell(hands, act, pipeline_id, error.done, "")
            raise
        act.note(result=number)
    await overtaken(hands, act.caller, wish, pending)
    told = await _tell(hands, act, pipeline_id, number, CANCELLED)
    return act.done("cancel", what=number, told=told)


async def _tell(hands: Hands, act: Act, pipeline_id: PipelineId, what: str, done: str) -> bool:
    """Tell the threads who cancelled what, and what that is `done` to the whole, if anything."""
    about, agreed = act.subject.build, act.agreed_name
    word = replies.someone_acted(
        "cancel", act.caller.called, what, pressed=act.caller.pressed, about=about, agreed=agreed
    )
    word = replies.saying_why(word, agreement.said_why(act.caller))
    return await hands.tell(pipeline_id, act.caller, done, word, agreed=agreed)


def _wished(build: Build, title: str) -> Cancellation:
    pipeline = build.pipeline
    return Cancellation(
        project_slug=pipeline.project_slug,
        project_title=title,
        ref=pipeline.ref,
        pipeline_id=pipeline.id,
        pipeline_number=pipeline.number,
        reruns=build.reruns,
    )


def _open(build: Build) -> list[Run]:
    return [run for run in build.runs if not run.workflow.is_finished]


async def _cancel_all(hands: Hands, act: Act, build: Build, title: str) -> None:
    """Cancel what is open; what a run of this very press, which died, has cancelled may be over by now."""
    taken, sent = list[bool](), list[str]()
    for run in _open(build):
        async with partly(sent):
            taken.append(await _cancelled(hands, act, run.workflow.id))
        sent.append(run.workflow.name)
    if not any(taken) and not any([await act.was_sent(run.workflow.id) for run in build.runs]):
        raise _nothing_to_cancel(build, title)


def _nothing_to_cancel(build: Build, title: str) -> NothingToDo:
    """Return that nothing of it runs: it has ended, or has not begun."""
    pipeline = build.pipeline
    if _has_begun(build):
        return nothing_of(build, "nothing_to_cancel")
    return NothingToCancelYet(pipeline.id, pipeline.number, title, str(pipeline.ref or ""), build.reruns)


def _has_begun(build: Build) -> bool:
    """Say whether it is known what the pipeline runs: soon after its trigger, or a setup workflow, more may come."""
    return build.is_refused or build.never_began or any(not run.workflow.is_setup for run in build.runs)


async def _cancelled(hands: Hands, act: Act, workflow_id: WorkflowId) -> bool:
    """Ask for a workflow to be cancelled; False for one that ended by itself meanwhile."""
    try:
        async with act.sending(workflow_id) as first:
            if first:
                await hands.writes.cancel_workflow(workflow_id)
    except Rejected as error:
        if error.status != ENDED_BY_ITSELF:
            raise
        log.info("workflow_not_cancelled", workflow=workflow_id)
        return False
    return True


async def cancel_job(hands: Hands, caller: Caller, slug: ProjectSlug, number: int) -> Acted:
    """Cancel one job; raises NothingToDo where it has ended. The threads of its pipeline hear of it."""
    with known("job", str(number), slug):
        job = await hands.reads.job(slug, number)
    pipeline = await hands.reads.pipeline(job.pipeline.id) if job.pipeline else None
    title = await hands.finder.title(pipeline.project_slug if pipeline else slug)
    subject = Subject.of(pipeline, title) if pipeline else Subject(slug, title)
    name = f"{job.name} ({job.number})"
    ended = job.status in TERMINAL_JOB_STATUSES
    intent = _intent(hands, subject, name, None if ended else f"cancel-job:{subject.slug}:{number}")
    lost = _lost(caller, "cancel_job", pipeline.id, title) if pipeline else None
    meant = {"job_name": job.name, "job_number": number}
    lookout = looked_for(hands, caller, lost.model_copy(update=meant), None) if lost else nullcontext()
    async with lookout as looks, acting(hands, caller, intent) as act:
        if looks is not None:
            looks.act = act
        act.note(job=job.name, result=name)
        async with act.sending(str(number)) as first:
            if first and ended:
                raise NothingToDo("job_has_ended", what=job.name, number=job.number, state=job.status)
            if first:
                await hands.writes.cancel_job_number(slug, number)
    told = False
    if pipeline is not None:
        about = act.subject.build
        word = replies.someone_acted("cancel", act.caller.called, name, pressed=act.caller.pressed, about=about)
        told = await hands.tell(pipeline.id, act.caller, "", word)
    return act.done("cancel_job", what=name, told=told)


def _lost(caller: Caller, act: Literal["cancel", "cancel_job"], pipeline_id: PipelineId, title: str) -> Lost:
    return Lost(
        id=caller.delivery_id,
        act=act,
        pipeline_id=pipeline_id,
        project_title=title,
        person_id=caller.person_id,
        place=caller.place,
    )


def _intent(hands: Hands, subject: Subject, name: str, once: str | None) -> Intent:
    keep = max(INTERVALS * hands.settings.poll_interval, timedelta(seconds=1))
    return Intent(subject, Word.CANCEL, f"Cancel {name}", once=once, keep=keep, idempotent=True)
