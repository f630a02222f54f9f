"""Starting, cancelling and retrying by API v1.1, for projects set to `api = "classic"`."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.circleci.answers import decode, project_path
from bot.circleci.protocols import Parameters
from bot.circleci.transport import Transport
from bot.circleci.v1.api import Api
from bot.circleci.v1.shapes import id_of, place_of
from bot.errors import NotTriggered, Rejected
from bot.models.circleci import JobId, Ref, TriggeredPipeline, WorkflowId
from bot.models.classic import BuildSummary


class V1Starts:
    """`protocols.Starts` by API v1.1."""

    def __init__(self, transport: Transport) -> None:
        self._api = Api(transport)

    async def trigger(self, slug: str, ref: Ref, parameters: Parameters | None = None) -> TriggeredPipeline:
        """Build a branch or a tag of a configuration older than 2.1; raises NotTriggered for one that will never run.

        `parameters` become environment variables of the build.
        """
        given = {"build_parameters": {name: str(value) for name, value in (parameters or {}).items()}}
        place, more = ((), {"tag": ref.name}) if ref.is_tag else (("tree", ref.name), {})
        started = await self._started(project_path(slug, *place), {**given, **more})
        created = started.queued_at or datetime.now(UTC)
        return TriggeredPipeline(id=id_of(slug, started.build_num), number=started.build_num, created_at=created)

    async def run_pipeline(
        self, slug: str, definition_id: str, ref: Ref, parameters: Parameters | None = None
    ) -> TriggeredPipeline:
        """Raise NotTriggered: API v1.1 has no pipeline definitions, and another build is not what was named."""
        raise NotTriggered("API v1.1 has no pipeline definitions")

    async def cancel_workflow(self, workflow_id: WorkflowId) -> None:
        """Ask for a build to be cancelled; it is once its status says so."""
        await self.cancel_job_number(*place_of(workflow_id))

    async def cancel_job_number(self, slug: str, number: int) -> None:
        """Ask for a build to be cancelled."""
        decode(BuildSummary, (await self._api.send("POST", project_path(slug, number, "cancel"))).data)

    async def rerun_workflow(self, workflow_id: WorkflowId, *, from_failed: bool) -> WorkflowId | None:
        """Run a finished build again; it has no failed jobs to begin from, and runs whole."""
        return await self._retry(workflow_id, "retry")

    async def rerun_jobs(self, workflow_id: WorkflowId, jobs: Sequence[JobId], *, ssh: bool) -> None:
        """Run a build again, with SSH for the token's user if asked."""
        await self._retry(workflow_id, "ssh" if ssh else "retry")

    async def approve(self, workflow_id: WorkflowId, approval_request_id: str) -> None:
        """Raise Rejected: nothing waits for an approval here."""
        raise Rejected(404, "API v1.1 has no approvals")

    async def _retry(self, workflow_id: WorkflowId, how: str) -> WorkflowId:
        place = place_of(workflow_id)
        started = await self._started(project_path(place.slug, place.number, how))
        return WorkflowId(id_of(place.slug, started.build_num))

    async def _started(self, path: str, body: object = None) -> BuildSummary:
        """Return a build that was really started: CircleCI also answers 2xx for one that will never run."""
        build = decode(BuildSummary, (await self._api.send("POST", path, body)).data)
        if build.dont_build or build.status == "not_run":
            raise NotTriggered(build.why_not)
        return build
