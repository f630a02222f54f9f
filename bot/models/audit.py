"""What somebody did through the bot, as it is kept."""

from datetime import datetime
from enum import StrEnum

from bot.models.fields import Model


class Outcome(StrEnum):
    """How an act stands: asked for, or ended: done, refused before anything was sent, or failed at the far side."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Entry(Model):
    """One act, done, refused or failed: who, for whom, where, what, on what, by which rule, and what came of it.

    `word` is the permission it took, `what` the act with what it acts on, `about` the project and the branch, `rule`
    what the policy decided by, `result` what CircleCI answered or why nothing was done. `for_name` is who asked where
    somebody else let it happen, `agreed_name` who agreed, `agent` the program that spoke for the person, or on its
    `own`, and `reason` why it said that it asked. `parameters` are names alone. Entries of earlier versions lack what
    came later.
    """

    at: datetime
    user_id: str
    user_name: str = ""
    team_id: str = ""
    agent: str = ""
    own: bool = False
    reason: str = ""
    channel_id: str
    word: str
    what: str
    about: str = ""
    rule: str = ""
    result: str = ""
    request: str = ""
    outcome: Outcome | None = None
    for_id: str = ""
    for_name: str = ""
    agreed_id: str = ""
    agreed_name: str = ""
    project_slug: str = ""
    ref: str = ""
    pipeline_number: int | None = None
    job: str = ""
    parameters: tuple[str, ...] = ()
