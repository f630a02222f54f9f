"""Builds as API v2 has them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.circleci import builds
from bot.circleci.answers import decode, project_path, segments
from bot.circleci.bodies import decode_all
from bot.circleci.glance import Jobs
from bot.circleci.tested import decode_tests
from bot.circleci.transport import Transport
from bot.circleci.v2.api import Api
from bot.models.build import Build, Run
from bot.models.circleci import (
    Artifact,
    Definition,
    Job,
    JobDetails,
    Pipeline,
    PipelineId,
    Project,
    Ref,
    TestResult,
    Workflow,
    WorkflowId,
)
from bot.models.fields import Model
from bot.models.history import Insight

MOST_PAGES = 8  # of a branch's pipelines, where those of forks stand before its own
FORK_PAGES = 3  # of the project's newest pipelines, for those of a fork


class _OfPipeline(Model):
    pipeline_id: PipelineId


class V2Builds:
    """`protocols.Builds` by API v2."""

    def __init__(self, transport: Transport) -> None:
        self._api = Api(transport)

    async def project(self, slug: str) -> Project:
        """Return a project under its canonical slug, whatever spelling of it was asked for."""
        return decode(Project, (await self._api.get(project_path(slug))).data)

    async def definitions(self, project_id: str) -> tuple[Definition, ...]:
        """Return a project's pipeline definitions, for `run_pipeline`."""
        return await self._api.all(Definition, segments("projects", project_id, "pipeline-definitions"))

    async def pipelines(self, slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        """Return the newest pipelines, newest first; with `branch` those of tags and of forks are left out."""
        if not branch:
            return await self._listed(slug, {}, pages)
        found = await self._listed(slug, {"branch": branch}, pages)
        kept = builds.of_branch(found, branch)
        if found and not kept:  # nobody hides a branch behind the builds of a fork
            kept = builds.of_branch(await self._listed(slug, {"branch": branch}, MOST_PAGES), branch)
        return await self._with_forks(slug, branch, kept) if Ref(name=branch).pull_request else kept

    async def _with_forks(self, slug: str, branch: str, found: Sequence[Pipeline]) -> tuple[Pipeline, ...]:
        """Add the pipelines of a pull request that are listed under the name that its fork gives the branch."""
        wanted, known = Ref(name=branch), {one.id for one in found}
        others = (one for one in await self._listed(slug, {}, FORK_PAGES) if one.vcs and one.vcs.is_of_fork)
        added = [one for one in others if one.id not in known and wanted.means(one.ref)]
        return tuple(sorted([*found, *added], key=lambda one: one.number, reverse=True)) if added else tuple(found)

    async def _listed(self, slug: str, where: Mapping[str, str], pages: int) -> tuple[Pipeline, ...]:
        return await self._api.all(Pipeline, project_path(slug, "pipeline"), where, pages, may_break_off=True)

    async def my_pipelines(self, slug: str) -> tuple[Pipeline, ...]:
        """Return the newest pipelines that our own token started, newest first."""
        return await self._api.all(Pipeline, project_path(slug, "pipeline", "mine"), most=1)

    async def pipeline(self, pipeline_id: PipelineId) -> Pipeline:
        """Return one pipeline."""
        return (await self.dated_pipeline(pipeline_id))[0]

    async def dated_pipeline(self, pipeline_id: PipelineId) -> tuple[Pipeline, datetime]:
        """Return one pipeline, and the time on CircleCI's clock."""
        answer = await self._api.get(segments("pipeline", pipeline_id))
        return decode(Pipeline, answer.data), answer.date

    async def pipeline_by_number(self, slug: str, number: int) -> Pipeline:
        """Return the pipeline people call by `number`."""
        return decode(Pipeline, (await self._api.get(project_path(slug, "pipeline", number))).data)

    async def pipeline_of_workflow(self, workflow_id: WorkflowId) -> Pipeline:
        """Return the pipeline that a workflow belongs to: two requests."""
        found = decode(_OfPipeline, (await self._api.get(segments("workflow", workflow_id))).data)
        return await self.pipeline(found.pipeline_id)

    async def newer_pipeline(self, build: Build) -> Pipeline | None:
        """Return the newest pipeline on the build's branch if it is a later one: it may have cancelled this build."""
        return await builds.newer_pipeline(self, build)

    async def build(self, pipeline_id: PipelineId, known: Build | None = None) -> Build:
        """Return a pipeline seen whole, reusing from `known` what cannot have changed."""
        return await builds.build(self, pipeline_id, known)

    async def whole(self, pipeline: Pipeline) -> Build:
        """Return a pipeline that was read just now, seen whole."""
        return await builds.whole(self, pipeline)

    async def outline(self, pipeline: Pipeline) -> Build:
        """Return a pipeline with its workflows, without their jobs: one request."""
        return await builds.outline(self, pipeline)

    async def attempts(self, pipeline_id: PipelineId, known: Sequence[Run] = ()) -> tuple[Run, ...]:
        """Return every run of every workflow of a pipeline, oldest first; those in `known` that had ended as they were.

        The jobs of one that has not ended are left out.
        """
        return await builds.attempts(self, pipeline_id, known)

    async def workflows(self, pipeline_id: PipelineId) -> tuple[tuple[Workflow, ...], datetime | None]:
        """Return all runs of all workflows, reruns included, newest first, and the time on CircleCI's clock."""
        found, date = list[Workflow](), None
        async for page in self._api.pages(segments("pipeline", pipeline_id, "workflow")):
            date = date or page.date
            found += await decode_all(Workflow, page.items)
        return tuple(found), date

    async def jobs(self, workflow_id: WorkflowId) -> tuple[Job, ...]:
        """Return the jobs of one workflow."""
        return await self._api.all(Job, segments("workflow", workflow_id, "job"))

    async def dated_jobs(self, workflow_id: WorkflowId) -> Jobs:
        """Return the jobs of one workflow, and the time on CircleCI's clock."""
        found, date = list[Job](), None
        async for page in self._api.pages(segments("workflow", workflow_id, "job")):
            date = date or page.date
            found += await decode_all(Job, page.items)
        return Jobs(tuple(found), date or datetime.min.replace(tzinfo=UTC))

    async def job(self, slug: str, number: int) -> JobDetails:
        """Return a job's details; an approval job has none, and answers 404."""
        return decode(JobDetails, (await self._api.get(project_path(slug, "job", number))).data)

    async def some_tests(self, slug: str, job_number: int, pages: int) -> tuple[tuple[TestResult, ...], bool]:
        """Return the first pages of a job's test results, and whether there are more; many jobs store none."""
        found, more = list[TestResult](), False
        async for page in self._api.pages(project_path(slug, job_number, "tests"), most=pages, may_break_off=True):
            # Thousands of them take a while, and others wait for the loop.
            found += await asyncio.to_thread(decode_tests, page.items)
            more = page.more
        return tuple(found), more

    async def some_artifacts(self, slug: str, job_number: int, pages: int) -> tuple[tuple[Artifact, ...], bool]:
        """Return the first pages of the files a job stored, and whether there are more."""
        found, more = list[Artifact](), False
        async for page in self._api.pages(project_path(slug, job_number, "artifacts"), most=pages):
            found += await decode_all(Artifact, page.items)
            more = page.more
        return tuple(found), more

    async def flaky_tests(self, slug: str) -> tuple[Insight, ...]:
        """Return the tests CircleCI calls flaky: failed and passed on one commit within two weeks.

        Recorded answers are spelled test_name, the description says test-name (mcp-server-circleci#23).
        """
        data = (await self._api.get(segments("insights", *slug.split("/"), "flaky-tests"))).data
        listed = _spelled(data).get("flaky_tests") if isinstance(data, dict) else None
        found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return tuple(decode(Insight, _spelled(one)) for one in found)


def _spelled(data: dict[object, object]) -> dict[str, object]:
    return {str(name).replace("-", "_"): value for name, value in data.items()}
