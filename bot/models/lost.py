"""A write whose answer was lost, and of which it is looked for what became of it."""

from typing import Literal

from bot.models.caller import Place
from bot.models.circleci import PipelineId
from bot.models.fields import Model


class Lost(Model):
    """An approval, a rerun, or a cancel of a build or of a job; `id` is the delivery that sent it.

    `person_id` is told in `place`; `looks` counts how often it was looked for. `approval_request_id` and `job_name`
    name the job of an approval, `job_name` the one that was cancelled, `fingerprint` the attempt that was to run again.
    """

    id: str
    act: Literal["approve", "rerun", "cancel", "cancel_job"]
    pipeline_id: PipelineId
    project_title: str
    approval_request_id: str = ""
    job_name: str = ""
    fingerprint: str = ""
    person_id: str
    place: Place | None = None
    looks: int = 0
