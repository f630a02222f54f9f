"""Let a job that waits for approval go on."""

import time

from bot.answers.acts import Acted
from bot.circleci.last_look import last_look
from bot.errors import CircleCIError, NothingToDo
from bot.models.build import Build, approval_claim, approved_key
from bot.models.caller import Caller
from bot.models.circleci import PipelineId, WorkflowId
from bot.models.lost import Lost
from bot.models.pending import Approval, Pending
from bot.models.slack import utc_now
from bot.operations import following
from bot.operations.ending import overtaken
from bot.operations.frame import Act, Intent, acting, is_old
from bot.operations.hands import Hands, Subject
from bot.operations.lost import looked_for
from bot.operations.older import refuse_older
from bot.operations.seen import refuse_unseen
from bot.operations.targets import held_by, nothing_of
from bot.policy import Word
from bot.watching.engine import NEWS
from formatters import replies


async def wished(hands: Hands, pipeline_id: PipelineId, approval_request_id: str) -> Approval:
    """Return the approval that a button named by its id; raises NotFound for one of another build."""
    build = await hands.reads.build(pipeline_id)
    title = await hands.finder.title(build.pipeline.project_slug)
    run, held = held_by(build, approval_request_id)
    return Approval(
        project_slug=build.pipeline.project_slug,
        project_title=title,
        ref=build.pipeline.ref,
        pipeline_id=pipeline_id,
        pipeline_number=build.pipeline.number,
        approval_request_id=approval_request_id,
        job_name=build.called(held, run),
    )


async def approve(hands: Hands, caller: Caller, wish: Approval, pending: Pending | None = None) -> Acted:
    """Approve the one job that is meant, and tell the threads; a build that none follows is followed where it is asked.

    Raises NothingToDo where it waits no more.
    """
    since, build = time.monotonic(), await hands.reads.build(wish.pipeline_id)
    run, held = held_by(build, wish.approval_request_id)
    workflow_id, called = run.workflow.id, build.called(held, run)
    once, gone = approval_claim(workflow_id, wish.approval_request_id), not held.waits_for_approval
    intent = Intent(
        Subject.of(build.pipeline, wish.project_title),
        Word.APPROVE,
        f"Approve {called}",
        once=None if gone else once,  # who comes late is told what became of it, and not who was first
        stopped_by_locks=True,
        wish=wish,
        pending=pending,
        possible=lambda: _refuse_late(hands, caller, build, wish, once),
    )
    lost = Lost(
        id=caller.delivery_id,
        act="approve",
        pipeline_id=wish.pipeline_id,
        project_title=wish.project_title,
        approval_request_id=wish.approval_request_id,
        job_name=called,
        person_id=caller.person_id,
        place=caller.place,
    )
    async with looked_for(hands, caller, lost, pending) as looks, acting(hands, caller, intent) as act:
        looks.act = act
        act.note(job=called, result=f"#{build.pipeline.number}: {called}")
        if gone and await hands.store.claims.holder(once) not in (None, act.caller.claim):
            raise await _too_late(hands, act.caller, build, wish, once)
        async with act.sending(wish.approval_request_id, earlier=f"{once}:sent", shown=gone) as first:
            if first and gone:
                raise await _too_late(hands, act.caller, build, wish, once)
            if first:
                refuse_unseen(pending, build, wish)
                with last_look(_StillHeld(hands, act, build, wish, since).look):
                    await _send(hands, wish, workflow_id)
    await overtaken(hands, act.caller, wish, pending)
    word = replies.someone_acted("approve", act.caller.called, called, about=act.subject.build)
    told = await hands.tell(wish.pipeline_id, act.caller, "approved", word, approved_key(held.id))
    if await hands.store.news.is_open(wish.pipeline_id):  # a channel may have been told that it waits
        await hands.engine.put(NEWS, wish.pipeline_id, when=utc_now() + hands.settings.settle)
    if act.caller.place and not await hands.store.watches.any(wish.pipeline_id):
        await following.follow(hands, act.caller, build.pipeline, wish.project_title, act="approved")
        told = told or not act.caller.directly
    return act.done("approve", what=called, told=told)


async def _refuse_late(hands: Hands, caller: Caller, build: Build, wish: Approval, once: str) -> None:
    """Raise NothingToDo for a job that waits no more, unless a run of this very press, which died, has approved it."""
    _, held = held_by(build, wish.approval_request_id)
    if not held.waits_for_approval and await hands.store.claims.holder(once) != caller.claim:
        raise await _too_late(hands, caller, build, wish, once)


class _StillHeld:
    """Looks, after a wait, whether the job still waits for somebody: who was faster is no less told of than before.

    And whether its build is still the newest of its branch, if it was.
    """

    def __init__(self, hands: Hands, act: Act, build: Build, wish: Approval, since: float) -> None:
        self._hands = hands
        self._act = act
        self._build = build
        self._wish = wish
        self._since = since

    async def look(self) -> None:
        """Raise NothingToDo where it does not."""
        if not is_old(self._hands, self._since):
            return
        build = await self._hands.reads.build(self._wish.pipeline_id)
        self._since = time.monotonic()
        if not held_by(build, self._wish.approval_request_id)[1].waits_for_approval:
            raise _gone(build, self._wish)
        await refuse_older(self._hands, self._act, self._build, self._wish)


async def _too_late(hands: Hands, caller: Caller, build: Build, wish: Approval, once: str) -> NothingToDo:
    """Return what became of a job that waits no more, and who approved it, if it was done here."""
    _, person_id, *_ = f"{await hands.store.claims.holder(once) or ''}|".split("|")
    error = _gone(build, wish, person_id)
    error.is_own = person_id == caller.person_id
    return error


def _gone(build: Build, wish: Approval, person_id: str = "") -> NothingToDo:
    run, held = held_by(build, wish.approval_request_id)
    if held.status != "success":
        return nothing_of(build, "nothing_to_approve")
    return nothing_of(build, "approved_already", what=build.called(held, run), person_id=person_id)


async def _send(hands: Hands, wish: Approval, workflow_id: WorkflowId) -> None:
    try:
        await hands.writes.approve(workflow_id, wish.approval_request_id)
    except CircleCIError:
        await hands.look_again(wish.pipeline_id)  # it may show what became of it
        raise
