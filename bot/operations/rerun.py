"""Run the finished workflows of a pipeline again: the red ones from their failed jobs, or all.

CircleCI has no idempotency keys, so what is rerun is claimed by the attempt it reruns (the build's fingerprint): two
people, two messages and two processes meet at the same claim.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from bot.answers.acts import Acted
from bot.circleci.last_look import last_look
from bot.errors import CircleCIError, ForAPerson, NothingToDo, PartlyDone, SlackError, UserError
from bot.models import spelling
from bot.models.build import OPEN_STATES, Build, Run, State, rerun_key
from bot.models.caller import Caller, bot
from bot.models.circleci import JobId, Pipeline, PipelineId
from bot.models.lost import Lost, names
from bot.models.pending import Pending, Rerun
from bot.operations import following
from bot.operations.beside import forget_rerun, note_rerun
from bot.operations.ending import overtaken
from bot.operations.frame import Act, Intent, acting, did_nothing, is_old, partly
from bot.operations.hands import Hands, Subject
from bot.operations.lost import looked_for
from bot.operations.older import refuse_older
from bot.operations.seen import refuse_unseen
from bot.operations.targets import named, nothing_of, to_run_again, what_runs_again
from bot.policy import Word
from formatters import agreement, replies

OLDEST = timedelta(days=90)  # https://circleci.com/docs/workflows/#rerunning-workflows-fails


class _RanAgain(NothingToDo):
    """Somebody ran a workflow again elsewhere, on CircleCI's page as a rule, while it waited for its turn here."""


async def wished(hands: Hands, pipeline_id: PipelineId, *, failed_only: bool, ssh: bool = False) -> Rerun:
    """Return the rerun of a pipeline, as CircleCI names it."""
    pipeline = await hands.reads.pipeline(pipeline_id)
    return _wish(pipeline, await hands.finder.title(pipeline.project_slug), failed_only=failed_only, ssh=ssh)


def _wish(pipeline: Pipeline, title: str, *, failed_only: bool, ssh: bool = False) -> Rerun:
    return Rerun(
        project_slug=pipeline.project_slug,
        project_title=title,
        ref=pipeline.ref,
        pipeline_id=pipeline.id,
        pipeline_number=pipeline.number,
        failed_only=failed_only,
        ssh=ssh,
    )


async def rerun(
    hands: Hands, caller: Caller, wish: Rerun, pending: Pending | None = None, *, attempt: str = ""
) -> Acted:
    """Rerun it, tell its threads, and let the place it is asked in follow it, if none there does.

    Raises NothingToDo where nothing of it can be rerun.
    """
    if caller.agent and wish.ssh:
        raise ForAPerson("ssh", f"rerun {wish.target} with SSH", wish.typed)
    since, pipeline_id = time.monotonic(), wish.pipeline_id
    build = await hands.reads.build(pipeline_id)
    part = build.part(wish.workflows)
    if attempt not in ("", part.mark):
        await _refuse_later(hands, caller, build, part, failed_only=wish.failed_only)
    intent = Intent(
        Subject.of(build.pipeline, wish.project_title),
        Word.RERUN,
        wish.label,
        also=(Word.SSH,) if wish.ssh else (),
        once=f"rerun:{pipeline_id}:{build.fingerprint}",
        stopped_by_locks=True,
        wish=wish,
        pending=pending,
        possible=lambda: _targets_of(hands, caller, build, wish),
    )
    lost = Lost(
        id=caller.delivery_id,
        act="rerun",
        pipeline_id=pipeline_id,
        project_title=wish.project_title,
        fingerprint=build.fingerprint,
        workflows=names(to_run_again(part, failed_only=wish.failed_only)),
        wish=wish,
        person_id=caller.person_id,
        place=caller.place,
    )
    async with looked_for(hands, caller, lost, pending) as looks, acting(hands, caller, intent) as act:
        looks.act = act
        targets = await _targets_of(hands, act.caller, build, wish, pending)
        what = what_runs_again(build, targets, failed_only=wish.failed_only, ssh=wish.ssh)
        act.note(job=what, result=f"#{build.pipeline.number}: {what}" if targets else "")
        if targets:
            await hands.store.acted.save(pipeline_id, act.caller.claim)
            async with _noted(hands, act, build, wish) as sent:
                await _send(hands, act, build, targets, wish, sent, since)
            targets = sent
            what = what_runs_again(build, targets, failed_only=wish.failed_only, ssh=wish.ssh)
            act.note(job=what, result=f"#{build.pipeline.number}: {what}")
    await overtaken(hands, act.caller, wish, pending)
    told = await _tell(hands, act, build, targets, wish) if targets else await _again(hands, pipeline_id)
    told = await _follow(hands, act, build, wish) or told
    attempt = str(max((run.attempt for run in targets), default=0) + 1)
    return act.done("rerun_failed" if wish.failed_only else "rerun_all", what=what, detail=attempt, told=told)


@asynccontextmanager
async def _noted(hands: Hands, act: Act, build: Build, wish: Rerun) -> AsyncIterator[list[Run]]:
    """Let it count as a rerun of its branch while the block sends it, and after it what was sent; yields that list.

    What was done in part is told and followed as all of it would be: it runs.
    """
    sent = list[Run]()
    await note_rerun(hands, act.caller, wish, build.fingerprint, is_sent=False)
    try:
        yield sent
    except PartlyDone:
        await note_rerun(hands, act.caller, wish, build.fingerprint)
        with suppress(SlackError):
            await _tell(hands, act, build, sent, wish)
            await _follow(hands, act, build, wish)
        raise
    except Exception as error:
        if not act.has_begun and did_nothing(error):
            await forget_rerun(hands, wish, build.fingerprint)
        raise
    await note_rerun(hands, act.caller, wish, build.fingerprint)


async def _follow(hands: Hands, act: Act, build: Build, wish: Rerun) -> bool:
    """Let the place it is asked in follow it, if none there does; says whether they hear of it by that."""
    if not act.caller.place:
        return False
    await following.follow(hands, act.caller, build.pipeline, wish.project_title, act="rerun", agreed=act.agreed_name)
    return not act.caller.directly


async def rerun_once(hands: Hands, pipeline_id: PipelineId, fingerprint: str) -> None:
    """Rerun the failed jobs by ourselves, once in the life of a pipeline; nobody's press is sent twice for it.

    It is allowed by the project's setting, and stopped by a lock or by anything that a person would have to meet. What
    it cannot do is in the record, and the button is still there.
    """
    ended = await hands.store.past.ended(pipeline_id)
    if ended is not None and ended.build.fingerprint == fingerprint:
        with suppress(UserError, CircleCIError):
            await _rerun_once(hands, ended.build)


async def _rerun_once(hands: Hands, build: Build) -> None:
    pipeline = build.pipeline
    title = await hands.finder.title(pipeline.project_slug)
    once = f"rerun-once:{pipeline.id}"
    claim = f"rerun:{pipeline.id}:{build.fingerprint}"
    intent = Intent(Subject.of(pipeline, title), Word.RERUN, "rerun once", once=claim, stopped_by_locks=True)
    async with acting(hands, bot(once), intent) as act:
        targets, since = to_run_again(build, failed_only=True), time.monotonic()
        if await hands.store.claims.first(once):
            now = await hands.reads.build(pipeline.id)
            if now.fingerprint != build.fingerprint:
                raise NothingToDo("already_running", number=pipeline.number)  # somebody was faster, on CircleCI's page
        what = what_runs_again(build, targets, failed_only=True)
        act.note(job=what, result=f"#{pipeline.number}: {what}")
        wish = _wish(pipeline, title, failed_only=True)
        await _send(hands, act, build, targets, wish, [], since)
    await hands.tell(pipeline.id, act.caller, "rerun", replies.reran_itself(what), *_rerun_keys(targets))


async def _refuse_later(hands: Hands, caller: Caller, build: Build, part: Build, *, failed_only: bool) -> None:
    """Raise NothingToDo where it has run again since the message that was pressed on, and could run once more.

    A run of this very press, which died, may have been what had it run again. Who may not look at it hears nothing.
    """
    is_ours = await hands.store.claims.is_taken(_first_seen(caller, build))
    may_look = await hands.finder.may_read(caller, build.pipeline.project_slug, build.pipeline.ref)
    has_failed = part is not build or bool(to_run_again(part, failed_only=True))
    if may_look and not is_ours and (has_failed or (not failed_only and build.state not in OPEN_STATES)):
        line = f"rerun {named(build)}" + ("" if has_failed else " all")
        line = line if part is build else ""  # which would run more
        raise nothing_of(build, "ran_again", what=line)


def _first_seen(caller: Caller, build: Build) -> str:
    return f"reruns:{caller.delivery_id}:{build.pipeline.id}"


async def _targets_of(
    hands: Hands, caller: Caller, build: Build, wish: Rerun, pending: Pending | None = None
) -> list[Run]:
    """Return what is to run again; where a run of this very press died, what it left of that. Raises NothingToDo."""
    first_seen = await hands.store.claims.claim(_first_seen(caller, build), build.fingerprint)
    seen, build = build, build.part(wish.workflows)
    targets = to_run_again(build, failed_only=wish.failed_only)
    if first_seen != seen.fingerprint:  # there is a newer attempt than the one that was pressed on
        return [run for run in targets if run.workflow.id in first_seen.split(",")]
    open_runs = [run for run in build.real_runs if not run.workflow.is_finished]
    if open_runs and (not wish.failed_only or not targets):
        act, _, person_id = (await hands.store.acted.last(build.pipeline.id) or "").rpartition("|")
        if act == caller.delivery_id:
            return []
        error = nothing_of(build, "already_running", person_id=person_id, what=await _to_hear_of_it(hands, build))
        error.is_own = person_id == caller.person_id
        raise error
    if wish.ssh and not any(run.failed_jobs for run in targets):
        raise NothingToDo("no_job_to_open", number=build.pipeline.number)
    if not targets:
        error = nothing_of(build, "nothing_to_rerun", what=_instead(build))
        error.state = build.outcome if build.never_began else error.state
        raise error
    if build.read_at - build.pipeline.created_at > OLDEST:
        raise NothingToDo("rerun_too_old", number=build.pipeline.number)
    refuse_unseen(pending, seen, wish)
    return targets


async def _to_hear_of_it(hands: Hands, build: Build) -> str:
    """Return the command that has a build followed, where no thread has the news of it."""
    return "" if await hands.store.watches.any(build.pipeline.id) else f"watch {named(build)}"


def _instead(build: Build) -> str:
    """Return the command that does what a rerun of the failed jobs cannot."""
    if build.state in (State.PASSED, State.CANCELED, State.SUPERSEDED):
        return f"rerun {named(build)} all"
    ref = build.pipeline.ref
    return spelling.deploy(build.pipeline.project_slug, ref, {}) if ref else ""


def _named(build: Build) -> str:
    return f"{build.pipeline.project_slug} #{build.pipeline.number}"


async def _send(
    hands: Hands, act: Act, build: Build, targets: Sequence[Run], wish: Rerun, sent: list[Run], since: float
) -> None:
    """Run each of them again, and add what runs to `sent`: all but what ran again meanwhile, on CircleCI's page.

    Raises NothingToDo where that is all of it.
    """
    names, why = list[str](), list[NothingToDo]()
    for run in targets:
        jobs = [job.id for job in run.failed_jobs] if wish.ssh else []
        from_failed = wish.failed_only and _has_failed(run)
        try:
            async with partly(names), act.sending(run.workflow.id, earlier=f"rerun-sent:{run.workflow.id}") as first:
                if first:
                    with last_look(_StillThat(hands, act, build, run, wish, since).look):
                        await _send_one(hands, run, jobs, from_failed=from_failed)
        except _RanAgain as error:
            why.append(error)
            continue
        sent.append(run)
        names.append(run.workflow.name)
    if not sent and why:
        raise why[0]


def _has_failed(run: Run) -> bool:
    return run.workflow.status == "failed"


class _StillThat:
    """Looks, after a wait, whether a workflow is still the newest run of its name: CircleCI would run it once more.

    And whether its build is still the newest of its branch, if it was: who asks for an older one is asked first.
    """

    def __init__(
        self, hands: Hands, act: Act, build: Build, run: Run, wish: Rerun, since: float
    ) -> None:  # all it asks
        self._hands = hands
        self._act = act
        self._wish = wish
        self._build = build
        self._run = run
        self._since = since

    async def look(self) -> None:
        """Raise _RanAgain where it is not, and NothingToDo where a newer one began since it was asked for."""
        if not is_old(self._hands, self._since):
            return
        now = await self._hands.reads.build(self._build.pipeline.id)
        self._since = time.monotonic()
        if self._run.workflow.id not in [run.workflow.id for run in now.runs]:
            raise _ran_again(now)
        await refuse_older(self._hands, self._act, self._build, self._wish)


def _ran_again(now: Build) -> _RanAgain:
    """Return how a build stands that somebody ran again on CircleCI's page."""
    line = "" if now.state in OPEN_STATES else f"rerun {named(now)}"
    return _RanAgain("ran_elsewhere", number=now.pipeline.number, state=now.state, what=line)


async def _send_one(hands: Hands, run: Run, ssh_jobs: Sequence[JobId], *, from_failed: bool) -> None:
    if ssh_jobs:
        await hands.writes.rerun_jobs(run.workflow.id, ssh_jobs, ssh=True)
    else:
        await hands.writes.rerun_workflow(run.workflow.id, from_failed=from_failed)


async def _tell(hands: Hands, act: Act, build: Build, targets: Sequence[Run], wish: Rerun) -> bool:
    kind, attempt = "rerun_failed" if wish.failed_only else "rerun_all", max(run.attempt for run in targets) + 1
    what = what_runs_again(build, targets, failed_only=wish.failed_only, ssh=wish.ssh)
    word = replies.someone_acted(
        kind,
        act.caller.called,
        what,
        attempt,
        pressed=act.caller.pressed,
        about=act.subject.build,
        agreed=act.agreed_name,
    )
    word = replies.saying_why(word, agreement.said_why(act.caller))
    keys = _rerun_keys(targets)
    return await hands.tell(wish.pipeline_id, act.caller, "rerun", word, *keys, agreed=act.agreed_name)


async def _again(hands: Hands, pipeline_id: PipelineId) -> bool:
    await hands.look_again(pipeline_id)
    return True


def _rerun_keys(targets: Sequence[Run]) -> list[str]:
    return [rerun_key(run.workflow.name, run.attempt + 1) for run in targets]
