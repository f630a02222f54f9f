"""Asks the policy whether somebody may do something: who they are, Slack says; what it is about, CircleCI and we know.

What CircleCI says a project is called is kept for less than a minute (`known_as`), as is what Slack says (`speaking`).
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import product

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Locked, NameUntold, NotAllowed, NotFound, Rejected
from bot.known_as import KnownAs, Names
from bot.models.caller import Caller, Place
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
    minds_refs,
    who_could,
    who_could_elsewhere,
)
from bot.settings import Projects, Settings
from bot.speaking import Agents, Directory, Speakers

_ACTS = (Word.DEPLOY, Word.RERUN, Word.CANCEL, Word.APPROVE)
SOON_SECONDS = 1.5  # as long as CircleCI is waited for where it need not answer
Where = tuple[ProjectSlug, Ref | None]
Titled = tuple[ProjectSlug, str, Ref | None]
Offer = tuple[str, ProjectSlug, Ref | None]  # a word, and on what


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
        self._settings = settings
        self._directory = directory
        self._speakers = Speakers(policy, settings.admins, directory, agents, team_id=team_id)
        self._known_as = KnownAs(policy, projects, circleci)
        self.is_now = self._known_as.is_now

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
            raise _refused(caller, asked, rule, slug)
        return decision

    async def refuse_if_hidden(self, caller: Caller, slug: ProjectSlug | None, ref: Ref | None) -> None:
        """Raise NotAllowed where a rule denies somebody to read this; who may act on it needs none that allows it."""
        asked = await self.asked(caller, Word.READ, slug, ref)
        decision = await self.decision(caller, asked)
        if decision.denied:
            raise _refused(caller, asked, decision.rule, slug)

    async def may_hear_alone(self, caller: Caller, there: Place, slug: ProjectSlug, ref: Ref | None) -> bool:
        """Say whether somebody may look at a build in our direct messages, which are `there`, as far as where they are.

        Who may act on it and needs no right to look is told what comes of it there as well, but for what a rule denies.
        """
        asked = await self.asked(caller, Word.READ, slug, ref)
        alone = caller.model_copy(update={"place": there})
        decision = await self.decision(alone, asked._replace(channel_id=there.channel_id))
        if decision.allowed or decision.denied:
            return decision.allowed
        if (await self.decision(caller, asked)).allowed:
            return False
        acts = [await self.decision(caller, asked._replace(word=word)) for word in _ACTS]
        return any(one.allowed for one in acts)

    async def is_seen_in(self, channel_id: str, slug: ProjectSlug, ref: Ref | None) -> bool:
        """Say whether anybody may look at this in a channel: what nobody may is told there to nobody."""
        asked = _about_all(Asked(Word.READ, ref=ref, channel_id=channel_id), await self._known_as.names(slug))
        return all(who_could(self._policy, one) for one in asked.readings)

    async def may_read_no_more(self, caller: Caller, slug: ProjectSlug, ref: Ref | None) -> bool:
        """Say whether somebody who is not here surely may not look at this."""
        return bool(await self.may_no_more(caller, Word.READ, slug, ref))

    async def may_no_more(self, caller: Caller, word: str, slug: ProjectSlug, ref: Ref | None) -> str:
        """Return why somebody who is not here surely may not do this; empty text where Slack does not say enough."""
        try:
            asked = (await self.asked(caller, word, slug, ref))._replace(certain=ref is not None)
        except (NotFound, CircleCIError):
            return ""
        person = await self._speakers.of(caller)
        is_known = person.kind is not Kind.UNKNOWN and not person.unread
        found = [decide(self._policy, person, one) for one in asked.readings]
        return found[0].rule if is_known and not any(one.allowed for one in found) else ""

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
        asked = _about_all(Asked(word, ref=ref), await self._known_as.names(slug)) if slug else Asked(word, ref=ref)
        if rule := next(filter(None, (demanding(self._policy, one) for one in asked.readings)), ""):
            raise NotAllowed("", word, rule, about=_about(asked))
        return Decision(allowed=True, rule="the project's setting")

    async def readable(self, caller: Caller, listed: Iterable[Where], *, is_current: bool = False) -> set[Where]:
        """Return what of a list somebody may look at: projects, and their branches and tags where one is named.

        One that `is_current` is CircleCI's of just now. What it does not name, nobody can judge.
        """
        found, places = set[Where](), dict.fromkeys(listed)
        slugs = list(dict.fromkeys(slug for slug, _ in places))
        known = await asyncio.gather(*(self._names_if_any(slug, is_current=is_current) for slug in slugs))
        names, person = dict(zip(slugs, known, strict=True)), await self._speakers.of(caller)
        for slug, ref in places:
            asked = Asked(Word.READ, (), ref, caller.channel_id, certain=False)
            if self._surely_allowed(person, asked, names[slug]):
                found.add((slug, ref))
        return found

    async def offered(self, caller: Caller, words: Collection[str], listed: Iterable[Titled]) -> set[Offer]:
        """Return what somebody may do with what is known of a place, as far as that is found out soon.

        What they do of it is asked about again.
        """
        places, found = list(listed), set[Offer]()
        titles = {slug: title for slug, title, _ in places}
        known = await asyncio.gather(*(self._names_soon(slug, title) for slug, title in titles.items()))
        names, person = dict(zip(titles, known, strict=True)), await self._speakers.of(caller)
        for word, (slug, _, ref) in product(words, places):
            asked = Asked(word, (), ref, caller.channel_id, certain=False)
            if self._surely_allowed(person, asked, names[slug]):
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
        asked = Asked(word, (), ref, caller.channel_id)
        return _about_all(asked, await self._known_as.names(slug, title=title)) if slug else asked

    async def decision(self, caller: Caller, asked: Asked) -> Decision:
        """Return what the policy says of the whole person: a rule may name them, whatever others allow everybody.

        Raises NameUntold where it depends on what CircleCI does not tell whether they may. What is demanded if a rule
        is about it is demanded.
        """
        person = await self._speakers.of(caller)
        return self._of_all(asked, [decide(self._policy, person, one) for one in asked.readings])

    def _of_all(self, asked: Asked, found: Sequence[Decision]) -> Decision:
        """Return what holds however what CircleCI does not tell may be."""
        for one, names in zip(found[1:], asked.maybe, strict=False):
            if one.allowed is not found[0].allowed:
                decides = one if found[0].allowed else found[0]
                raise NameUntold(names[-1], asked.projects[1], asked.untold, rule=decides.rule)
        return found[0]._replace(
            second_person=any(one.second_person for one in found),
            typed=any(one.typed for one in found),
            green=any(one.green for one in found),
            alone=all(one.alone for one in found),
        )

    def _surely_allowed(self, person: Person, asked: Asked, names: Names | None) -> bool:
        found = _about_all(asked, names).readings if names else ()
        return bool(found) and all(decide(self._policy, person, one).allowed for one in found)

    async def no_agent(self, caller: Caller) -> str:
        """Return why no agent can speak for somebody, or empty text."""
        return await self._speakers.no_agent(caller)

    async def no_agent_may(self, caller: Caller, name: str, words: Collection[str], *, own: bool) -> tuple[str, ...]:
        """Return what an agent that somebody is about to make may nowhere, of these words."""
        owner = await self._speakers.of(caller)
        agent = Person("", Kind.AGENT) if own else owner
        agent = agent._replace(agent=name, words=tuple(words))
        wanted = (Asked(word, channel_id=caller.channel_id, certain=False) for word in words)
        return tuple(one.word for one in wanted if not decide(self._policy, agent, one).allowed)

    def forget_one(self, caller: Caller) -> None:
        """Ask anew who somebody is, or for whom an agent speaks."""
        self._speakers.forget_one(caller)

    def forget(self) -> None:
        """Ask anew who people are, and what projects are called."""
        self._speakers.forget()
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

    async def _names_if_any(self, slug: ProjectSlug, *, is_current: bool) -> Names | None:
        with suppress(NotFound, Rejected):
            return await self._known_as.names(slug, title=slug, is_current=is_current)
        return None

    async def _names_soon(self, slug: ProjectSlug, title: str) -> Names | None:
        with suppress(NotFound, CircleCIError, TimeoutError):
            async with asyncio.timeout(SOON_SECONDS):
                return await self._known_as.names(slug, title=title)
        return None

    async def _role(self, role: str) -> str:
        if role != ADMINS:
            return role
        names = [await self._directory.user_name(user_id) or user_id for user_id in self._settings.admins[:5]]
        return f"the people in ADMINS: {', '.join(names)}" if names else "the people in ADMINS, which is not set"


def _refused(caller: Caller, asked: Asked, rule: str, slug: ProjectSlug | None) -> NotAllowed:
    """Return the refusal with what it is about, in words and as it can be asked about again."""
    error = NotAllowed(caller.person_id, asked.word, rule, about=_about(asked))
    error.project = slug or ""
    if asked.ref:
        error.branch, error.tag = ("", asked.ref.name) if asked.ref.is_tag else (asked.ref.name, "")
    return error


def _about_all(asked: Asked, names: Names) -> Asked:
    return asked._replace(projects=names.sure, maybe=names.maybe, untold=names.why)


def _about(asked: Asked) -> str:
    title = asked.projects[1] if asked.projects else ""
    return f"{title} {asked.ref}".strip() if asked.ref else title
