"""What an agent asked for, as it is kept beside what comes of it: so that it is found again by the id of its asking."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.fields import Model

REPEATED_WITHIN = timedelta(minutes=10)  # the same act of the same agent is one: its client may have lost an answer


class Asked(Model):
    """One act that an agent asked for, made at `agent_since`; `id` is the delivery in whose name it is carried out.

    Until it `stands` nothing is sure to be kept of it, and the same is carried out again under the same id. `who` may
    let it happen, in words, and `url` leads to the request. `attempt` is the run that a rerun without a request began.
    Of one without a request that is `lost` CircleCI gave no answer, or took a part alone; `became` is what is known of
    that, in words.
    """

    id: str
    agent: str
    agent_since: AwareDatetime | None = None
    owner_id: str
    tool: str
    asked_at: datetime
    stands: bool = False
    project_slug: ProjectSlug = ProjectSlug("")
    project_title: str = ""
    ref: Ref | None = None
    pipeline_id: PipelineId | None = None
    pipeline_number: int | None = None
    attempt: int = 0
    who: tuple[str, ...] = ()
    url: str = ""
    lost: Literal["", "looked for", "not found", "in part"] = ""
    became: str = ""
