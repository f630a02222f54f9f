"""Cancel, rerun and approve: done once, told in the thread with who pressed, claimed only when CircleCI confirms.

CircleCI has no idempotency keys, so each request is claimed in Redis before it is sent, by what it acts on: two people,
two messages and two processes meet at the same claim.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.actions import ApproveJob
from bot.auditing import Auditor
from bot.circleci.reads import Reads
from bot.circleci.writes import Writes
from bot.errors import CircleCIError, Rejected, SlackError, Unavailable
from bot.models.build import Build, Run, rerun_key
from bot.models.circleci import JobId, Pipeline, PipelineId, WorkflowId
from bot.models.slack import Click, Invocation
from bot.permissions import Permissions
from bot.policy import Word
from bot.settings import Settings
from bot.store import Store
from bot.watching.engine import Engine
from bot.watching.teller import Teller
from formatters import answers, replies
from formatters.blocks import Message

log = structlog.get_logger(__name__)

Said = Click | Invocation
BY_ITSELF = "by-itself"
OLDEST_RERUN = timedelta(days=90)  # https://circleci.com/docs/workflows/#rerunning-workflows-fails


class Acts:
    """Each method returns what to answer to the one who pressed, None when the thread says it all."""

    def __init__(  # noqa: PLR0913, PLR0917  # until these are operations
        self,
        settings: Settings,
        store: Store,
        circleci: Reads,
        writes: Writes,
        teller: Teller,
        engine: Engine,
        permissions: Permissions,
        auditor: Auditor,
    ) -> None:
        self._auditor = auditor
        self._permissions = permissions
        self._settings = settings
        self._store = store
        self._circleci = circleci
        self._writes = writes
        self._teller = teller
        self._engine = engine

    async def cancel(self, pipeline_id: PipelineId, said: Said) -> Message | None:
        """Cancel every workflow of the pipeline that is not finished."""
        build = await self._circleci.build(pipeline_id)
        await self._may(said, "cancel", build.pipeline)
        open_runs = [run for run in build.runs if not run.workflow.is_finished]
        if not open_runs:
            return answers.nothing_to_cancel(build)
        if first := await self._someone_else(f"cancel:{pipeline_id}:{build.fingerprint}", said):
            return answers.someone_was_first(first, "Cancel")
        for run in open_runs:
            try:
                await self._writes.cancel_workflow(run.workflow.id)
            except Rejected:
                log.info("workflow_not_cancelled", workflow=run.workflow.id)  # it ended by itself meanwhile
        word = replies.someone_acted("cancel", _name(said), f"#{build.pipeline.number}")
        return await self._tell(pipeline_id, f"act:{said.id}", word)

    async def approve(self, action: ApproveJob, said: Said) -> Message | None:
        """Let the held job go on."""
        pipeline_id = PipelineId(action.pipeline_id)
        await self._may(said, "approve", await self._circleci.pipeline(pipeline_id))
        claim = f"approve:{action.workflow_id}:{action.approval_request_id}"
        if first := await self._someone_else(claim, said):
            return answers.someone_was_first(first, f"Approve {action.job_name}")
        if await self._store.claims.first(f"{claim}:sent"):
            await self._send_approval(action, claim)
        word = replies.someone_acted("approve", _name(said), action.job_name)
        return await self._tell(pipeline_id, f"act:{said.id}", word)

    async def _send_approval(self, action: ApproveJob, claim: str) -> None:
        try:
            await self._writes.approve(WorkflowId(action.workflow_id), action.approval_request_id)
        except CircleCIError as error:
            if not (isinstance(error, Unavailable) and error.arrived):
                await self._store.claims.release(claim)
                await self._store.claims.release(f"{claim}:sent")
            await self._engine.wake(PipelineId(action.pipeline_id))
            raise

    async def rerun(
        self, pipeline_id: PipelineId, said: Said, *, failed_only: bool, ssh: bool = False, follow: bool = False
    ) -> Message | None:
        """Run the finished workflows again in the same pipeline: the red ones from their failed jobs, or all.

        `ssh` opens the failed jobs to the keys of the token's user. With `follow` the caller sees to it that somebody
        is told.
        """
        label = "Rerun failed" if failed_only else "Rerun all"
        build = await self._circleci.build(pipeline_id)
        await self._may(said, "rerun", build.pipeline)
        if ssh:
            await self._may(said, "ssh", build.pipeline)
        claim = f"rerun:{pipeline_id}:{build.fingerprint}"
        if not build.workflows_finished:
            act, _, user_id = (await self._store.acted.last(pipeline_id) or "").rpartition("|")
            if act == said.id:  # a run of this very press died after it had sent it
                await self._look_again(pipeline_id)
                return None
            return answers.already_running(build, user_id)
        targets = _targets(build, failed_only=failed_only)
        if not targets:
            return answers.nothing_to_rerun(build)
        if ssh and not any(run.failed_jobs for run in targets):
            return answers.no_job_to_open(build)
        if build.read_at - build.pipeline.created_at > OLDEST_RERUN:
            return answers.rerun_too_old()
        if first := await self._someone_else(claim, said):
            return answers.someone_was_first(first, label)
        await self._store.acted.save(pipeline_id, f"{said.id}|{said.user_id}")
        await self._send_reruns(targets, claim, failed_only=failed_only, ssh=ssh)
        kind = "rerun_failed" if failed_only else "rerun_all"
        attempt = max(run.attempt for run in targets) + 1
        word = replies.someone_acted(kind, _name(said), _what_runs_again(targets, failed_only), attempt)
        told = await self._tell(pipeline_id, f"act:{said.id}", word, *_rerun_keys(targets))
        return None if follow else told

    async def rerun_once(self, build: Build) -> None:
        """Rerun the failed jobs by ourselves, once in the life of a pipeline; nobody's press is sent twice for it."""
        pipeline_id, mine = build.pipeline.id, f"{BY_ITSELF}|{BY_ITSELF}"
        claim = f"rerun:{pipeline_id}:{build.fingerprint}"
        targets = _targets(build, failed_only=True)
        if await self._store.claims.first(f"rerun-once:{pipeline_id}"):
            now = await self._circleci.build(pipeline_id)
            if now.fingerprint != build.fingerprint:
                return  # somebody was faster, on CircleCI's own page
        # Else a run of this died meanwhile: what it has sent is not sent again.
        if not targets or await self._store.claims.claim(claim, mine) != mine:
            return
        await self._send_reruns(targets, claim, failed_only=True, ssh=False)
        what, about = _what_runs_again(targets, failed_only=True), f"{build.pipeline.project_slug} {build.pipeline.ref}"
        await self._auditor.note_own(Word.RERUN, "rerun once", about, f"#{build.pipeline.number}: {what}")
        word = replies.reran_itself(what)
        await self._tell(pipeline_id, f"act:{claim}", word, *_rerun_keys(targets))

    async def _send_reruns(self, targets: Sequence[Run], claim: str, *, failed_only: bool, ssh: bool) -> None:
        """Send each rerun at most once, also when a run before this one died in between."""
        for run in targets:
            sent = f"rerun-sent:{run.workflow.id}"
            if await self._store.claims.first(sent):
                from_failed = failed_only and run.workflow.status == "failed"
                jobs = [job.id for job in run.failed_jobs] if ssh else []
                await self._send_rerun(run.workflow.id, claim, sent, jobs, from_failed=from_failed)

    async def _send_rerun(
        self, workflow_id: WorkflowId, claim: str, sent: str, ssh_jobs: Sequence[JobId], *, from_failed: bool
    ) -> None:
        try:
            if ssh_jobs:
                await self._writes.rerun_jobs(workflow_id, ssh_jobs, ssh=True)
            else:
                await self._writes.rerun_workflow(workflow_id, from_failed=from_failed)
        except Unavailable as error:
            if not error.arrived:
                await self._store.claims.release(claim)
                await self._store.claims.release(sent)
            raise
        except CircleCIError:
            await self._store.claims.release(claim)
            await self._store.claims.release(sent)
            raise

    async def _may(self, said: Said, word: str, pipeline: Pipeline) -> None:
        await self._permissions.check(said, word, pipeline.project_slug, pipeline.ref)

    async def _someone_else(self, what: str, said: Said) -> str | None:
        """Return who claimed this before, None when it was this very click."""
        mine = f"{said.id}|{said.user_id}"
        holder = await self._store.claims.claim(what, mine)
        return None if holder == mine else holder.rpartition("|")[2]

    async def _tell(self, pipeline_id: PipelineId, key: str, word: Message, *told: str) -> Message | None:
        """Tell every thread of the pipeline, and look again at once; returns the word where no thread heard it."""
        heard = False
        async with self._store.watches.fence(pipeline_id, self._settings.lease, wait=self._settings.lease):
            for watch in await self._store.watches.of(pipeline_id):
                try:
                    await self._teller.once(watch, key, word, *told)
                    heard = True
                except SlackError as error:
                    log.warning("thread_not_told", pipeline=pipeline_id, method=error.method, code=error.code)
        await self._look_again(pipeline_id)
        return None if heard else word

    async def _look_again(self, pipeline_id: PipelineId) -> None:
        await self._store.watches.again(pipeline_id)
        await self._engine.wake(pipeline_id)


def _targets(build: Build, *, failed_only: bool) -> list[Run]:
    if failed_only:
        return [run for run in build.real_runs if run.workflow.status not in ("success", "not_run")]
    return [run for run in build.real_runs if not run.workflow.is_setup]


def _rerun_keys(targets: Sequence[Run]) -> list[str]:
    return [rerun_key(run.workflow.name, run.attempt + 1) for run in targets]


def _what_runs_again(targets: Sequence[Run], failed_only: bool) -> str:
    if not failed_only:
        return ", ".join(run.workflow.name for run in targets)
    names = [job.name for run in targets for job in run.failed_jobs]
    return ", ".join(names) or ", ".join(run.workflow.name for run in targets)


def _name(said: Said) -> str:
    return said.user_name or said.user_id
