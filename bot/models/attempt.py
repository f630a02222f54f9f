"""A deploy somebody asked for, recorded before CircleCI is, so that it is never sent twice."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field

from bot.errors import (
    BotError,
    Elsewhere,
    NothingToDo,
    NotTriggered,
    RateLimited,
    Rejected,
    Spent,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from bot.models.caller import Place
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.fields import Model
from bot.models.slugs import spelled_alike

ParameterValue = str | int | bool
_KINDS = (Rejected, NotTriggered, Spent, RateLimited, Unauthorized, Unavailable, TooLarge, Elsewhere)
TAKEN_BACK = "TakenBack"
_FOR_GOOD = {TAKEN_BACK, *(kind.__name__ for kind in _KINDS)}


class Refusal(Model):
    """Why an attempt started nothing, kept so that a second run can say the same as the first.

    `person_id` is who took it back; an earlier version did not keep that.
    """

    kind: str
    status: int = 0
    text: str = ""
    retry_after: timedelta = timedelta(0)
    person_id: str = ""

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Return the record of an error."""
        kind = type(error).__name__
        match error:
            case Rejected():
                return cls(kind=kind, status=error.status, text=error.message)
            case NotTriggered() | Unavailable():
                return cls(kind=kind, text=error.reason)
            case RateLimited():
                return cls(kind=kind, retry_after=error.retry_after)
            case _:
                return cls(kind=kind)

    @property
    def is_ours(self) -> bool:
        """Say whether we kept it back, as for a lock, a right or a demand: once that is over, the same may be sent."""
        return self.kind not in _FOR_GOOD

    @property
    def error(self) -> BotError:
        """The error again."""
        match self.kind:
            case "TakenBack":
                return NothingToDo("taken_back", what=self.text, person_id=self.person_id)
            case "Rejected":
                return Rejected(self.status, self.text)
            case "NotTriggered":
                return NotTriggered(self.text)
            case "Spent":
                return Spent(self.retry_after)
            case "RateLimited":
                return RateLimited(self.retry_after)
            case "Unauthorized":
                return Unauthorized()
            case _:
                return Unavailable(self.text, arrived=False)


class Demand(StrEnum):
    """What may be demanded before a deploy is sent."""

    ALONE = (
        "alone"  # no policy's: nobody else's deploy of it still runs, or who asks says that theirs may run beside it
    )
    GREEN = "green"
    TYPED = "typed"
    SECOND_PERSON = "second_person"
    PERSON = "person"  # no policy's: of what an agent asks for, where nobody else must agree anyway


class Attempt(Model):
    """One asked-for start of a pipeline; `id` is the invocation's.

    `newest_number` is the project's newest pipeline before the POST: a pipeline of ours above it is the one that this
    attempt started. `sent_at` is set before the POST, `pipeline_id` after the answer, `over` when it was refused or
    given up, with its `refusal` if CircleCI refused it. `looks` counts how often a lost answer was looked for in vain,
    and `unanswered` the looks that CircleCI did not answer.
    `sent_by` is the delivery that has it sent, `agreed_revision` the commit that a second person agreed to. `demands`,
    `request_ts` and `expires_at` are an earlier version's, where an act that waited was an attempt. `definition` is the
    pipeline definition as it was typed. `reran` is the attempt, by its fingerprint, that a rerun was asked for: that is
    kept among the deploys of its branch, as it runs the same. `agent` is the program that asked for the asker, or on
    its `own`, and `agreed_name` who let that happen.
    """

    id: str
    project_slug: ProjectSlug
    project_title: str
    ref: Ref
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    definition_id: str | None = None
    definition: str = ""
    note: str = ""
    thread: Place
    asker_id: str
    asker_name: str = ""
    asked_at: datetime
    newest_number: int = 0
    sent_at: datetime | None = None
    pipeline_id: PipelineId | None = None
    pipeline_number: int | None = None
    over: bool = False
    refusal: Refusal | None = None
    demands: tuple[Demand, ...] = ()
    request_ts: str | None = None
    expires_at: datetime | None = None
    looks: int = 0
    unanswered: int = 0
    sent_by: str = ""
    agreed_revision: str = ""
    reran: str = ""
    agent: str = ""
    own: bool = False
    agreed_name: str = ""

    @property
    def is_unsent(self) -> bool:
        """Say whether it still waits for its turn at CircleCI: nothing of it was sent, or what was did nothing."""
        return self.sent_at is None and self.pipeline_id is None and not (self.over or self.demands)

    @property
    def is_looked_for(self) -> bool:
        """Say whether it was sent, and nobody knows so far what came of that."""
        return self.sent_at is not None and self.pipeline_id is None and not self.over

    @property
    def target(self) -> str:
        """What would be deployed, as people say it."""
        return f"{self.project_title} {self.ref.said}"

    def is_of(self, slug: ProjectSlug | None, ref: Ref | None) -> bool:
        """Say whether it is of this project and, where one is named, of this branch or tag."""
        is_there = slug is not None and spelled_alike(slug) == spelled_alike(self.project_slug)
        return is_there and (ref is None or ref.means(self.ref))

    def started(self, pipeline_id: PipelineId, number: int) -> Self:
        """Return the attempt with the pipeline that answers it."""
        return self.model_copy(update={"pipeline_id": pipeline_id, "pipeline_number": number})
