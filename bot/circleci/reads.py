"""Everything the bot reads of the far sides, under one face; nothing here changes anything."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from bot.circleci.account import CircleCIAccount
from bot.circleci.choice import Choice, Realm
from bot.circleci.evidence import CircleCIEvidence
from bot.circleci.kept import CircleCIKept
from bot.circleci.outputs import LONGEST_READ, MOST_BYTES, OutputTail
from bot.circleci.protocols import Account, Builds, Evidence, Kept
from bot.circleci.transport import Transport
from bot.circleci.v1.reads import V1Builds
from bot.circleci.v1.shapes import realm
from bot.circleci.v2.reads import V2Builds
from bot.errors import CircleCIError
from bot.models.build import Build, Run
from bot.models.circleci import (
    Artifact,
    ClassicBuild,
    Collaboration,
    Definition,
    JobDetails,
    Pipeline,
    PipelineId,
    Project,
    TestResult,
    User,
    Webhook,
    WorkflowId,
)
from bot.models.classic import BuildSummary, CheckoutKey, EnvironmentVariable, FollowedProject
from bot.models.history import Insight


class Side(NamedTuple):
    """How the projects of one far side are read."""

    builds: Builds
    evidence: Evidence
    kept: Kept


class Reads:
    """Each method asks the side that the project or the id belongs to, as `protocols` has it."""

    def __init__(self, sides: Choice[Side], account: Account) -> None:
        self._sides = sides
        self._account = account

    def of(self, slug: str) -> Side:
        """Return who answers for a project."""
        return self._sides.of(slug)

    def of_id(self, identity: str) -> Side:
        """Return who answers for a pipeline or a project, by its id, and for what a far side named by an address."""
        return self._sides.of_id(identity)

    async def me(self) -> User:
        """Return whom the token belongs to."""
        return await self._account.me()

    async def owners(self) -> dict[str, User | CircleCIError]:
        """Return whose each token is, or what is said of it instead; the default one is under the empty name."""
        return await self._account.owners()

    async def collaborations(self) -> tuple[Collaboration, ...]:
        """Return the organisations that the token's user belongs to."""
        return await self._account.collaborations()

    async def followed_projects(self) -> tuple[FollowedProject, ...]:
        """Return the projects that the token's user follows; those it may only see are not among them."""
        return await self._account.followed_projects()

    async def recent_builds(self, limit: int = 30) -> tuple[BuildSummary, ...]:
        """Return the newest builds over all followed projects, newest first; at most 100."""
        return await self._account.recent_builds(limit)

    async def project(self, slug: str) -> Project:
        """Return a project under its canonical slug, whatever spelling of it was asked for."""
        return await self.of(slug).builds.project(slug)

    async def definitions(self, project_id: str) -> tuple[Definition, ...]:
        """Return a project's pipeline definitions."""
        return await self.of_id(project_id).builds.definitions(project_id)

    async def pipelines(self, slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        """Return the newest pipelines, newest first; with `branch` those of tags and of forks are left out."""
        return await self.of(slug).builds.pipelines(slug, branch, pages)

    async def my_pipelines(self, slug: str) -> tuple[Pipeline, ...]:
        """Return the newest pipelines that our own token started, newest first, or those that it may have started."""
        return await self.of(slug).builds.my_pipelines(slug)

    async def pipeline(self, pipeline_id: PipelineId) -> Pipeline:
        """Return one pipeline."""
        return await self.of_id(pipeline_id).builds.pipeline(pipeline_id)

    async def pipeline_by_number(self, slug: str, number: int) -> Pipeline:
        """Return the pipeline people call by `number`."""
        return await self.of(slug).builds.pipeline_by_number(slug, number)

    async def pipeline_of_workflow(self, workflow_id: WorkflowId) -> Pipeline:
        """Return the pipeline that a workflow belongs to."""
        return await self.of_id(workflow_id).builds.pipeline_of_workflow(workflow_id)

    async def newer_pipeline(self, build: Build) -> Pipeline | None:
        """Return the newest pipeline on the build's branch if it is a later one that may have cancelled this build."""
        return await self.of_id(build.pipeline.id).builds.newer_pipeline(build)

    async def build(self, pipeline_id: PipelineId, known: Build | None = None) -> Build:
        """Return a pipeline seen whole, reusing from `known` what cannot have changed."""
        return await self.of_id(pipeline_id).builds.build(pipeline_id, known)

    async def whole(self, pipeline: Pipeline) -> Build:
        """Return a pipeline that was read just now, seen whole, without reading it again."""
        return await self.of_id(pipeline.id).builds.whole(pipeline)

    async def outline(self, pipeline: Pipeline) -> Build:
        """Return a pipeline with its workflows, without their jobs where that is cheaper."""
        return await self.of_id(pipeline.id).builds.outline(pipeline)

    async def attempts(self, pipeline_id: PipelineId, known: Sequence[Run] = ()) -> tuple[Run, ...]:
        """Return every run of every workflow of a pipeline, oldest first; those in `known` that had ended as they were.

        The jobs of one that has not ended may be left out.
        """
        return await self.of_id(pipeline_id).builds.attempts(pipeline_id, known)

    async def job(self, slug: str, number: int) -> JobDetails:
        """Return a job's details; an approval job has none, and answers 404."""
        return await self.of(slug).builds.job(slug, number)

    async def some_tests(self, slug: str, job_number: int, pages: int) -> tuple[tuple[TestResult, ...], bool]:
        """Return the first pages of a job's test results, and whether there are more."""
        return await self.of(slug).builds.some_tests(slug, job_number, pages)

    async def some_artifacts(self, slug: str, job_number: int, pages: int) -> tuple[tuple[Artifact, ...], bool]:
        """Return the first pages of the files a job stored, and whether there are more."""
        return await self.of(slug).builds.some_artifacts(slug, job_number, pages)

    async def flaky_tests(self, slug: str) -> tuple[Insight, ...]:
        """Return the tests the far side calls flaky."""
        return await self.of(slug).builds.flaky_tests(slug)

    async def job_steps(self, slug: str, number: int) -> ClassicBuild:
        """Return a job with its steps; those of an old job are gone."""
        return await self.of(slug).evidence.job_steps(slug, number)

    async def output(self, url: str, max_bytes: int = MOST_BYTES, deadline_seconds: float = LONGEST_READ) -> OutputTail:
        """Return the end of the log behind an `output_url`, in bounded memory and time."""
        return await self.of_id(url).evidence.output(url, max_bytes, deadline_seconds)

    async def artifact(self, url: str, max_bytes: int) -> bytes | None:
        """Return a stored file, None when it is larger than `max_bytes`."""
        return await self.of_id(url).evidence.artifact(url, max_bytes)

    async def variables(self, slug: str) -> tuple[EnvironmentVariable, ...]:
        """Return a project's environment variables, masked."""
        return await self.of(slug).kept.variables(slug)

    async def variable(self, slug: str, name: str) -> EnvironmentVariable:
        """Return one environment variable, masked."""
        return await self.of(slug).kept.variable(slug, name)

    async def checkout_keys(self, slug: str) -> tuple[CheckoutKey, ...]:
        """Return a project's checkout keys."""
        return await self.of(slug).kept.checkout_keys(slug)

    async def checkout_key(self, slug: str, fingerprint: str) -> CheckoutKey:
        """Return one checkout key, by its MD5 fingerprint or its SHA256 one."""
        return await self.of(slug).kept.checkout_key(slug, fingerprint)

    async def webhooks(self, project_id: str) -> tuple[Webhook, ...]:
        """Return a project's outbound webhooks."""
        return await self.of_id(project_id).kept.webhooks(project_id)


def circleci_reads(transport: Transport, *others: tuple[Realm, Side]) -> Reads:
    """Return what reads CircleCI by API v2, and by `others` what belongs to their realm."""
    return Reads(Choice(_current(transport), *others), CircleCIAccount(transport))


def classic_reads(transport: Transport, slugs: Collection[str]) -> tuple[Realm, Side]:
    """Return what reads the builds of these projects by API v1.1."""
    return realm(slugs), _current(transport)._replace(builds=V1Builds(transport))


def _current(transport: Transport) -> Side:
    return Side(V2Builds(transport), CircleCIEvidence(transport), CircleCIKept(transport))
