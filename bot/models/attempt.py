"""A deploy somebody asked for, recorded before CircleCI is, so that it is never sent twice."""

from datetime import datetime
from typing import Self

from pydantic import Field

from bot.models.circleci import Model, PipelineId, ProjectSlug, Ref
from bot.models.slack import Thread

ParameterValue = str | int | bool


class Attempt(Model):
    """One asked-for start of a pipeline; `id` is the invocation's.

    `newest_number` is the project's newest pipeline before the POST: a pipeline of ours above it is the one that this
    attempt started. `sent_at` is set before the POST, `pipeline_id` after the answer, `over` when it was refused or
    given up. `looks` counts how often a lost answer was looked for.
    """

    id: str
    project_slug: ProjectSlug
    project_title: str
    ref: Ref
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    definition_id: str | None = None
    note: str = ""
    thread: Thread
    asker_id: str
    asker_name: str = ""
    asked_at: datetime
    newest_number: int = 0
    sent_at: datetime | None = None
    pipeline_id: PipelineId | None = None
    pipeline_number: int | None = None
    over: bool = False
    looks: int = 0

    def started(self, pipeline_id: PipelineId, number: int) -> Self:
        """Return the attempt with the pipeline that answers it."""
        return self.model_copy(update={"pipeline_id": pipeline_id, "pipeline_number": number})
