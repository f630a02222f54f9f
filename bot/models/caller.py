"""Who speaks, and where: below the faces nobody knows a slash command, a click or a tool call."""

from datetime import datetime

from pydantic import AwareDatetime

from bot.models.fields import Model

OURSELVES = "the bot itself"


class Place(Model):
    """Where somebody speaks or is told; without `thread_ts` it is the channel itself."""

    channel_id: str
    thread_ts: str | None = None

    @property
    def is_direct(self) -> bool:
        """Say whether nobody else reads here."""
        return self.channel_id.startswith("D")


class Caller(Model):
    """Who asks for something, wherever they speak.

    `person_id` is Slack's id of a person; nobody but the bot itself has none. `delivery_id` names what brought it, the
    same on each redelivery: what is claimed is claimed in its name. `agent` is the program that speaks for the person,
    made at `agent_since` (a later one of its name is another one), and `reason` why it says that it asks; one on its
    `own` speaks for nobody, and the person is who made it. `place` is where they speak, if that is a place. `pressed`
    says that it was the press of a button and no word, on the message `pressed_ts`. Where we are not in their channel,
    news of what they start comes to them `directly`: they said so. A branch that CircleCI never built is meant all the
    same where they say that it may be `unbuilt`. With another `key` the same act of an agent is another one.
    """

    person_id: str
    name: str = ""
    team_id: str = ""
    agent: str = ""
    agent_since: AwareDatetime | None = None
    reason: str = ""
    place: Place | None = None
    delivery_id: str
    pressed: bool = False
    pressed_ts: str = ""
    directly: bool = False
    unbuilt: bool = False
    own: bool = False
    key: str = ""

    @property
    def called(self) -> str:
        """What to call them, for want of a name by their id; of an agent, for whom it speaks."""
        person = self.name or self.person_id
        return called_agent(self.agent, "" if self.own else person) if self.agent else person

    def is_agent_of(self, name: str, since: datetime | None, person_id: str) -> bool:
        """Say whether it is the very agent of this name, made then for them: earlier versions did not keep when."""
        return (name, person_id) == (self.agent, self.person_id) and since in (None, self.agent_since)

    @property
    def is_bot(self) -> bool:
        """Say whether nobody asks: it is the bot's own act."""
        return not self.person_id

    @property
    def channel_id(self) -> str:
        """The channel they speak in, empty text outside of one."""
        return self.place.channel_id if self.place else ""

    @property
    def claim(self) -> str:
        """What stands in a claim of theirs: the delivery, and who."""
        return f"{self.delivery_id}|{self.person_id}"


def called_agent(name: str, person: str) -> str:
    """Return what to call an agent, and for whom it speaks, if for anybody."""
    return f"🤖 {name} (for {person})" if person else f"🤖 {name}"


def bot(delivery_id: str) -> Caller:
    """Return the caller of the bot's own acts."""
    return Caller(person_id="", name=OURSELVES, delivery_id=delivery_id)
