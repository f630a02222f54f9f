"""A write whose answer was lost, and of which it is looked for what became of it."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from bot.models.audit import Entry
from bot.models.build import Run
from bot.models.caller import Caller, Place
from bot.models.circleci import PipelineId
from bot.models.fields import Model
from bot.models.pending import Rerun


class Lost(Model):
    """An approval, a rerun, or a cancel of a build or of a job; `id` is the delivery that sent it.

    `caller` is told in their place, as is who `agreed` to the request `pending_id`; an earlier version kept no more
    than `person_id` and `place`. `looks` counts how often it was looked for, and `unanswered` the looks that CircleCI
    did not answer. `workflows` are the names, by id, of those
    that were to run again or to end. `approval_request_id` and `job_name` name the job of an approval, `job_number` and
    `job_name` the one that was cancelled, `fingerprint` the attempt that was to run again, as `wish` says. `entry` is
    what the record is to say once it is known to be done.
    """

    id: str
    act: Literal["approve", "rerun", "cancel", "cancel_job"]
    pipeline_id: PipelineId
    project_title: str
    approval_request_id: str = ""
    job_name: str = ""
    job_number: int = 0
    workflows: dict[str, str] = Field(default_factory=dict)
    fingerprint: str = ""
    wish: Rerun | None = None
    person_id: str
    place: Place | None = None
    caller: Caller | None = None
    agreed: Caller | None = None
    pending_id: str = ""
    entry: Entry | None = None
    looks: int = 0
    unanswered: int = 0

    @property
    def by(self) -> Caller:
        """Who did it."""
        return self.caller or Caller(person_id=self.person_id, place=self.place, delivery_id=self.id)


def names(runs: Sequence[Run]) -> dict[str, str]:
    """Return what workflows are called, by their ids."""
    return {run.workflow.id: run.workflow.name for run in runs}
