"""Roles and rules, and what of them makes no sense, in words to who wrote it."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from bot.models import agent
from bot.policy import globs
from bot.policy.words import ALL_WORDS, CARRIED_BY, Word, not_alone, uncarried

EVERYONE, MEMBERS, GUESTS, STRANGERS, ADMINS = BUILT_IN = ("everyone", "members", "guests", "strangers", "admins")
AGENTS = "agents"  # built in as well, but where a file of before has a role of this name: that stays what it was

_ID = re.compile(r"[A-Z][A-Z0-9]+")


def mistake(problem: str, *where: str | int) -> PydanticCustomError:
    """Return what is wrong, and at which key below: the line of that key is told with it."""
    return PydanticCustomError("policy", "{problem}", {"problem": problem, "where": where})


def near(name: str, known: Sequence[str]) -> str:
    """Return the near miss of a name as a question, or empty text."""
    found = difflib.get_close_matches(name, known, n=1)
    return f", did you mean '{found[0]}'?" if found else ""


def _known_word(word: str) -> str:
    known = [ALL_WORDS, *Word]
    if word not in known:
        raise ValueError(f"there is no word {word!r}{near(word, known)}")
    return word


def an_id(letters: str) -> AfterValidator:
    """Refuse what can be no id of Slack's: a rule that names `#deploys` would be met by nobody, and deny nothing."""

    def check(name: str) -> str:
        if not (_ID.fullmatch(name) and name.startswith(tuple(letters))):
            raise ValueError(f"{name!r} is not Slack's id, which begins with {' or '.join(letters)}")
        return name

    return AfterValidator(check)


def _an_agent(name: str) -> str:
    """Refuse what no agent can be called: a rule for `Release Bot` would be met by none, and deny nothing."""
    if not agent.NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an agent: those have small letters, digits and dashes, at most 31")
    return name


_Channels = tuple[Annotated[str, an_id("CGD")], ...]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(_Strict):
    """Who: these users, those in these user groups, whoever speaks in these channels, by Slack's ids; and agents."""

    users: tuple[Annotated[str, an_id("UW")], ...] = ()
    groups: tuple[Annotated[str, an_id("S")], ...] = ()
    channels: _Channels = ()
    agents: tuple[Annotated[str, AfterValidator(_an_agent)], ...] = ()

    @property
    def has_people(self) -> bool:
        """Say whether somebody who is no agent may be in it."""
        return bool(self.users or self.groups or self.channels)

    @model_validator(mode="after")
    def _somebody(self) -> "Role":
        if not (self.has_people or self.agents):
            raise ValueError("it names nobody: give users, groups, channels or agents")
        return self


class Rule(_Strict):
    """One rule; `name` is what people read when it decides.

    `second_person` asks for the approval of somebody else who may do the same, `typed` for the target to be typed,
    `green` refuses while the newest build of the branch is red. `agents_alone` lets agents do what it allows without a
    person's press.
    """

    name: str = Field(min_length=1, max_length=200)
    effect: Literal["allow", "deny", "demand"] = "allow"
    roles: tuple[str, ...] = Field((EVERYONE,), min_length=1)
    words: tuple[Annotated[str, AfterValidator(_known_word)], ...] = Field(min_length=1)
    projects: tuple[Annotated[str, AfterValidator(globs.project)], ...] = ()
    branches: tuple[Annotated[str, AfterValidator(globs.branch)], ...] = ()
    tags: tuple[Annotated[str, AfterValidator(globs.ref)], ...] = ()
    pull_requests: tuple[Annotated[str, AfterValidator(globs.number)], ...] = ()
    channels: _Channels = ()
    second_person: StrictBool = False
    typed: StrictBool = False
    green: StrictBool = False
    agents_alone: StrictBool = False

    @property
    def demands(self) -> tuple[str, ...]:
        """What it demands."""
        return tuple(demand for demand in CARRIED_BY if getattr(self, demand))

    @property
    def names_refs(self) -> bool:
        """Say whether it is about some branches, tags or pull requests alone."""
        return bool(self.branches or self.tags or self.pull_requests)

    @model_validator(mode="after")
    def _sensible(self) -> "Rule":
        if self.effect == "demand" and not self.demands:
            raise mistake("it demands nothing: give second_person, typed or green", "effect")
        if self.effect == "deny" and self.demands:
            raise mistake("a rule that denies cannot demand anything: take it out", self.demands[0])
        if self.agents_alone and self.effect != "allow":
            does = "denies" if self.effect == "deny" else "only demands"
            raise mistake(f"a rule that {does} lets nobody act: write agents_alone on one that allows", "agents_alone")
        if self.agents_alone and (wrong := not_alone(self.words)):
            raise mistake(wrong, "agents_alone")
        for demand in self.demands:
            nothing_else = self.effect == "demand" and len(self.demands) == 1
            if wrong := uncarried(demand, self.words, leaves_nothing=nothing_else):
                raise mistake(wrong, "words")
        return self


class Policy(_Strict):
    """All roles and rules."""

    roles: dict[str, Role] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _known_roles(self) -> "Policy":
        for name in self.roles:
            if name in BUILT_IN:
                raise mistake(f"the role {name!r} is built in, choose another name", "roles", name)
        known = [*BUILT_IN, AGENTS, *self.roles]
        for number, rule in enumerate(self.rules):
            for role in rule.roles:
                if role not in known:
                    problem = f"there is no role {role!r}{near(role, known)}"
                    raise mistake(problem, "rules", number, "roles")
        return self


DEFAULT = Policy(
    rules=(
        Rule(name="everybody may read", words=(Word.READ,)),
        Rule(
            name="full members may deploy, rerun, cancel and approve",
            roles=(MEMBERS,),
            words=(Word.DEPLOY, Word.RERUN, Word.CANCEL, Word.APPROVE),
        ),
        Rule(name="the people in ADMINS may do everything", roles=(ADMINS,), words=(ALL_WORDS,)),
    )
)


# Whatever a file says, somebody must be able to look after the bot.
KEEPERS = Rule(name="the people in ADMINS look after me", roles=(ADMINS,), words=(Word.ADMIN,))
