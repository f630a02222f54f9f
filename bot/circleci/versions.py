"""One face for both generations: projects set to `api = "classic"` are spoken to in v1.1, all others in v2.

A build of v1.1 is seen as a pipeline of one workflow with one job; its retries, which have numbers of their own, are
further attempts of that workflow. So watching, reports, retry and cancel are the same for both.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from bot.circleci.classic import Classic
from bot.circleci.client import CircleCI, Parameters
from bot.circleci.transport import Transport
from bot.models.build import Build, Run
from bot.models.circleci import (
    Artifact,
    Commit,
    Job,
    JobDetails,
    JobId,
    Pipeline,
    PipelineId,
    Project,
    ProjectSlug,
    Ref,
    TestResult,
    TriggeredPipeline,
    Vcs,
    VcsInfo,
    Workflow,
    WorkflowId,
)
from bot.models.classic import BuildSummary
from bot.models.history import Insight

PREFIX = "classic:"
# How API v1.1 says what v2 does, https://circleci.com/docs/api/v1/#build-status ; the rest is spelled alike.
_WORKFLOW_STATUS = {
    "fixed": "success",
    "no_tests": "success",
    "timedout": "failed",
    "infrastructure_fail": "failed",
    "scheduled": "queued",
    "not_running": "queued",
    "retried": "failed",
}


class _Place(NamedTuple):
    slug: ProjectSlug
    number: int


class Versions(CircleCI):
    """API v2, or v1.1 in its shape for the projects named `classic`."""

    def __init__(self, transport: Transport, classic: Collection[str] = ()) -> None:
        super().__init__(transport)
        self._classic = Classic(transport)
        self._slugs = frozenset(classic)

    async def project(self, slug: str) -> Project:
        """Return a project; API v1.1 knows the default branch of followed ones alone."""
        if slug not in self._slugs:
            return await super().project(slug)
        followed = [one for one in await self._classic.projects() if f"{one.title}" == slug.partition("/")[2]]
        branch = followed[0].default_branch if followed else ""
        organization, _, name = slug.partition("/")[2].partition("/")
        info = VcsInfo(default_branch=branch)
        return Project(slug=ProjectSlug(slug), name=name, organization_name=organization, vcs_info=info)

    async def pipelines(self, slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        """Return the newest builds as pipelines, newest first."""
        if slug not in self._slugs:
            return await super().pipelines(slug, branch, pages)
        found = await self._classic.builds(slug, branch)
        return tuple(_pipeline(ProjectSlug(slug), build) for build in found if build.retry_of is None)

    async def my_pipelines(self, slug: str) -> tuple[Pipeline, ...]:
        """Return the newest builds: API v1.1 does not say which token started them."""
        return await self.pipelines(slug) if slug in self._slugs else await super().my_pipelines(slug)

    async def pipeline(self, pipeline_id: PipelineId) -> Pipeline:
        """Return one build as a pipeline."""
        place = _place(pipeline_id)
        return (
            _pipeline(place.slug, await self._classic.summary(*place)) if place else await super().pipeline(pipeline_id)
        )

    async def pipeline_by_number(self, slug: str, number: int) -> Pipeline:
        """Return the build people call by `number`."""
        if slug not in self._slugs:
            return await super().pipeline_by_number(slug, number)
        return _pipeline(ProjectSlug(slug), await self._classic.summary(slug, number))

    async def newer_pipeline(self, build: Build) -> Pipeline | None:
        """Return nothing for a classic build: there, no newer one cancels it."""
        return None if _place(build.pipeline.id) else await super().newer_pipeline(build)

    async def trigger(self, slug: str, ref: Ref, parameters: Parameters | None = None) -> TriggeredPipeline:
        """Start a build; a classic one is configured before 2.1 and takes `parameters` as environment variables."""
        if slug not in self._slugs:
            return await super().trigger(slug, ref, parameters)
        started = await self._classic.trigger(slug, ref, parameters)
        created = started.queued_at or datetime.now(UTC)
        return TriggeredPipeline(id=_id(slug, started.build_num), number=started.build_num, created_at=created)

    async def outline(self, pipeline: Pipeline) -> Build:
        """Return a build without its jobs where that is cheaper; here it is not."""
        return await (self.build(pipeline.id) if _place(pipeline.id) else super().outline(pipeline))

    async def build(self, pipeline_id: PipelineId, known: Build | None = None) -> Build:
        """Return a classic build with its retries: two requests."""
        place = _place(pipeline_id)
        if place is None:
            return await super().build(pipeline_id, known)
        first, read_at = await self._classic.dated_summary(*place)
        others = await self._classic.builds(place.slug, first.branch) if first.branch else ()
        chain = _retries(first, others)
        newest, attempt = chain[-1], len(chain)
        run = Run(workflow=_workflow(place.slug, newest), jobs=(_job(place.slug, newest),), attempt=attempt)
        return Build(pipeline=_pipeline(place.slug, first), runs=(run,), read_at=read_at)

    async def attempts(self, pipeline_id: PipelineId, known: Sequence[Run] = ()) -> tuple[Run, ...]:
        """Return a classic build and its retries as runs of one workflow, oldest first."""
        place = _place(pipeline_id)
        if place is None:
            return await super().attempts(pipeline_id, known)
        first = await self._classic.summary(*place)
        others = await self._classic.builds(place.slug, first.branch) if first.branch else ()
        chain = _retries(first, others)
        return tuple(
            Run(workflow=_workflow(place.slug, one), jobs=(_job(place.slug, one),), attempt=number)
            for number, one in enumerate(chain, start=1)
        )

    async def flaky_tests(self, slug: str) -> tuple[Insight, ...]:
        """Return what CircleCI calls flaky; API v1.1 calls nothing so."""
        return () if slug in self._slugs else await super().flaky_tests(slug)

    async def job(self, slug: str, number: int) -> JobDetails:
        """Return a job's details."""
        if slug not in self._slugs:
            return await super().job(slug, number)
        found = await self._classic.summary(slug, number)
        details = {
            "name": found.job_name,
            "number": number,
            "status": found.status,
            "pipeline": {"id": _id(slug, number)},
        }
        return JobDetails.model_validate(details)

    async def artifacts(self, slug: str, job_number: int, pages: int = 5) -> tuple[Artifact, ...]:
        """Return the files a job stored."""
        if slug in self._slugs:
            return await self._classic.artifacts(slug, job_number)
        return await super().artifacts(slug, job_number, pages)

    async def some_tests(self, slug: str, job_number: int, pages: int) -> tuple[tuple[TestResult, ...], bool]:
        """Return test results, and whether there are more."""
        if slug in self._slugs:
            return await self._classic.tests(slug, job_number), False
        return await super().some_tests(slug, job_number, pages)

    async def cancel_workflow(self, workflow_id: WorkflowId) -> None:
        """Ask for a workflow to be cancelled."""
        place = _place(workflow_id)
        await (self._classic.cancel(*place) if place else super().cancel_workflow(workflow_id))

    async def cancel_job_number(self, slug: str, number: int) -> None:
        """Ask for a started job to be cancelled."""
        await (self._classic.cancel(slug, number) if slug in self._slugs else super().cancel_job_number(slug, number))

    async def rerun_workflow(self, workflow_id: WorkflowId, *, from_failed: bool) -> WorkflowId | None:
        """Run a finished workflow again; a classic build has no failed jobs to begin from, and runs whole."""
        place = _place(workflow_id)
        if place is None:
            return await super().rerun_workflow(workflow_id, from_failed=from_failed)
        return WorkflowId(_id(place.slug, (await self._classic.retry(*place)).build_num))

    async def rerun_jobs(self, workflow_id: WorkflowId, jobs: Sequence[JobId], *, ssh: bool) -> None:
        """Run jobs again, with SSH if asked."""
        place = _place(workflow_id)
        if place is None:
            await super().rerun_jobs(workflow_id, jobs, ssh=ssh)
        else:
            await self._classic.retry(*place, ssh=ssh)


def _id(slug: str, number: int) -> PipelineId:
    return PipelineId(f"{PREFIX}{slug}:{number}")


def _place(identity: str) -> _Place | None:
    """Return the project and the number an id of ours stands for; None for one of API v2."""
    if not identity.startswith(PREFIX):
        return None
    slug, _, number = identity.removeprefix(PREFIX).rpartition(":")
    return _Place(ProjectSlug(slug), int(number))


def _retries(first: BuildSummary, others: Sequence[BuildSummary]) -> list[BuildSummary]:
    """Return a build and its retries, and theirs, oldest first."""
    chain = [first]
    for build in sorted(others, key=lambda one: one.build_num):
        if build.retry_of == chain[-1].build_num:
            chain.append(build)
    return chain


def _pipeline(slug: ProjectSlug, build: BuildSummary) -> Pipeline:
    vcs = Vcs(
        branch="" if build.vcs_tag else build.branch,
        tag=build.vcs_tag,
        revision=build.vcs_revision,
        commit=Commit(subject=build.subject),
    )
    created = build.queued_at or build.start_time or datetime.now(UTC)
    return Pipeline(
        id=_id(slug, build.build_num),
        number=build.build_num,
        project_slug=slug,
        state="created",
        created_at=created,
        vcs=vcs,
    )


def _workflow(slug: ProjectSlug, build: BuildSummary) -> Workflow:
    status = "canceled" if build.outcome == "canceled" else _WORKFLOW_STATUS.get(build.status, build.status)
    return Workflow(
        id=WorkflowId(_id(slug, build.build_num)),
        name="build",
        status=status,
        created_at=build.queued_at or build.start_time or datetime.now(UTC),
        stopped_at=build.stop_time,
    )


def _job(slug: ProjectSlug, build: BuildSummary) -> Job:
    status = {"fixed": "success", "no_tests": "success", "scheduled": "queued"}.get(build.status, build.status)
    started: Mapping[str, object] = {"started_at": build.start_time, "stopped_at": build.stop_time}
    identity = {"id": _id(slug, build.build_num), "name": build.job_name, "job_number": build.build_num}
    return Job.model_validate({**identity, "status": status, **started})
