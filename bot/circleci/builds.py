"""A build put together from the far side's single answers, and looks at a project that take more than one of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.circleci.glance import Jobs, goes_on, unfinished
from bot.errors import CircleCIError, Rejected, Unauthorized
from bot.models.build import Build, Run
from bot.models.circleci import Job, Pipeline, PipelineId, Ref, Workflow, WorkflowId
from bot.together import together

SETTLED_STATES = frozenset({"created", "errored"})
BEGINNING_STATES, BEGINNING = frozenset({"created", "pending"}), timedelta(seconds=2)
JOBLESS_STATUSES = frozenset({"error", "unauthorized", "not_run"})


class Parts(Protocol):
    """The answers that a build is put together from; the times are those of the far side's clock."""

    async def dated_pipeline(self, pipeline_id: PipelineId) -> tuple[Pipeline, datetime]:
        """Return one pipeline."""

    async def workflows(self, pipeline_id: PipelineId) -> tuple[tuple[Workflow, ...], datetime | None]:
        """Return all runs of all workflows, reruns included."""

    async def jobs(self, workflow_id: WorkflowId) -> tuple[Job, ...]:
        """Return the jobs of one workflow."""

    async def dated_jobs(self, workflow_id: WorkflowId) -> Jobs:
        """Return the jobs of one workflow, and when they were so."""


class Lists(Protocol):
    """Who lists pipelines."""

    async def pipelines(self, slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        """Return the newest pipelines of a project or a branch."""


async def build(parts: Parts, pipeline_id: PipelineId, known: Build | None = None) -> Build:
    """Return a pipeline seen whole, reusing from `known` what cannot have changed.

    A poll costs one request per unfinished workflow, and one more for the list of them where those do not tell all, or
    `known` does not say when it was read; a young pipeline another one, for itself.
    """
    read = await _glanced(parts, known) if known and _is_settled(known) else {}
    if known and (seen := goes_on(known, read)) is not None:
        return seen
    if known and _is_settled(known):
        return await _seen(parts, known.pipeline, known.read_at, known, read)
    pipeline, read_at = await parts.dated_pipeline(pipeline_id)
    if known is None and pipeline.state in BEGINNING_STATES and read_at - pipeline.created_at < BEGINNING:
        return Build(pipeline=pipeline, read_at=read_at)  # its workflows are there some seconds later
    return await _seen(parts, pipeline, read_at, known, read)


async def whole(parts: Parts, pipeline: Pipeline) -> Build:
    """Return a pipeline that was read just now, seen whole: its workflows, and a request for each."""
    return await _seen(parts, pipeline, None, None, {})


async def _seen(
    parts: Parts, pipeline: Pipeline, read_at: datetime | None, known: Build | None, read: Mapping[WorkflowId, Jobs]
) -> Build:
    workflows, listed_at = await _workflows(parts, pipeline.id, fresh=not (known and known.runs))
    newest = _newest_runs(workflows)
    jobs = await together(*(_jobs(parts, run.workflow, known, read) for run in newest))
    runs = tuple(run.model_copy(update={"jobs": found}) for run, found in zip(newest, jobs, strict=True))
    at = listed_at or read_at or (await parts.dated_pipeline(pipeline.id))[1]
    seen = Build(pipeline=pipeline, runs=runs, read_at=at, listed_at=listed_at)
    if not known or known.fingerprint != seen.fingerprint:
        return seen
    newer = {"superseded_by": known.superseded_by, "superseded_by_id": known.superseded_by_id}
    return seen.model_copy(update=newer)


def _is_settled(known: Build) -> bool:
    """Say whether the pipeline itself has nothing more to tell: behind a setup workflow errors may still appear."""
    return bool(known.runs) and not known.only_setup and known.pipeline.state in SETTLED_STATES


async def outline(parts: Parts, pipeline: Pipeline) -> Build:
    """Return a pipeline with its workflows, without their jobs: one request."""
    workflows, read_at = await _workflows(parts, pipeline.id, fresh=False)
    return Build(pipeline=pipeline, runs=tuple(_newest_runs(workflows)), read_at=read_at or pipeline.created_at)


async def attempts(parts: Parts, pipeline_id: PipelineId, known: Sequence[Run] = ()) -> tuple[Run, ...]:
    """Return every run of every workflow of a pipeline, oldest first; those in `known` that had ended as they were.

    The jobs of one that has not ended are left out, and so are those that cannot be read, which the run then says.
    """
    workflows, _ = await _workflows(parts, pipeline_id, fresh=True)
    ordered = sorted(workflows, key=lambda workflow: workflow.created_at)
    before = {run.workflow.id: run for run in known}
    return tuple(await together(*(_attempt(parts, workflow, before) for workflow in ordered)))


async def newer_pipeline(lists: Lists, build: Build) -> Pipeline | None:
    """Return the newest pipeline on the build's branch if it is a later one: it may have cancelled this build."""
    ref = build.pipeline.ref
    if ref is None or ref.is_tag:
        return None
    found = await lists.pipelines(build.pipeline.project_slug, ref.name)
    newest = max(found, key=lambda pipeline: pipeline.number, default=build.pipeline)
    return newest if newest.number > build.pipeline.number else None


def of_branch(found: Iterable[Pipeline], branch: str) -> tuple[Pipeline, ...]:
    """Return what is of the project's own branch, of pipelines that a far side lists under its name.

    It may list those of forks among them, whose branch is called the same; they are of their pull request alone.
    """
    wanted = Ref(name=branch)
    return tuple(one for one in found if not (one.vcs and one.vcs.is_of_fork) or wanted.means(one.ref))


async def _workflows(
    parts: Parts, pipeline_id: PipelineId, *, fresh: bool
) -> tuple[tuple[Workflow, ...], datetime | None]:
    try:
        return await parts.workflows(pipeline_id)
    except Rejected as error:
        # The list of a pipeline that has only just begun may be a 404 (circleci-cli: internal/cmd/run/get.go).
        if not (fresh and error.is_gone):
            raise
        return (), None


async def _attempt(parts: Parts, workflow: Workflow, known: Mapping[WorkflowId, Run]) -> Run:
    if workflow.id in known and known[workflow.id].workflow == workflow:
        return known[workflow.id]
    if not workflow.is_finished or workflow.is_setup or workflow.status in JOBLESS_STATUSES:
        return Run(workflow=workflow)
    try:
        return Run(workflow=workflow, jobs=await parts.jobs(workflow.id))
    except Unauthorized:
        raise
    except CircleCIError:
        return Run(workflow=workflow, jobs_unread=True)  # how it ended is known all the same


async def _glanced(parts: Parts, known: Build) -> dict[WorkflowId, Jobs]:
    ids = unfinished(known)
    return dict(zip(ids, await together(*(parts.dated_jobs(one) for one in ids)), strict=True))


async def _jobs(
    parts: Parts, workflow: Workflow, known: Build | None, read: Mapping[WorkflowId, Jobs]
) -> tuple[Job, ...]:
    just_read = read.get(workflow.id)
    if just_read and (not workflow.is_finished or all(job.is_finished for job in just_read.jobs)):
        return just_read.jobs
    for before in known.runs if known else ():
        # Jobs read while the workflow still ran are read once more after its end.
        settled = before.workflow == workflow and workflow.is_finished
        if settled and (before.jobs or workflow.status in JOBLESS_STATUSES):
            return before.jobs
    return await parts.jobs(workflow.id)


def _newest_runs(workflows: Iterable[Workflow]) -> list[Run]:
    """Keep the newest run of each workflow; a setup workflow is never an attempt of a real one."""
    by_name: dict[tuple[str, bool], list[Workflow]] = {}
    for workflow in sorted(workflows, key=lambda workflow: workflow.created_at):
        by_name.setdefault((workflow.name, workflow.is_setup), []).append(workflow)
    return [Run(workflow=runs[-1], attempt=len(runs)) for runs in by_name.values()]
