"""What to press, by the verdicts on all that failed; and how long it takes. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from graphlib import TopologicalSorter
from statistics import median

from bot.models.build import Build, Run
from bot.models.circleci import Job
from bot.models.history import Advice, Lane, PastBuild
from bot.triage.sightings import like, workflows_of
from bot.triage.verdicts import Verdict


def advise(verdicts: Collection[Verdict]) -> Advice:
    """Return what the evidence supports: the worst news decides, and one doubt is a doubt."""
    supported = {verdict.advice for verdict in verdicts} or {Advice.LOOK}
    return next(advice for advice in Advice if advice in supported)


def rerun_takes(build: Build, past: Sequence[PastBuild]) -> timedelta | None:
    """Return how long the failed jobs and those behind them take, each as a rule; None where it is unknown."""
    usual, known = usual_times(past), workflows_of(past)
    times = [_longest_way(run, _of_workflow(run, usual, known)) for run in build.real_runs if run.failed_jobs]
    sure = [one for one in times if one is not None]
    return max(sure) if sure and len(sure) == len(times) else None


def usual_times(past: Sequence[PastBuild]) -> dict[Lane, timedelta]:
    """Return the median time that each job took when it passed."""
    times: dict[Lane, list[timedelta]] = {}
    for build in past:
        for lane, job in build.ran:
            if job.status == "success" and job.started_at and job.stopped_at:
                times.setdefault(lane, []).append(job.stopped_at - job.started_at)
    return {lane: timedelta(seconds=median(one.total_seconds() for one in found)) for lane, found in times.items()}


def _of_workflow(run: Run, usual: Mapping[Lane, timedelta], known: Mapping[str, set[str]]) -> dict[str, timedelta]:
    lanes = {job.name: like(Lane(run.workflow.name, job.name), known) for job in run.jobs}
    return {name: usual[lane] for name, lane in lanes.items() if lane in usual}


def _longest_way(run: Run, usual: Mapping[str, timedelta]) -> timedelta | None:
    """Return the longest chain of jobs that run again: the failed ones, and those that never ran because of them."""
    again: dict[str, Job] = {
        job.id: job for job in run.jobs if job.is_failed or job.status in ("not_run", "blocked", "canceled")
    }
    if any(job.name not in usual for job in again.values() if job.is_failed):
        return None

    needs: dict[str, list[str]] = {job.id: [one for one in job.dependencies if one in again] for job in again.values()}
    ends: dict[str, timedelta] = {}
    for job_id in TopologicalSorter(needs).static_order():
        before = max((ends[one] for one in needs[job_id]), default=timedelta(0))
        ends[job_id] = before + usual.get(again[job_id].name, timedelta(0))
    return max(ends.values(), default=None)
