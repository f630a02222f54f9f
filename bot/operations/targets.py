"""What a rerun or an approval would run: what is shown before it, what is sent and what is told of it are one list."""

from collections.abc import Sequence

from bot.errors import NotFound, NothingToDo
from bot.models.build import Build, Run
from bot.models.circleci import RED_WORKFLOW_STATUSES, Job
from bot.models.pending import Rerun, Runs


def to_run_again(build: Build, *, failed_only: bool) -> list[Run]:
    """Return the workflows to run again: of those that failed each that has ended, whatever another one waits for.

    One that somebody cancelled did not fail: it would run whole, and nobody who asks for what failed means that.
    """
    if failed_only:
        return [
            run for run in build.real_runs if run.workflow.is_finished and run.workflow.status in RED_WORKFLOW_STATUSES
        ]
    return [run for run in build.real_runs if not run.workflow.is_setup]


def begins_with(run: Run, *, failed_only: bool, ssh: bool = False) -> tuple[Job, ...]:
    """Return the jobs that the rerun of a workflow begins with; none where it runs whole, as what never began does."""
    return run.failed_jobs if ssh or (failed_only and run.workflow.status == "failed") else ()


def what_runs_again(build: Build, runs: Sequence[Run], *, failed_only: bool, ssh: bool = False) -> str:
    """Return the names of the jobs that failed, and of the workflows that run whole."""
    names = [
        name
        for run in runs
        for name in _called(build, run, begins_with(run, failed_only=failed_only, ssh=ssh)) or [run.workflow.name]
    ]
    return ", ".join(names)


def rerunning(build: Build, wish: Rerun) -> Runs:
    """Return all jobs that a rerun would run; of a workflow whose jobs nobody can read, its name."""
    first: list[str] = []
    behind: list[tuple[Job, str]] = []
    build = build.part(wish.workflows)
    for run in to_run_again(build, failed_only=wish.failed_only):
        jobs = begins_with(run, failed_only=wish.failed_only, ssh=wish.ssh)
        first += _called(build, run, jobs or run.jobs) or [run.workflow.name]
        behind += [(job, build.called(job, run)) for job in _behind(run, jobs)]
    return _runs(first, behind)


def approving(build: Build, approval_request_id: str) -> Runs:
    """Return all jobs that an approval would let run; raises NotFound where the build has no such job."""
    run, held = held_by(build, approval_request_id)
    return _runs([], [(job, job.name) for job in _behind(run, (held,))])


def cancelling(build: Build) -> tuple[str, ...]:
    """Return what a cancel would stop: the jobs that run or wait, and of a workflow of which none is known its name."""
    found: list[str] = []
    for run in build.runs:
        if not run.workflow.is_finished:
            jobs = [job for job in run.jobs if not job.is_finished]
            found += _called(build, run, jobs) or [run.workflow.name]
    return tuple(found)


def _called(build: Build, run: Run, jobs: Sequence[Job]) -> list[str]:
    return [build.called(job, run) for job in jobs]


def held_by(build: Build, approval_request_id: str) -> tuple[Run, Job]:
    """Return the job that waits, with its workflow; raises NotFound for one of another build."""
    for run in build.runs:
        for job in run.jobs:
            if approval_request_id in (job.approval_request_id, job.id):
                return run, job
    raise NotFound("approval", approval_request_id, looked_in=f"#{build.pipeline.number}")


def named(build: Build) -> str:
    """Return what a build is called in a command."""
    return f"{build.pipeline.project_slug} #{build.pipeline.number}"


def nothing_of(build: Build, why: str, *, what: str = "", person_id: str = "") -> NothingToDo:
    """Return why there is nothing to do about a build, with how it stands and since when."""
    error = NothingToDo(why, what=what, number=build.pipeline.number, state=build.state, person_id=person_id)
    if build.stopped_at is not None:
        error.ago = build.read_at - build.stopped_at
    return error


def _behind(run: Run, begun: Sequence[Job]) -> list[Job]:
    """Return what follows these jobs, and what follows that; nothing behind another job that waits for a person."""
    reached, found = {str(job.id) for job in begun}, list[Job]()
    waiting = [job for job in run.jobs if job.id not in reached]
    while ready := [job for job in waiting if reached & set(job.dependencies)]:
        waiting = [job for job in waiting if job not in ready]
        reached |= {str(job.id) for job in ready if job.type != "approval"}
        found += ready
    return found


def _runs(first: Sequence[str], behind: Sequence[tuple[Job, str]]) -> Runs:
    return Runs(
        first=tuple(first),
        behind=tuple(name for job, name in behind if job.type != "approval"),
        holds=tuple(name for job, name in behind if job.type == "approval"),
    )
