"""Starting, cancelling, rerunning and approving by API v2."""

from collections.abc import Sequence

from bot.circleci.answers import Answer, decode, project_path, segments
from bot.circleci.protocols import Parameters
from bot.circleci.transport import Transport
from bot.circleci.v2.api import Api
from bot.errors import NotTriggered
from bot.models.circleci import JobId, Ref, TriggeredPipeline, WorkflowId
from bot.models.fields import prose


class V2Starts:
    """`protocols.Starts` by API v2."""

    def __init__(self, transport: Transport) -> None:
        self._api = Api(transport)

    async def trigger(self, slug: str, ref: Ref, parameters: Parameters | None = None) -> TriggeredPipeline:
        """Start a pipeline the old way, for GitHub OAuth, Bitbucket Cloud and Server; raises NotTriggered."""
        body = {ref.kind: ref.name, **_given(parameters)}
        return _triggered(await self._api.post(project_path(slug, "pipeline"), body))

    async def run_pipeline(
        self, slug: str, definition_id: str, ref: Ref, parameters: Parameters | None = None
    ) -> TriggeredPipeline:
        """Start a pipeline definition with configuration and code of the same ref; raises NotTriggered."""
        where = {ref.kind: ref.name}
        body = {"definition_id": definition_id, "config": where, "checkout": where, **_given(parameters)}
        return _triggered(await self._api.post(project_path(slug, "pipeline", "run"), body))

    async def cancel_workflow(self, workflow_id: WorkflowId) -> None:
        """Ask for a workflow to be cancelled; it is once its status says so."""
        await self._api.post(segments("workflow", workflow_id, "cancel"))

    async def cancel_job_number(self, slug: str, number: int) -> None:
        """Ask for a started job to be cancelled."""
        await self._api.post(project_path(slug, "job", number, "cancel"))

    async def rerun_workflow(self, workflow_id: WorkflowId, *, from_failed: bool) -> WorkflowId | None:
        """Run a finished workflow again and return the new one's id, where CircleCI tells it.

        A recorded answer held only a message: then look for the newest workflow of the same name.
        """
        how = {"from_failed": True} if from_failed else {}
        data = (await self._api.post(segments("workflow", workflow_id, "rerun"), how)).data
        new_id = data.get("workflow_id") if isinstance(data, dict) else None
        return WorkflowId(str(new_id)) if new_id else None

    async def rerun_jobs(self, workflow_id: WorkflowId, jobs: Sequence[JobId], *, ssh: bool) -> None:
        """Run some jobs of a finished workflow again; `ssh` opens them to the keys of the token's user."""
        await self._api.post(segments("workflow", workflow_id, "rerun"), {"jobs": list(jobs), "enable_ssh": ssh})

    async def approve(self, workflow_id: WorkflowId, approval_request_id: str) -> None:
        """Let an approval job go on."""
        await self._api.post(segments("workflow", workflow_id, "approve", approval_request_id))


def _given(parameters: Parameters | None) -> dict[str, object]:
    return {"parameters": dict(parameters)} if parameters else {}


def _triggered(answer: Answer) -> TriggeredPipeline:
    data = answer.data if isinstance(answer.data, dict) else {}
    if "id" not in data and isinstance(data.get("message"), str):
        raise NotTriggered(prose(data["message"]))
    return decode(TriggeredPipeline, data)
