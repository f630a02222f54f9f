"""What the jobs alone show of a build that is known: as a rule that it goes on, and then no more is asked for. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.models.build import Build, Run
from bot.models.circleci import RUNNING_JOB_STATUSES, Job, WorkflowId

# How old the list of workflows may be. One that has ended may be run again by somebody, or by itself.
LISTED, LISTED_BESIDE_AN_END = timedelta(minutes=10), timedelta(minutes=1)
AS_USUAL = RUNNING_JOB_STATUSES | {"success"}


class Jobs(NamedTuple):
    """The jobs of a workflow, as they were at a time of the far side's clock."""

    jobs: tuple[Job, ...]
    read_at: datetime


def unfinished(known: Build) -> list[WorkflowId]:
    """Return the workflows of which the jobs may tell all there is to know; nothing where more must be asked."""
    running = [run for run in known.runs if not run.workflow.is_finished]
    if known.listed_at is None or known.only_setup or not all(run.jobs for run in running):
        return []
    return [run.workflow.id for run in running]


def goes_on(known: Build, read: Mapping[WorkflowId, Jobs]) -> Build | None:
    """Return the build as its jobs show it; None where a workflow may stand otherwise than it did."""
    if known.listed_at is None or not read:
        return None
    now = max(jobs.read_at for jobs in read.values())
    has_end = any(run.workflow.is_finished for run in known.runs)
    if now - known.listed_at > (LISTED_BESIDE_AN_END if has_end else LISTED):
        return None
    if not all(_is_as_usual(run, read[run.workflow.id].jobs) for run in known.runs if run.workflow.id in read):
        return None
    runs = tuple(_with_jobs(run, read) for run in known.runs)
    return known.model_copy(update={"runs": known.runs if runs == known.runs else runs, "read_at": now})


def _with_jobs(run: Run, read: Mapping[WorkflowId, Jobs]) -> Run:
    jobs = read[run.workflow.id].jobs if run.workflow.id in read else run.jobs
    return run if jobs == run.jobs else run.model_copy(update={"jobs": jobs})


def _is_as_usual(run: Run, jobs: Sequence[Job]) -> bool:
    """Say whether a workflow surely stands as it did: what is new has begun or passed, and something runs."""
    before = {job.id: job for job in run.jobs}
    if {job.id for job in jobs} != before.keys():
        return False
    new = [job for job in jobs if job != before[job.id]]
    is_running = any(job.status in RUNNING_JOB_STATUSES for job in jobs)
    if run.workflow.status == "on_hold":
        return not new and not is_running and any(job.waits_for_approval for job in jobs)
    is_usual = all(job.status in AS_USUAL and job.type != "approval" for job in new)
    return run.workflow.status in ("running", "failing") and is_running and is_usual
