"""Everything the bot changes at the far sides, under one face: for the wiring and the operations alone."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from pydantic import SecretStr

from bot.circleci.choice import Choice, Realm
from bot.circleci.keeps import CircleCIKeeps
from bot.circleci.protocols import Keeps, Parameters, Starts
from bot.circleci.transport import Transport
from bot.circleci.v1.shapes import realm
from bot.circleci.v1.writes import V1Starts
from bot.circleci.v2.writes import V2Starts
from bot.models.circleci import JobId, Ref, TriggeredPipeline, WorkflowId
from bot.models.classic import CheckoutKey


class Side(NamedTuple):
    """How the projects of one far side are changed."""

    starts: Starts
    keeps: Keeps


class Writes:
    """Each method asks the side that the project or the id belongs to, as `protocols` has it."""

    def __init__(self, sides: Choice[Side]) -> None:
        self._sides = sides

    def of(self, slug: str) -> Side:
        """Return who acts for a project."""
        return self._sides.of(slug)

    def of_id(self, identity: str) -> Side:
        """Return who acts for a workflow or a project, by its id."""
        return self._sides.of_id(identity)

    async def trigger(self, slug: str, ref: Ref, parameters: Parameters | None = None) -> TriggeredPipeline:
        """Start a pipeline of a branch or a tag; raises NotTriggered for one that will never run."""
        return await self.of(slug).starts.trigger(slug, ref, parameters)

    async def run_pipeline(
        self, slug: str, definition_id: str, ref: Ref, parameters: Parameters | None = None
    ) -> TriggeredPipeline:
        """Start a pipeline definition with configuration and code of the same ref; raises NotTriggered."""
        return await self.of(slug).starts.run_pipeline(slug, definition_id, ref, parameters)

    async def cancel_workflow(self, workflow_id: WorkflowId) -> None:
        """Ask for a workflow to be cancelled; it is once its status says so."""
        await self.of_id(workflow_id).starts.cancel_workflow(workflow_id)

    async def cancel_job_number(self, slug: str, number: int) -> None:
        """Ask for a started job to be cancelled."""
        await self.of(slug).starts.cancel_job_number(slug, number)

    async def rerun_workflow(self, workflow_id: WorkflowId, *, from_failed: bool) -> WorkflowId | None:
        """Run a finished workflow again and return the new one's id, where the far side tells it."""
        return await self.of_id(workflow_id).starts.rerun_workflow(workflow_id, from_failed=from_failed)

    async def rerun_jobs(self, workflow_id: WorkflowId, jobs: Sequence[JobId], *, ssh: bool) -> None:
        """Run some jobs of a finished workflow again; `ssh` opens them to the keys of the token's user."""
        await self.of_id(workflow_id).starts.rerun_jobs(workflow_id, jobs, ssh=ssh)

    async def approve(self, workflow_id: WorkflowId, approval_request_id: str) -> None:
        """Let an approval job go on."""
        await self.of_id(workflow_id).starts.approve(workflow_id, approval_request_id)

    async def set_variable(self, slug: str, name: str, value: SecretStr) -> None:
        """Set an environment variable, new or not."""
        await self.of(slug).keeps.set_variable(slug, name, value)

    async def remove_variable(self, slug: str, name: str) -> None:
        """Take an environment variable away."""
        await self.of(slug).keeps.remove_variable(slug, name)

    async def add_checkout_key(self, slug: str, kind: str) -> CheckoutKey:
        """Make a checkout key: `kind` is deploy-key or github-user-key. A personal token is needed."""
        return await self.of(slug).keeps.add_checkout_key(slug, kind)

    async def remove_checkout_key(self, slug: str, fingerprint: str) -> None:
        """Take a checkout key away."""
        await self.of(slug).keeps.remove_checkout_key(slug, fingerprint)

    async def add_ssh_key(self, slug: str, hostname: str, private_key: SecretStr) -> None:
        """Let the project's builds log in to a host; without a hostname, to every one."""
        await self.of(slug).keeps.add_ssh_key(slug, hostname, private_key)

    async def add_heroku_key(self, key: SecretStr) -> None:
        """Give the token's user a Heroku key; CircleCI Cloud answers 404 to this."""
        await self._sides.usual.keeps.add_heroku_key(key)

    async def clear_cache(self, slug: str) -> str:
        """Drop the dependency caches and return the far side's word for it."""
        return await self.of(slug).keeps.clear_cache(slug)

    async def add_webhook(self, project_id: str, url: str, secret: SecretStr) -> None:
        """Have the far side call `url` when a workflow or a job ends."""
        await self.of_id(project_id).keeps.add_webhook(project_id, url, secret)


def circleci_writes(transport: Transport, *others: tuple[Realm, Side]) -> Writes:
    """Return what changes CircleCI by API v2, and by `others` what belongs to their realm."""
    return Writes(Choice(_current(transport), *others))


def classic_writes(transport: Transport, slugs: Collection[str]) -> tuple[Realm, Side]:
    """Return what changes the builds of these projects by API v1.1."""
    return realm(slugs), _current(transport)._replace(starts=V1Starts(transport))


def _current(transport: Transport) -> Side:
    return Side(V2Starts(transport), CircleCIKeeps(transport))
