"""A program that asks in a person's name, or in that of its own role."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from bot.models.caller import Caller, Place
from bot.models.fields import Model

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
TOKEN = "cia_"  # noqa: S105  # what every token begins with, so that it is known where it is seen
Words = tuple[Literal["read", "deploy", "rerun", "cancel"], ...]
WORDS: Words = ("read", "deploy", "rerun", "cancel")  # what an agent may look at and ask for; all else is for people
MOST_DAYS = 365
Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]


class Agent(Model):
    """An agent: `name` is its own in the workspace, and `owner_id` the person who answers for it.

    It may at most what its owner may, unless it stands on its `own`: then it is what the policy's roles make of its
    name. Of either `words` are all it may do. What it asks for stands in `channel_id`. Its token is known by its
    `digest` alone, and good until `expires_at`.
    """

    name: str
    owner_id: str
    owner_name: str = ""
    team_id: str = ""
    channel_id: str
    own: bool = False
    words: tuple[str, ...] = WORDS
    made_at: datetime
    expires_at: datetime
    digest: str

    def is_good(self, now: datetime) -> bool:
        """Say whether its token is still good."""
        return now < self.expires_at

    def called(self, name: str) -> Self:
        """Return it with what its owner is called by now: under a name of one moment it would speak for somebody else.

        Where Slack does not say, it is the name of when it was made.
        """
        return self.model_copy(update={"owner_name": name}) if name else self

    def caller(self, delivery_id: str) -> Caller:
        """Return it as one that asks for something, in its channel."""
        return Caller(
            person_id=self.owner_id,
            name=self.owner_name,
            team_id=self.team_id,
            agent=self.name,
            own=self.own,
            place=Place(channel_id=self.channel_id),
            delivery_id=delivery_id,
        )


def new_token() -> str:
    """Return a token that nobody can guess."""
    return TOKEN + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """Return what is kept of a token: nobody can make it of that."""
    return hashlib.sha256(token.encode()).hexdigest()
