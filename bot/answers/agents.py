"""Agents: which there are, one that can be made, one that was, and one that can be removed."""

from datetime import datetime

from pydantic import SecretStr

from bot.answers import Answer
from bot.models.agent import Agent, Words
from bot.models.audit import Entry
from bot.models.fields import Model


class AgentShown(Model):
    """An agent as it is shown, without what is kept of its token; `barred` is why it may nothing any more.

    Of its words those `in_vain` are of no use to it: no rule lets it do that anywhere.
    """

    name: str
    owner_id: str
    owner_name: str = ""
    channel_id: str
    own: bool = False
    words: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    barred: str = ""
    in_vain: tuple[str, ...] = ()

    @classmethod
    def of(cls, agent: Agent) -> "AgentShown":
        """Return an agent as it was made."""
        return cls(**agent.model_dump(include=set(cls.model_fields)))


class Agents(Answer):
    """The agents of who asks, or `everybodys`; how many more there are. Where they are not `let_in`, none can ask."""

    agents: tuple[AgentShown, ...]
    more: int = 0
    everybodys: bool = False
    let_in: bool = True


class AgentOffer(Answer):
    """An agent that can be made, and was not; of its words those `in_vain` would be of no use to it."""

    name: str
    channel_id: str
    own: bool = False
    words: Words
    days: int
    in_vain: tuple[str, ...] = ()


class AgentMade(Answer):
    """An agent was made: its `token` is in this answer and nowhere else; with it, it asks at `address`."""

    agent: AgentShown
    token: SecretStr
    address: str
    entry: Entry


class AgentToRemove(Answer):
    """An agent that can be removed, and was not."""

    agent: AgentShown
    is_of_another: bool = False
