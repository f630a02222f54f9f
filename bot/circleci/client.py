"""The verbs of CircleCI's API v2, https://circleci.com/docs/api/v2/ ."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, SecretStr

from bot.circleci.answers import Answer, decode, items, project_path, segments
from bot.circleci.logs import masked
from bot.circleci.transport import Transport, together
from bot.errors import CircleCIError, NotTriggered, Rejected
from bot.models.build import Build, Run
from bot.models.circleci import (
    Artifact,
    Collaboration,
    Definition,
    Job,
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
    Workflow,
    WorkflowId,
)
from bot.models.history import Insight

API = "/api/v2/"
MOST_PAGES = 20
LONGEST_NAME, LONGEST_MESSAGE, LONGEST_MASKED = 500, 2000, 20_000
SETTLED_STATES = frozenset({"created", "errored"})
JOBLESS_STATUSES = frozenset({"error", "unauthorized", "not_run"})

Parameters = Mapping[str, str | int | bool]
M = TypeVar("M", bound=BaseModel)


class Page(NamedTuple):
    """One page of a list; `more` says that another follows."""

    items: list[Any]
    more: bool
    date: datetime


class CircleCI:
    """API v2. Every verb raises a CircleCIError when CircleCI does not do it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def owners(self) -> dict[str, User | CircleCIError]:
        """Return whose each token is, or what CircleCI says of it; the default one is under the empty name."""
        names = ("", *self._transport.token_names)
        return dict(zip(names, await together(*(self._owner(name) for name in names)), strict=True))

    async def _owner(self, name: str) -> User | CircleCIError:
        try:
            return await CircleCI(self._transport.with_token_of(name)).me()
        except CircleCIError as error:
            return error

    async def me(self) -> User:
        """Return whom the token belongs to."""
        return decode(User, (await self._get("me")).data)

    async def collaborations(self) -> tuple[Collaboration, ...]:
        """Return the organisations that the token's user belongs to."""
        found = (await self._get("me/collaborations")).data
        return tuple(decode(Collaboration, item) for item in found if isinstance(item, dict)) if found else ()

    async def webhooks(self, project_id: str) -> tuple[Webhook, ...]:
        """Return a project's outbound webhooks."""
        scope = {"scope-id": project_id, "scope-type": "project"}
        return await self._all(Webhook, segments("webhook"), scope)

    async def add_webhook(self, project_id: str, url: str, secret: SecretStr) -> None:
        """Have CircleCI call `url` when a workflow or a job ends; the user must be an admin of the organisation."""
        body = {
            "name": "ci-chatops",
            "events": ["workflow-completed", "job-completed"],
            "url": url,
            "verify-tls": True,
            "signing-secret": secret.get_secret_value(),
            "scope": {"id": project_id, "type": "project"},
        }
        await self._post(segments("webhook"), body)

    async def project(self, slug: str) -> Project:
        """Return a project under its canonical slug, whatever spelling of it was asked for."""
        return decode(Project, (await self._get(project_path(slug))).data)

    async def definitions(self, project_id: str) -> tuple[Definition, ...]:
        """Return a project's pipeline definitions, for `run_pipeline`."""
        return await self._all(Definition, segments("projects", project_id, "pipeline-definitions"))

    async def pipelines(self, slug: str, branch: str | None = None, pages: int = 1) -> tuple[Pipeline, ...]:
        """Return the newest pipelines, newest first; with `branch` those of tags are left out."""
        return await self._all(Pipeline, project_path(slug, "pipeline"), {"branch": branch} if branch else {}, pages)

    async def my_pipelines(self, slug: str) -> tuple[Pipeline, ...]:
        """Return the newest pipelines that our own token started, newest first."""
        return await self._all(Pipeline, project_path(slug, "pipeline", "mine"), most=1)

    async def newest_number(self, slug: str) -> int:
        """Return the number of the project's newest pipeline, 0 when it has none."""
        return max((pipeline.number for pipeline in await self.pipelines(slug)), default=0)

    async def pipeline(self, pipeline_id: PipelineId) -> Pipeline:
        """Return one pipeline."""
        return decode(Pipeline, (await self._get(segments("pipeline", pipeline_id))).data)

    async def pipeline_by_number(self, slug: str, number: int) -> Pipeline:
        """Return the pipeline people call by `number`."""
        return decode(Pipeline, (await self._get(project_path(slug, "pipeline", number))).data)

    async def newer_pipeline(self, build: Build) -> Pipeline | None:
        """Return the newest pipeline on the build's branch if it is a later one: it may have cancelled this build."""
        ref = build.pipeline.ref
        if ref is None or ref.is_tag:
            return None
        found = await self.pipelines(build.pipeline.project_slug, ref.name)
        newest = max(found, key=lambda pipeline: pipeline.number, default=build.pipeline)
        return newest if newest.number > build.pipeline.number else None

    async def workflows(self, pipeline_id: PipelineId) -> tuple[Workflow, ...]:
        """Return all runs of all workflows of a pipeline, reruns included, newest first."""
        return await self._all(Workflow, segments("pipeline", pipeline_id, "workflow"))

    async def jobs(self, workflow_id: WorkflowId) -> tuple[Job, ...]:
        """Return the jobs of one workflow."""
        return await self._all(Job, segments("workflow", workflow_id, "job"))

    async def job(self, slug: str, number: int) -> JobDetails:
        """Return a job's details; an approval job has none, and answers 404."""
        return decode(JobDetails, (await self._get(project_path(slug, "job", number))).data)

    async def tests(self, slug: str, job_number: int, pages: int = 5) -> tuple[TestResult, ...]:
        """Return a job's stored test results; many jobs store none."""
        return (await self.some_tests(slug, job_number, pages))[0]

    async def some_tests(self, slug: str, job_number: int, pages: int) -> tuple[tuple[TestResult, ...], bool]:
        """Return the first pages of a job's test results, and whether there are more."""
        found, more = list[TestResult](), False
        async for page in self.pages(project_path(slug, job_number, "tests"), most=pages):
            # Thousands of them take a while, and others wait for the loop.
            found += await asyncio.to_thread(_decoded, page.items)
            more = page.more
        return tuple(found), more

    async def artifacts(self, slug: str, job_number: int, pages: int = 5) -> tuple[Artifact, ...]:
        """Return the files a job stored."""
        return await self._all(Artifact, project_path(slug, job_number, "artifacts"), most=pages)

    async def artifact(self, url: str, max_bytes: int) -> bytes | None:
        """Return a stored file, None when it is larger than `max_bytes`."""
        return await self._transport.artifact(url, max_bytes=max_bytes)

    async def trigger(self, slug: str, ref: Ref, parameters: Parameters | None = None) -> TriggeredPipeline:
        """Start a pipeline the old way, for GitHub OAuth, Bitbucket Cloud and Server; raises NotTriggered."""
        body = {ref.kind: ref.name, **_given(parameters)}
        return _triggered(await self._post(project_path(slug, "pipeline"), body))

    async def run_pipeline(
        self, slug: str, definition_id: str, ref: Ref, parameters: Parameters | None = None
    ) -> TriggeredPipeline:
        """Start a pipeline definition with configuration and code of the same ref; raises NotTriggered."""
        where = {ref.kind: ref.name}
        body = {"definition_id": definition_id, "config": where, "checkout": where, **_given(parameters)}
        return _triggered(await self._post(project_path(slug, "pipeline", "run"), body))

    async def cancel_workflow(self, workflow_id: WorkflowId) -> None:
        """Ask for a workflow to be cancelled; it is once its status says so."""
        await self._post(segments("workflow", workflow_id, "cancel"))

    async def cancel_job(self, job_id: JobId) -> None:
        """Ask for one job to be cancelled, started or not."""
        await self._post(segments("jobs", job_id, "cancel"))

    async def cancel_job_number(self, slug: str, number: int) -> None:
        """Ask for a started job to be cancelled."""
        await self._post(project_path(slug, "job", number, "cancel"))

    async def rerun_jobs(self, workflow_id: WorkflowId, jobs: Sequence[JobId], *, ssh: bool) -> None:
        """Run some jobs of a finished workflow again; `ssh` opens them to the keys of the token's user."""
        await self._post(segments("workflow", workflow_id, "rerun"), {"jobs": list(jobs), "enable_ssh": ssh})

    async def rerun_workflow(self, workflow_id: WorkflowId, *, from_failed: bool) -> WorkflowId | None:
        """Run a finished workflow again and return the new one's id, where CircleCI tells it.

        A recorded answer held only a message: then look for the newest workflow of the same name.
        """
        how = {"from_failed": True} if from_failed else {}
        data = (await self._post(segments("workflow", workflow_id, "rerun"), how)).data
        new_id = data.get("workflow_id") if isinstance(data, dict) else None
        return WorkflowId(str(new_id)) if new_id else None

    async def approve(self, workflow_id: WorkflowId, approval_request_id: str) -> None:
        """Let an approval job go on."""
        await self._post(segments("workflow", workflow_id, "approve", approval_request_id))

    async def build(self, pipeline_id: PipelineId, known: Build | None = None) -> Build:
        """Return a pipeline seen whole, reusing from `known` what cannot have changed.

        A poll costs the list of workflows and one request per unfinished one; a young pipeline one more, for itself.
        """
        if known and known.runs and known.pipeline.state in SETTLED_STATES:
            pipeline, read_at = known.pipeline, known.read_at
        else:
            answer = await self._get(segments("pipeline", pipeline_id))
            pipeline, read_at = decode(Pipeline, answer.data), answer.date
        workflows, listed_at = await self._workflows(pipeline_id, fresh=not (known and known.runs))
        newest = _newest_runs(workflows)
        jobs = await together(*(self._jobs(run.workflow, known) for run in newest))
        runs = tuple(run.model_copy(update={"jobs": found}) for run, found in zip(newest, jobs, strict=True))
        build = Build(pipeline=pipeline, runs=runs, read_at=listed_at or read_at)
        if not known or known.fingerprint != build.fingerprint:
            return build
        newer = {"superseded_by": known.superseded_by, "superseded_by_id": known.superseded_by_id}
        return build.model_copy(update=newer)

    async def attempts(self, pipeline_id: PipelineId, known: Sequence[Run] = ()) -> tuple[Run, ...]:
        """Return every run of every workflow of a pipeline, oldest first; those in `known` that had ended as they were.

        The jobs of one that has not ended are left out.
        """
        workflows, _ = await self._workflows(pipeline_id, fresh=True)
        ordered = sorted(workflows, key=lambda workflow: workflow.created_at)
        before = {run.workflow.id: run for run in known}
        return tuple(await together(*(self._attempt(workflow, before) for workflow in ordered)))

    async def _attempt(self, workflow: Workflow, known: Mapping[WorkflowId, Run]) -> Run:
        if workflow.id in known and known[workflow.id].workflow == workflow:
            return known[workflow.id]
        worth = workflow.is_finished and not workflow.is_setup and workflow.status not in JOBLESS_STATUSES
        return Run(workflow=workflow, jobs=await self.jobs(workflow.id) if worth else ())

    async def flaky_tests(self, slug: str) -> tuple[Insight, ...]:
        """Return the tests CircleCI calls flaky: failed and passed on one commit within two weeks.

        Recorded answers are spelled test_name, the description says test-name (mcp-server-circleci#23).
        """
        data = (await self._get(segments("insights", *slug.split("/"), "flaky-tests"))).data
        spelled = {str(name).replace("-", "_"): value for name, value in data.items()} if isinstance(data, dict) else {}
        listed = spelled.get("flaky_tests")
        found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return tuple(
            decode(Insight, {str(name).replace("-", "_"): value for name, value in one.items()}) for one in found
        )

    async def outline(self, pipeline: Pipeline) -> Build:
        """Return a pipeline with its workflows, without their jobs: one request."""
        workflows, read_at = await self._workflows(pipeline.id, fresh=False)
        runs = tuple(_newest_runs(workflows))
        return Build(pipeline=pipeline, runs=runs, read_at=read_at or pipeline.created_at)

    async def _workflows(self, pipeline_id: PipelineId, *, fresh: bool) -> tuple[list[Workflow], datetime | None]:
        found, date = list[Workflow](), None
        try:
            async for page in self.pages(segments("pipeline", pipeline_id, "workflow")):
                date = date or page.date
                found += [decode(Workflow, item) for item in page.items]
        except Rejected as error:
            # The list of a pipeline that has only just begun may be a 404 (circleci-cli: internal/cmd/run/get.go).
            if not (fresh and error.is_gone):
                raise
        return found, date

    async def _jobs(self, workflow: Workflow, known: Build | None) -> tuple[Job, ...]:
        for before in known.runs if known else ():
            # Jobs read while the workflow still ran are read once more after its end.
            settled = before.workflow == workflow and workflow.is_finished
            if settled and (before.jobs or workflow.status in JOBLESS_STATUSES):
                return before.jobs
        return await self.jobs(workflow.id)

    async def pages(
        self, path: str, params: Mapping[str, str] | None = None, most: int = MOST_PAGES
    ) -> AsyncIterator[Page]:
        """Yield at most `most` pages of a list.

        Ends early at a token that repeats or is refused (circleci/circleci-docs#6472); raises Unavailable for an
        answer that is no list.
        """
        token, seen = "", set[str]()
        for number in range(most):
            try:
                answer = await self._get(path, {**(params or {}), **({"page-token": token} if token else {})})
            except Rejected:
                if number == 0:
                    raise
                return
            found, token = items(answer)
            more = bool(token) and token not in seen
            yield Page(found, more, answer.date)
            if not more:
                return
            seen.add(token)

    async def _all(
        self, model: type[M], path: str, params: Mapping[str, str] | None = None, most: int = MOST_PAGES
    ) -> tuple[M, ...]:
        found: list[M] = []
        async for page in self.pages(path, params, most):
            found += [decode(model, item) for item in page.items]
        return tuple(found)

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        return await self._transport.request("GET", API + path, params=params)

    async def _post(self, path: str, body: object = None) -> Answer:
        return await self._transport.request("POST", API + path, json=body)


def _given(parameters: Parameters | None) -> dict[str, object]:
    return {"parameters": dict(parameters)} if parameters else {}


def _triggered(answer: Answer) -> TriggeredPipeline:
    data = answer.data if isinstance(answer.data, dict) else {}
    if "id" not in data and isinstance(data.get("message"), str):
        raise NotTriggered(data["message"])
    return decode(TriggeredPipeline, data)


def _newest_runs(workflows: list[Workflow]) -> list[Run]:
    """Keep the newest run of each workflow; a setup workflow is never an attempt of a real one."""
    by_name: dict[tuple[str, bool], list[Workflow]] = {}
    for workflow in sorted(workflows, key=lambda workflow: workflow.created_at):
        by_name.setdefault((workflow.name, workflow.is_setup), []).append(workflow)
    return [Run(workflow=runs[-1], attempt=len(runs)) for runs in by_name.values()]


def _decoded(items: Sequence[Any]) -> list[TestResult]:
    return [_masked(decode(TestResult, item)) for item in items]


def _masked(test: TestResult) -> TestResult:
    """Return a test without the secrets that its words may quote, each cut to what anybody would read."""
    name, message = masked(test.name[:LONGEST_MASKED])[:LONGEST_NAME], masked(test.message[:LONGEST_MASKED])
    where = {"classname": test.classname[:LONGEST_NAME], "file": test.file[:LONGEST_NAME]}
    return test.model_copy(update={"name": name, "message": message[:LONGEST_MESSAGE], **where})
