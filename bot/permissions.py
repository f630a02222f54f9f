"""Asks the policy whether somebody may do something: who they are, Slack says; what it is about, CircleCI and we know.

What Slack says is kept for less than a minute, so that a change of a user group takes effect within one; so is what
CircleCI says a project is called (`known_as`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import product
from typing import Generic, Protocol, TypeVar

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Locked, NotAllowed, NotFound, SlackError
from bot.known_as import KnownAs
from bot.models.agent import Agent
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import named_by
from bot.policy import (
    ADMINS,
    Asked,
    Decision,
    Elsewhere,
    Kind,
    Person,
    Policy,
    Word,
    decide,
    demanding,
    groups_of,
    minds_refs,
    names_channel,
    who_could,
    who_could_elsewhere,
)
from bot.settings import Projects, Settings

KEPT_SECONDS = 50
SOON_SECONDS = 1.5  # as long as CircleCI is waited for where it need not answer
Where = tuple[ProjectSlug, Ref | None]
Titled = tuple[ProjectSlug, str, Ref | None]
Offer = tuple[str, ProjectSlug, Ref | None]  # a word, and on what

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


class Permissions:
    """`check` raises NotAllowed with the rule that decided; `decision` only tells."""

    def __init__(  # all it asks
        self,
        policy: Policy,
        settings: Settings,
        projects: Projects,
        directory: Directory,
        circleci: Reads,
        *,
        team_id: str,
        agents: Agents,
    ) -> None:
        self._policy = policy
        self._agents = agents
        self._settings = settings
        self._directory = directory
        self._team_id = team_id
        self._kinds = _Lately(directory.kind_of)
        self._members = _Lately(directory.members_of)
        self._channels = _Lately(directory.channels_of)
        self._known_as = KnownAs(policy, projects, circleci)
        self.called_by_now = self._known_as.by_now

    async def check(
        self,
        caller: Caller,
        word: str,
        slug: ProjectSlug | None = None,
        ref: Ref | None = None,
        *,
        certain: bool = True,
    ) -> Decision:
        """Return what the policy demands of somebody who may do this; raises NotAllowed.

        With `certain` off, what is not named is still to be found out: the project, or the branch.
        """
        asked = (await self.asked(caller, word, slug, ref))._replace(certain=certain)
        decision = await self.decision(caller, asked)
        rule = decision.rule if decision.allowed else await self.reason(decision, asked)
        if not decision.allowed:
            raise NotAllowed(caller.person_id, word, rule, about=_about(asked))
        return decision

    async def refuse_if_hidden(self, caller: Caller, slug: ProjectSlug | None, ref: Ref | None) -> None:
        """Raise NotAllowed where a rule denies somebody to read this; who may act on it needs none that allows it."""
        asked = await self.asked(caller, Word.READ, slug, ref)
        decision = await self.decision(caller, asked)
        if decision.denied:
            raise NotAllowed(caller.person_id, Word.READ, decision.rule, about=_about(asked))

    async def as_told_to(self, error: Exception, caller: Caller) -> None:
        """Let a refusal by a lock say nothing of it to who is denied to look at what it is on."""
        for one in (error, *error.others) if isinstance(error, Locked) else ():
            try:
                await self.refuse_if_hidden(caller, *named_by(one.key))
            except (NotAllowed, NotFound, CircleCIError):
                one.is_hidden = True

    async def own(self, word: str, slug: ProjectSlug | None, ref: Ref | None) -> Decision:
        """Return what decides over an act of the bot's own; raises NotAllowed where a person would be asked.

        A setting lets it act; it is in no role, and nobody could answer for it.
        """
        asked = Asked(word, await self._known_as.names(slug) if slug else (), ref)
        if rule := demanding(self._policy, asked):
            raise NotAllowed("", word, rule, about=_about(asked))
        return Decision(allowed=True, rule="the project's setting")

    async def readable(self, caller: Caller, listed: Iterable[Where], *, is_current: bool = False) -> set[Where]:
        """Return what of a list somebody may look at: projects, and their branches and tags where one is named.

        One that `is_current` is CircleCI's of just now. What it does not know by its ids, nobody can judge.
        """
        found, places = set[Where](), dict.fromkeys(listed)
        slugs = list(dict.fromkeys(slug for slug, _ in places))
        known = await asyncio.gather(*(self._names_if_any(slug, is_current=is_current) for slug in slugs))
        names, person = dict(zip(slugs, known, strict=True)), await self._person(caller)
        for slug, ref in places:
            asked = Asked(Word.READ, names[slug], ref, caller.channel_id, certain=False)
            if names[slug] and decide(self._policy, person, asked).allowed:
                found.add((slug, ref))
        return found

    async def offered(self, caller: Caller, words: Collection[str], listed: Iterable[Titled]) -> set[Offer]:
        """Return what somebody may do with what is known of a place, as far as that is found out soon.

        What they do of it is asked about again.
        """
        places, found = list(listed), set[Offer]()
        titles = {slug: title for slug, title, _ in places}
        known = await asyncio.gather(*(self._names_soon(slug, title) for slug, title in titles.items()))
        names, person = dict(zip(titles, known, strict=True)), await self._person(caller)
        for word, (slug, _, ref) in product(words, places):
            asked = Asked(word, names[slug], ref, caller.channel_id, certain=False)
            if names[slug] and decide(self._policy, person, asked).allowed:
                found.add((word, slug, ref))
        return found

    async def reads_all(self, caller: Caller) -> bool:
        """Say whether there is nothing that somebody may not look at, whatever it may be."""
        return (await self.decision(caller, Asked(Word.READ, channel_id=caller.channel_id))).allowed

    def looks_at_refs(self, word: str) -> bool:
        """Say whether it depends on the branch or the tag who may do something."""
        return minds_refs(self._policy, word)

    async def asked(
        self, caller: Caller, word: str, slug: ProjectSlug | None = None, ref: Ref | None = None, *, title: str = ""
    ) -> Asked:
        """Return what is wanted, with all names of the project."""
        names = await self._known_as.names(slug, title=title) if slug else ()
        return Asked(word, names, ref, caller.channel_id)

    async def decision(self, caller: Caller, asked: Asked) -> Decision:
        """Return what the policy says of the whole person: a rule may name them, whatever others allow everybody."""
        return decide(self._policy, await self._person(caller), asked)

    async def no_agent(self, caller: Caller) -> str:
        """Return why no agent can speak for somebody, or empty text."""
        person = await self._somebody(caller)
        return person.barred or _no_owner(person.kind)

    def forget(self) -> None:
        """Ask anew who people are, and what projects are called."""
        self._kinds.forget()
        self._members.forget()
        self._channels.forget()
        self._known_as.forget()

    async def could(self, asked: Asked) -> tuple[str, ...]:
        """Return in words who could do this."""
        return tuple([await self._role(role) for role in who_could(self._policy, asked)])

    async def could_elsewhere(self, asked: Asked) -> tuple[Elsewhere, ...]:
        """Return in words who could do this in other channels."""
        found = who_could_elsewhere(self._policy, asked)
        return tuple([one._replace(roles=tuple([await self._role(role) for role in one.roles])) for one in found])

    async def reason(self, decision: Decision, asked: Asked) -> str:
        """Return in words what decides: the rule, or for whom alone it is."""
        if not (decision.allowed or decision.denied) and who_could(self._policy, asked) == (ADMINS,):
            return f"it is for {await self._role(ADMINS)}"
        return decision.rule

    async def _person(self, caller: Caller) -> Person:
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
            made_by = f"{agent.owner_name or agent.owner_id}, who made the agent {agent.name}"
            barred = "" if is_kept else f"{made_by}, looks after me no more"
            return Person("", Kind.AGENT, agent=agent.name, words=agent.words, barred=barred)
        barred = owner.barred or _no_owner(owner.kind) or await self._not_in(agent)
        return owner._replace(agent=agent.name, words=agent.words, barred=barred)

    async def _not_in(self, agent: Agent) -> str:
        """Return why nobody speaks in an agent's channel, where that matters to the policy: nobody sees them there."""
        if agent.channel_id.startswith("D") or not names_channel(self._policy, agent.channel_id):
            return ""
        channels = await self._channels.of(agent.owner_id)
        if channels is None:
            return "Slack does not say whether its owner is in its channel, so I take no risk"
        return "" if agent.channel_id in channels else "its owner is not in its channel"

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
        admin = caller.person_id in self._settings.admins
        barred = "who asks has left the workspace" if kind is Kind.GONE else ""
        return Person(caller.person_id, kind, admin, frozenset(groups), frozenset(unread), barred=barred)

    async def _names_if_any(self, slug: ProjectSlug, *, is_current: bool) -> tuple[str, ...]:
        with suppress(NotFound):
            return await self._known_as.names(slug, title=slug, is_current=is_current)
        return ()

    async def _names_soon(self, slug: ProjectSlug, title: str) -> tuple[str, ...]:
        with suppress(NotFound, CircleCIError, TimeoutError):
            async with asyncio.timeout(SOON_SECONDS):
                return await self._known_as.names(slug, title=title)
        return ()

    async def _role(self, role: str) -> str:
        if role != ADMINS:
            return role
        names = [await self._directory.user_name(user_id) or user_id for user_id in self._settings.admins[:5]]
        return f"the people in ADMINS: {', '.join(names)}" if names else "the people in ADMINS, which is not set"


class _Lately(Generic[T]):
    """Answers of Slack's, asked for anew when they are no longer fresh; None when it gives none."""

    def __init__(self, ask: Callable[[str], Awaitable[T]]) -> None:
        self._ask = ask
        self._kept: dict[str, tuple[float, T]] = {}

    def forget(self) -> None:
        """Ask anew."""
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
    if agent.owner_id != caller.person_id:
        return f"the agent {agent.name} is another person's by now"
    return "" if agent.is_good(now) else f"the time of the agent {agent.name} was up on {agent.expires_at:%Y-%m-%d}"


def _no_owner(kind: Kind) -> str:
    """Return why no agent speaks for such a person, or empty text: it goes on to where we no longer see them."""
    if kind is Kind.UNKNOWN:
        return "Slack does not say who it speaks for, so I take no risk"
    return "agents are for people of this workspace" if kind is Kind.STRANGER else ""


def _about(asked: Asked) -> str:
    title = asked.projects[1] if asked.projects else ""
    return f"{title} {asked.ref}".strip() if asked.ref else title
