"""Builds as API v1.1 has them, for projects set to `api = "classic"`."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from bot.circleci.answers import decode, project_path
from bot.circleci.tested import decode_tests
from bot.circleci.transport import Transport
from bot.circleci.v1 import shapes
from bot.circleci.v1.api import Api
from bot.circleci.v1.shapes import Place, is_alike, place_of
from bot.models.build import Build, Run
from bot.models.circleci import (
    Artifact,
    Definition,
    JobDetails,
    Pipeline,
    PipelineId,
    Project,
    ProjectSlug,
    TestResult,
    VcsInfo,
    WorkflowId,
)
from bot.models.classic import BuildSummary, FollowedProject, as_list
from bot.models.history import Insight

LISTED = 30  # builds of a project or a branch; at most 100


class V1Builds:
    """`protocols.Builds` by API v1.1."""

    def __init__(self, transport: Transport) -> None:
        self._api = Api(transport)

    async def project(self, slug: str) -> Project:
        """Return a project; API v1.1 knows the default branch of followed ones alone."""
        followed = [one for one in await self._api.all(FollowedProject, "projects") if is_alike(one.slug, slug)]
        info = VcsInfo(default_branch=followed[0].default_branch if followed else "")
        known = followed[0].slug if followed else ProjectSlug(slug)
        organization, _, name = known.partition("/")[2].partition("/")
        return Project(slug=known, name=name, organization_name=organization, vcs_info=info)

    async def definitions(self, project_id: str) -> tuple[Definition, ...]:
        """Return nothing: API v1.1 has no pipeline definitions."""
        return ()

    async def pipelines(self, slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        """Return the newest builds as pipelines, newest first; retries are none of their own."""
        found = await self._listed(slug, branch)
        return tuple(shapes.pipeline(ProjectSlug(slug), build) for build in found if build.retry_of is None)

    async def my_pipelines(self, slug: str) -> tuple[Pipeline, ...]:
        """Return the newest builds: API v1.1 does not say which token started them."""
        return await self.pipelines(slug)

    async def pipeline(self, pipeline_id: PipelineId) -> Pipeline:
        """Return one build as a pipeline."""
        return await self.pipeline_by_number(*place_of(pipeline_id))

    async def pipeline_by_number(self, slug: str, number: int) -> Pipeline:
        """Return the build people call by `number`."""
        build, _ = await self._summary(slug, number)
        return shapes.pipeline(ProjectSlug(slug), build)

    async def pipeline_of_workflow(self, workflow_id: WorkflowId) -> Pipeline:
        """Return the build that goes by the same id."""
        return await self.pipeline(PipelineId(workflow_id))

    async def newer_pipeline(self, build: Build) -> Pipeline | None:
        """Return nothing: here, no newer build cancels an older one."""
        return None

    async def build(self, pipeline_id: PipelineId, known: Build | None = None) -> Build:
        """Return a build with its retries: two requests."""
        place = place_of(pipeline_id)
        chain, read_at = await self._chain(place)
        newest = shapes.run(place.slug, chain[-1], len(chain))
        return Build(pipeline=shapes.pipeline(place.slug, chain[0]), runs=(newest,), read_at=read_at)

    async def whole(self, pipeline: Pipeline) -> Build:
        """Return the same as `build`: a pipeline does not tell what became of it."""
        return await self.build(pipeline.id)

    async def outline(self, pipeline: Pipeline) -> Build:
        """Return the same as `build`: there is nothing cheaper."""
        return await self.build(pipeline.id)

    async def attempts(self, pipeline_id: PipelineId, known: Sequence[Run] = ()) -> tuple[Run, ...]:
        """Return a build and its retries as runs of one workflow, oldest first."""
        place = place_of(pipeline_id)
        chain, _ = await self._chain(place)
        return tuple(shapes.run(place.slug, build, number) for number, build in enumerate(chain, start=1))

    async def job(self, slug: str, number: int) -> JobDetails:
        """Return a build as a job's details."""
        build, _ = await self._summary(slug, number)
        return shapes.details(slug, build)

    async def some_tests(self, slug: str, job_number: int, pages: int) -> tuple[tuple[TestResult, ...], bool]:
        """Return a build's stored test results, all at once."""
        data = (await self._api.get(project_path(slug, job_number, "tests"))).data
        found = as_list(data.get("tests")) if isinstance(data, dict) else []
        return tuple(await asyncio.to_thread(decode_tests, found)), False

    async def some_artifacts(self, slug: str, job_number: int, pages: int) -> tuple[tuple[Artifact, ...], bool]:
        """Return the files a build stored, all at once."""
        return await self._api.all(Artifact, project_path(slug, job_number, "artifacts")), False

    async def flaky_tests(self, slug: str) -> tuple[Insight, ...]:
        """Return nothing: API v1.1 calls no test flaky."""
        return ()

    async def _chain(self, place: Place) -> tuple[list[BuildSummary], datetime]:
        """Return a build and its retries, oldest first, and the time on CircleCI's clock."""
        first, read_at = await self._summary(*place)
        others = await self._listed(place.slug, first.branch) if first.branch else ()
        return shapes.retries(first, others), read_at

    async def _summary(self, slug: str, number: int) -> tuple[BuildSummary, datetime]:
        answer = await self._api.get(project_path(slug, number))
        return decode(BuildSummary, answer.data), answer.date

    async def _listed(self, slug: str, branch: str | None) -> tuple[BuildSummary, ...]:
        """Return the newest builds of a project or one of its branches, newest first."""
        path = project_path(slug, *(("tree", branch) if branch else ()))
        return await self._api.all(BuildSummary, path, limit=str(LISTED), shallow="true")
