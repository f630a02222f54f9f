"""What the bot asks of a far side, by use: builds, evidence, an account, what a project keeps; starting, keeping.

Reading and changing are apart, so that who is given `Reads` can change nothing. Every verb raises a CircleCIError when
the far side does not do it.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from bot.circleci.outputs import LONGEST_READ, MOST_BYTES, OutputTail
from bot.errors import CircleCIError
from bot.models.build import Build, Run
from bot.models.circleci import (
    Artifact,
    ClassicBuild,
    Collaboration,
    Definition,
    JobDetails,
    JobId,
    Pipeline,
    PipelineId,
    Project,
    Ref,
    TestResult,
    TriggeredPipeline,
    User,
    Webhook,
    WorkflowId,
)
from bot.models.classic import BuildSummary, CheckoutKey, EnvironmentVariable, FollowedProject
from bot.models.history import Insight

Parameters = Mapping[str, str | int | bool]


class Builds(Protocol):
    """Reads projects, their pipelines, and what became of these."""

    async def project(self, slug: str) -> Project:
        """Return a project under its canonical slug, whatever spelling of it was asked for."""

    async def definitions(self, project_id: str) -> tuple[Definition, ...]:
        """Return a project's pipeline definitions, for `run_pipeline`."""

    async def pipelines(self, slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        """Return the newest pipelines, newest first; with `branch` those of tags and of forks are left out."""

    async def my_pipelines(self, slug: str) -> tuple[Pipeline, ...]:
        """Return the newest pipelines that our own token started, newest first, or those that it may have started."""

    async def pipeline(self, pipeline_id: PipelineId) -> Pipeline:
        """Return one pipeline."""

    async def pipeline_by_number(self, slug: str, number: int) -> Pipeline:
        """Return the pipeline people call by `number`."""

    async def pipeline_of_workflow(self, workflow_id: WorkflowId) -> Pipeline:
        """Return the pipeline that a workflow belongs to."""

    async def newer_pipeline(self, build: Build) -> Pipeline | None:
        """Return the newest pipeline on the build's branch if it is a later one that may have cancelled this build."""

    async def build(self, pipeline_id: PipelineId, known: Build | None = None) -> Build:
        """Return a pipeline seen whole, reusing from `known` what cannot have changed."""

    async def whole(self, pipeline: Pipeline) -> Build:
        """Return a pipeline that was read just now, seen whole, without reading it again."""

    async def outline(self, pipeline: Pipeline) -> Build:
        """Return a pipeline with its workflows, without their jobs where that is cheaper."""

    async def attempts(self, pipeline_id: PipelineId, known: Sequence[Run] = ()) -> tuple[Run, ...]:
        """Return every run of every workflow of a pipeline, oldest first; those in `known` that had ended as they were.

        The jobs of one that has not ended may be left out.
        """

    async def job(self, slug: str, number: int) -> JobDetails:
        """Return a job's details; an approval job has none, and answers 404."""

    async def some_tests(self, slug: str, job_number: int, pages: int) -> tuple[tuple[TestResult, ...], bool]:
        """Return the first pages of a job's test results, and whether there are more; many jobs store none."""

    async def some_artifacts(self, slug: str, job_number: int, pages: int) -> tuple[tuple[Artifact, ...], bool]:
        """Return the first pages of the files a job stored, and whether there are more."""

    async def flaky_tests(self, slug: str) -> tuple[Insight, ...]:
        """Return the tests the far side calls flaky: failed and passed on one commit within two weeks."""


class Evidence(Protocol):
    """Reads what a job did: its steps, their logs, the files it stored."""

    async def job_steps(self, slug: str, number: int) -> ClassicBuild:
        """Return a job with its steps; those of an old job are gone."""

    async def output(self, url: str, max_bytes: int = MOST_BYTES, deadline_seconds: float = LONGEST_READ) -> OutputTail:
        """Return the end of the log behind an `output_url`, in bounded memory and time.

        The address is good for minutes, needs no login and is a secret: it is never logged or kept.
        """

    async def artifact(self, url: str, max_bytes: int) -> bytes | None:
        """Return a stored file, None when it is larger than `max_bytes`."""


class Account(Protocol):
    """Reads whom the tokens belong to, and what they see over all projects."""

    async def me(self) -> User:
        """Return whom the token belongs to; everything else in that answer is private."""

    async def owners(self) -> dict[str, User | CircleCIError]:
        """Return whose each token is, or what is said of it instead; the default one is under the empty name."""

    async def collaborations(self) -> tuple[Collaboration, ...]:
        """Return the organisations that the token's user belongs to."""

    async def followed_projects(self) -> tuple[FollowedProject, ...]:
        """Return the projects that the token's user follows; those it may only see are not among them."""

    async def recent_builds(self, limit: int = 30) -> tuple[BuildSummary, ...]:
        """Return the newest builds over all followed projects, newest first; at most 100."""


class Kept(Protocol):
    """Reads what a project keeps: variables, keys, webhooks; no secret comes out of it."""

    async def variables(self, slug: str) -> tuple[EnvironmentVariable, ...]:
        """Return a project's environment variables, masked."""

    async def variable(self, slug: str, name: str) -> EnvironmentVariable:
        """Return one environment variable, masked."""

    async def checkout_keys(self, slug: str) -> tuple[CheckoutKey, ...]:
        """Return a project's checkout keys."""

    async def checkout_key(self, slug: str, fingerprint: str) -> CheckoutKey:
        """Return one checkout key, by its MD5 fingerprint or its SHA256 one."""

    async def webhooks(self, project_id: str) -> tuple[Webhook, ...]:
        """Return a project's outbound webhooks."""


class Starts(Protocol):
    """Starts, cancels, reruns and approves."""

    async def trigger(self, slug: str, ref: Ref, parameters: Parameters | None = None) -> TriggeredPipeline:
        """Start a pipeline of a branch or a tag; raises NotTriggered for one that will never run."""

    async def run_pipeline(
        self, slug: str, definition_id: str, ref: Ref, parameters: Parameters | None = None
    ) -> TriggeredPipeline:
        """Start a pipeline definition with configuration and code of the same ref; raises NotTriggered."""

    async def cancel_workflow(self, workflow_id: WorkflowId) -> None:
        """Ask for a workflow to be cancelled; it is once its status says so."""

    async def cancel_job_number(self, slug: str, number: int) -> None:
        """Ask for a started job to be cancelled."""

    async def rerun_workflow(self, workflow_id: WorkflowId, *, from_failed: bool) -> WorkflowId | None:
        """Run a finished workflow again and return the new one's id, where the far side tells it."""

    async def rerun_jobs(self, workflow_id: WorkflowId, jobs: Sequence[JobId], *, ssh: bool) -> None:
        """Run some jobs of a finished workflow again; `ssh` opens them to the keys of the token's user."""

    async def approve(self, workflow_id: WorkflowId, approval_request_id: str) -> None:
        """Let an approval job go on."""


class Keeps(Protocol):
    """Changes what a project keeps."""

    async def set_variable(self, slug: str, name: str, value: SecretStr) -> None:
        """Set an environment variable, new or not."""

    async def remove_variable(self, slug: str, name: str) -> None:
        """Take an environment variable away."""

    async def add_checkout_key(self, slug: str, kind: str) -> CheckoutKey:
        """Make a checkout key: `kind` is deploy-key or github-user-key. A personal token is needed."""

    async def remove_checkout_key(self, slug: str, fingerprint: str) -> None:
        """Take a checkout key away."""

    async def add_ssh_key(self, slug: str, hostname: str, private_key: SecretStr) -> None:
        """Let the project's builds log in to a host; without a hostname, to every one."""

    async def add_heroku_key(self, key: SecretStr) -> None:
        """Give the token's user a Heroku key; CircleCI Cloud answers 404 to this."""

    async def clear_cache(self, slug: str) -> str:
        """Drop the dependency caches and return CircleCI's word for it; on Cloud this is gone (404)."""

    async def add_webhook(self, project_id: str, url: str, secret: SecretStr) -> None:
        """Have CircleCI call `url` when a workflow or a job ends; the user must be an admin of the organisation."""
