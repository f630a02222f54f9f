"""Who asks, as the policy is to see them: people as Slack says, agents as they are kept at that moment.

What Slack says is kept for less than a minute, so that a change of a user group takes effect within one. For who
acts without being there, through an agent or by another's press, Slack is asked anew.
"""

import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from bot.errors import SlackError
from bot.models.agent import Agent
from bot.models.caller import Caller
from bot.policy import Asked, Kind, Person, Policy, Word, decide, groups_of, names_channel

KEPT_SECONDS = 50
NOT_SAID = "Slack does not say whether its owner is in its channel, so I take no risk"

T = TypeVar("T")


class Directory(Protocol):
    """Who is who; the messenger asks Slack. Each method raises SlackError where Slack does not say."""

    async def kind_of(self, user_id: str) -> Kind:
        """Return whether somebody is a member, a guest or from another workspace."""

    async def members_of(self, group_id: str) -> frozenset[str]:
        """Return who is in a user group."""

    async def channels_of(self, user_id: str) -> frozenset[str]:
        """Return the channels that somebody is in, of those that we may see."""

    async def user_name(self, user_id: str) -> str:
        """Return what somebody is called, or empty text."""


class Agents(Protocol):
    """Which agents there are, as the store knows at that moment."""

    async def get(self, name: str) -> Agent | None:
        """Return the agent of this name."""


class Speakers:
    """Knows who somebody is, and for whom an agent speaks."""

    def __init__(
        self, policy: Policy, admins: Collection[str], directory: Directory, agents: Agents, *, team_id: str
    ) -> None:
        self._policy = policy
        self._admins = admins
        self._agents = agents
        self._team_id = team_id
        self._kinds = _Lately(directory.kind_of)
        self._members = _Lately(directory.members_of)
        self._channels = _Lately(directory.channels_of)

    async def of(self, caller: Caller) -> Person:
        """Return who asks; of an agent, what it is at this moment."""
        if not caller.agent:
            return await self._somebody(caller)
        agent, owner = await self._agents.get(caller.agent), await self._somebody(caller)
        gone = _gone(caller, agent, datetime.now(UTC))
        if agent is None or gone:
            return owner._replace(agent=caller.agent, barred=gone)
        if agent.own:
            # Who made it has its token: it is good while they still look after the bot.
            is_kept = decide(self._policy, owner, Asked(Word.ADMIN)).allowed
            made_by = f"{caller.name or agent.owner_name or agent.owner_id}, who made the agent {agent.name}"
            barred = "" if is_kept else f"{made_by}, looks after me no more"
            unread = owner.unread | ({agent.owner_id} if owner.kind is Kind.UNKNOWN else set())
            return Person("", Kind.AGENT, unread=unread, agent=agent.name, words=agent.words, barred=barred)
        barred, unread = _no_owner(owner.kind), owner.unread
        if not barred and (is_there := await self._is_there(agent)) is not True:
            barred = "its owner is not in its channel" if is_there is False else NOT_SAID
            unread |= set() if is_there is False else {agent.channel_id}
        return owner._replace(unread=unread, agent=agent.name, words=agent.words, barred=barred)

    async def no_agent(self, caller: Caller) -> str:
        """Return why no agent can speak for somebody, or empty text."""
        return _no_owner((await self._somebody(caller)).kind)

    def forget_one(self, caller: Caller) -> None:
        """Ask anew who somebody is, in which groups and where."""
        self._kinds.forget(caller.person_id)
        self._members.forget()
        self._channels.forget(caller.person_id)

    def forget(self) -> None:
        """Ask anew who people are."""
        self._kinds.forget()
        self._members.forget()
        self._channels.forget()

    async def _is_there(self, agent: Agent) -> bool | None:
        """Say whether its owner is in its channel, where that matters to the policy; None where Slack does not."""
        if agent.channel_id.startswith("D") or not names_channel(self._policy, agent.channel_id):
            return True
        channels = await self._channels.of(agent.owner_id)
        return None if channels is None else agent.channel_id in channels

    async def _somebody(self, caller: Caller) -> Person:
        stranger = bool(caller.team_id) and caller.team_id != self._team_id
        kind = Kind.STRANGER if stranger else await self._kinds.of(caller.person_id) or Kind.UNKNOWN
        groups, unread = set[str](), set[str]()
        for group in groups_of(self._policy):
            members = await self._members.of(group)
            if members is None:
                unread.add(group)
            elif caller.person_id in members:
                groups.add(group)
        admin = caller.person_id in self._admins
        barred = "who asks has left the workspace" if kind is Kind.GONE else ""
        return Person(caller.person_id, kind, admin, frozenset(groups), frozenset(unread), barred=barred)


class _Lately(Generic[T]):
    """Answers of Slack's, asked for anew when they are no longer fresh; None when it gives none."""

    def __init__(self, ask: Callable[[str], Awaitable[T]]) -> None:
        self._ask = ask
        self._kept: dict[str, tuple[float, T]] = {}

    def forget(self, what: str = "") -> None:
        """Ask anew, of one alone where it is named."""
        if what:
            self._kept.pop(what, None)
        else:
            self._kept.clear()

    async def of(self, what: str) -> T | None:
        """Return the answer about somebody or something."""
        now = time.monotonic()
        since, answer = self._kept.get(what, (-KEPT_SECONDS, None))
        if answer is not None and now - since < KEPT_SECONDS:
            return answer
        try:
            answer = await self._ask(what)
        except SlackError:
            self._kept.pop(what, None)
            return None
        self._kept[what] = (now, answer)
        return answer


def _gone(caller: Caller, agent: Agent | None, now: datetime) -> str:
    """Return why there is no agent any more that speaks for somebody, or empty text."""
    if agent is None:
        return f"the agent {caller.agent} was removed"
    if caller.agent_since not in (None, agent.made_at):
        return f"the agent {caller.agent} that asked was removed: there is another one of its name"
    if agent.owner_id != caller.person_id:
        return f"the agent {agent.name} is another person's by now"
    return "" if agent.is_good(now) else f"the time of the agent {agent.name} was up on {agent.expires_at:%Y-%m-%d}"


def _no_owner(kind: Kind) -> str:
    """Return why no agent speaks for such a person, or empty text: it goes on to where we no longer see them."""
    if kind is Kind.UNKNOWN:
        return "Slack does not say who it speaks for, so I take no risk"
    if kind is Kind.GONE:
        return "its owner has left the workspace"
    return "agents are for people of this workspace" if kind is Kind.STRANGER else ""
