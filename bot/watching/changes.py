"""What a look at a build shows that changes what someone would do. Pure."""

from collections.abc import Collection, Mapping, Sequence

from bot.models.build import Build, Change, ChangeKind, Run
from bot.models.circleci import ACTIVE_WORKFLOW_STATUSES, TERMINAL_WORKFLOW_STATUSES, Job, JobId

OVERTAKEN = "canceled"
FINAL = "final:"


def changes(told: Collection[str], build: Build) -> list[Change]:
    """Return what is noteworthy now and was not told before.

    Asking what a thread was told, and not what the last poll saw, keeps a change that was seen but not yet said
    when a process died.
    """
    return [change for change in (*_late(told, build), *noteworthy(build)) if change.key not in told]


def _late(told: Collection[str], build: Build) -> list[Change]:
    """Return the workflows that began after an end was told, which was none then; a rerun is told as what it is."""
    ends = [key.removeprefix(FINAL) for key in told if key.startswith(FINAL)]
    known = {workflow_id for end in ends for workflow_id in end.split(",")}
    late = [run for run in build.runs if run.attempt == 1 and run.workflow.id not in known] if ends else []
    return [Change(kind=ChangeKind.LATE, workflow=run.workflow) for run in late]


def decided(found: Sequence[Change], build: Build) -> tuple[Change, ...]:
    """Return what a reply tells with its jobs on hold as they are by now, here or elsewhere; others stay as told.

    The job of a run that another has followed is not seen any more: it waits for nobody.
    """
    now = {job.id: job for run in build.runs for job in run.jobs}
    return tuple(_decided(change, now) for change in found)


def waits(found: Sequence[Change]) -> bool:
    """Say whether somebody can still approve something of what a reply tells."""
    return any(change.job is not None and change.job.waits_for_approval for change in found)


def _decided(change: Change, now: Mapping[JobId, Job]) -> Change:
    if change.job is None or not change.job.waits_for_approval:
        return change
    job = now.get(change.job.id) or change.job.model_copy(update={"status": OVERTAKEN})
    return change if job.waits_for_approval else change.model_copy(update={"job": job})


def noteworthy(build: Build) -> list[Change]:
    """Return all that a thread should have been told about the build as it is, in the order of its workflows."""
    return [change for run in build.runs for change in _of_run(run, finished=build.workflows_finished)]


def _of_run(run: Run, *, finished: bool) -> list[Change]:
    workflow = run.workflow
    found = []
    if run.attempt > 1:
        found.append(Change(kind=ChangeKind.RERUN, workflow=workflow, attempt=run.attempt))
    if workflow.status not in ACTIVE_WORKFLOW_STATUSES | TERMINAL_WORKFLOW_STATUSES:
        found.append(Change(kind=ChangeKind.UNKNOWN_STATUS, workflow=workflow))
    if not finished:
        # When all is over the final reply names the failed jobs: saying them here too would be saying them twice.
        found += [Change(kind=ChangeKind.JOB_FAILED, workflow=workflow, job=job) for job in run.failed_jobs]
    found += [Change(kind=ChangeKind.ON_HOLD, workflow=workflow, job=job) for job in run.holds]
    return found
