"""Why a channel was, or was not, told of a build that it may have subscribed to."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.events import Event
from bot.models.fields import Model


class Why(StrEnum):
    """What was decided of a build for a channel, or for all that had subscribed to it."""

    TOLD = "told"
    NOT_ASKED = "not-asked"
    SNOOZED = "snoozed"
    OTHERWISE = "otherwise"
    NO_NEWS = "no-news"
    OLDER = "older"
    COUNTED = "counted"
    HIDDEN = "hidden"
    UNSURE = "unsure"
    REFUSED = "refused"
    PUT_OFF = "put-off"
    AWAITED = "awaited"
    WAS_THERE = "was-there"
    UNWANTED = "unwanted"
    GIVEN_UP = "given-up"
    OTHER_WORKFLOWS = "other-workflows"


class Reason(Model):
    """What was decided, and when: at what `happened` to the branch, beside the `newest` build that was known of it.

    `branch` is how the channel knows that branch, or tag, and `asked` which events it wanted to hear of it then. `ts`
    is the message that told it, `before` those that told of it before that one, and `said` has for each as what,
    `known_as` of which of the branch's builds; `code` is what Slack said where it took none, `again_at` when it is
    looked at next; `state` is that of the build. What was snoozed was so by `snoozed_by`, until `snoozed_until`.
    """

    why: Why
    at: datetime
    happened: str = ""
    branch: str = ""
    asked: tuple[Event, ...] = ()
    newest: int = 0
    ts: str = ""
    before: tuple[str, ...] = ()
    said: dict[str, str] = Field(default_factory=dict)
    known_as: dict[str, str] = Field(default_factory=dict)
    code: str = ""
    state: str = ""
    again_at: datetime | None = None
    snoozed_by: str = ""
    snoozed_until: datetime | None = None


class MessageAbout(Model):
    """Of which build a message in a channel tells, and under which name the channel knows its branch or tag."""

    pipeline_id: PipelineId
    project_slug: ProjectSlug
    branch: str
    number: int


class Missed(Model):
    """Builds of a project that were not read, as more came than a list is read back for."""

    first: int
    last: int
    at: datetime
