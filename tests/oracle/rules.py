"""A policy drawn by chance: the file one would write, and what it says, worked out from docs/policy.md alone. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from random import Random
from typing import Literal, NamedTuple

WORDS = ("read", "deploy", "rerun", "cancel", "approve", "secrets", "keys", "ssh", "admin")
OF_AGENTS = ("read", "deploy", "rerun", "cancel")
WAITING = ("deploy", "rerun", "approve")
PROJECTS = ("*", "acme/*", "acme/frontend", "ACME/Backend", "gh/acme/frontend", "!acme/backend", "shop")
BRANCHES = ("*", "main", "release/*", "!main", "!release/*", "hold/*", "try/*")
TAGS = ("*", "v*", "!v2.0", "v2.0")
PULL_REQUESTS = ("*", "7", "!7")
CHANNELS = ("C0DEPLOYS", "C0RELEASES")
EFFECTS = ("allow", "allow", "allow", "allow", "deny", "deny", "demand", "demand", "demand")


class Person(NamedTuple):
    """Somebody as Slack knows them; `agent` speaks for them, or for itself alone where that is the kind."""

    user_id: str
    kind: Literal["member", "guest", "stranger", "agent"] = "member"
    is_admin: bool = False
    groups: frozenset[str] = frozenset()
    agent: str = ""


class Ref(NamedTuple):
    """A branch, a tag or a pull request by its number."""

    name: str
    kind: Literal["branch", "tag", "pull"] = "branch"


class Wish(NamedTuple):
    """What somebody wants: a word, on a project under all its names, on a ref if one is known, in a channel."""

    word: str
    names: tuple[str, ...]
    ref: Ref | None
    channel_id: str


class Verdict(NamedTuple):
    """Whether they may, and what must happen first."""

    allowed: bool
    second_person: bool = False
    typed: bool = False
    green: bool = False
    alone: bool = False


NO = Verdict(allowed=False)


@dataclass(frozen=True)
class Role:
    """Who is in a role."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule, under the keys it has in the file."""

    name: str
    effect: str
    roles: tuple[str, ...]
    words: tuple[str, ...]
    projects: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    pull_requests: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    second_person: bool = False
    typed: bool = False
    green: bool = False
    agents_alone: bool = False

    def is_about(self, wish: Wish) -> bool:
        """Say whether it speaks of this word, here, on this project and ref."""
        return (
            bool({wish.word, "*"} & set(self.words))
            and (not self.channels or wish.channel_id in self.channels)
            and self._is_about_project(wish)
            and self._is_about_ref(wish)
        )

    def _is_about_project(self, wish: Wish) -> bool:
        if not wish.names:  # what is for all projects
            return not self.projects or self.effect != "allow"
        return _fits(map(str.lower, self.projects), [name.lower() for name in wish.names])

    def _is_about_ref(self, wish: Wish) -> bool:
        lists = {"branch": self.branches, "tag": self.tags, "pull": self.pull_requests}
        names_some = any(lists.values())
        if wish.ref is None:
            return not names_some or self.effect != "allow"
        if wish.ref.kind == "pull" and not self.pull_requests:
            # Code of anybody's, meant for any branch: what holds for one of them holds for it, but nothing lets it by.
            if self.effect == "allow":
                return not names_some and wish.word != "deploy"
            return bool(self.branches) or not self.tags
        return not names_some or (bool(lists[wish.ref.kind]) and _fits(lists[wish.ref.kind], [wish.ref.name]))


@dataclass(frozen=True)
class Rules:
    """A whole policy."""

    roles: dict[str, Role] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def verdict(self, person: Person, wish: Wish) -> Verdict:
        """Return what the file says."""
        met = [rule for rule in self.rules if rule.is_about(wish) and self._is_of(rule, person, wish.channel_id)]
        keeps = wish.word == "admin" and person.is_admin
        if any(rule.effect == "deny" for rule in met):
            return NO
        if person.agent and wish.word not in OF_AGENTS:
            return NO
        if person.agent and person.kind != "agent" and not self.verdict(person._replace(agent=""), wish).allowed:
            return NO  # it may at most what its owner may
        if not keeps and not any(rule.effect == "allow" for rule in met):
            return NO
        demanding = met
        if wish.ref is None:  # it may be what a rule allows with a demand, and no rule allows it by that
            strict = [replace(rule, effect="demand") for rule in self.rules if rule.effect == "allow"]
            demanding = [
                *met,
                *(one for one in strict if one.is_about(wish) and self._is_of(one, person, wish.channel_id)),
            ]
        return Verdict(
            allowed=True,
            second_person=any(rule.second_person for rule in demanding),
            typed=any(rule.typed for rule in demanding),
            green=any(rule.green for rule in demanding),
            alone=bool(person.agent) and any(rule.agents_alone for rule in met if self._gives(rule, person, wish)),
        )

    def _gives(self, rule: Rule, person: Person, wish: Wish) -> bool:
        """Say whether it gives an agent something: a person's has nothing by its name, which they choose."""
        if person.kind == "agent" or "agents" in rule.roles:
            return True
        return self._is_of(rule, person._replace(agent=""), wish.channel_id)

    def _is_of(self, rule: Rule, person: Person, channel_id: str) -> bool:
        return any(self._has(person, role, channel_id) for role in rule.roles)

    def _has(self, person: Person, role: str, channel_id: str) -> bool:
        if role in self.roles:
            named = self.roles[role]
            if person.agent in named.agents:
                return True
            return person.kind != "agent" and (
                person.user_id in named.users or channel_id in named.channels or bool(person.groups & set(named.groups))
            )
        sure = {"everyone": True, "admins": person.is_admin, "agents": bool(person.agent)}
        return sure.get(role, role == f"{person.kind}s")

    def toml(self) -> str:
        """Return the file."""
        roles = [f"[roles.{name}]\n{_keys(vars(role))}" for name, role in self.roles.items()]
        return "\n".join([*roles, *(f"[[rules]]\n{_keys(vars(rule))}" for rule in self.rules)])


def drawn(chance: Random, *, agents: Sequence[str] = ()) -> Rules:
    """Return a policy that somebody might have written, with these agents in mind."""
    roles = {
        "named": Role(users=_some(chance, ("U0ADA", "U0GRACE", "U0GUEST"), 2)),
        "releasers": Role(groups=("S0RELEASE",)),
        "there": Role(channels=(chance.choice(CHANNELS),)),
    }
    if agents:
        roles |= {"robots": Role(agents=_some(chance, agents, 2)), "mixed": Role(("U0ADA",), agents=(agents[0],))}
    names = (
        "everyone",
        "members",
        "members",
        "guests",
        "strangers",
        "admins",
        *roles,
        *(("agents",) if agents else ()),
    )
    reading = Rule("reading", "allow", ("everyone",), ("read",))
    broad = Rule("the members' own", "allow", ("members",), (*WAITING, "cancel"))
    asked = (
        Rule("two people", "demand", ("everyone",), (chance.choice(WAITING),), second_person=True),
        Rule("typed", "demand", ("members",), ("deploy",), branches=("main", "hold/*"), typed=True),
    )
    usual = [rule for rule in (reading, broad) if chance.random() < 0.9]
    usual += [rule for rule in asked if chance.random() < 0.3]
    more = [_rule(chance, f"rule {number}", names) for number in range(chance.randint(1, 5))]
    if agents:
        more = [replace(one, agents_alone=chance.random() < 0.5) if _may_be_alone(one) else one for one in more]
    return Rules(roles, tuple(chance.sample([*usual, *more], len(usual) + len(more))))


def _rule(chance: Random, name: str, roles: Sequence[str]) -> Rule:
    effect = chance.choice(EFFECTS)
    words = _some(chance, WAITING, 3) if effect == "demand" else _some(chance, (*WORDS, "*"), 4)
    demands = _some(chance, ("second_person", "typed", "green"), 2) if effect == "demand" else ()
    if "green" in demands:
        words = ("deploy",)  # what is rerun or approved is red, or on its way
    refs = chance.random()
    return Rule(
        name,
        effect,
        _some(chance, roles, 2),
        words,
        projects=_some(chance, PROJECTS, 2) if chance.random() < 0.4 else (),
        branches=_some(chance, BRANCHES, 2) if refs < 0.5 else (),
        tags=_some(chance, TAGS, 2) if 0.4 < refs < 0.6 else (),
        pull_requests=_some(chance, PULL_REQUESTS, 1) if 0.45 < refs < 0.7 else (),
        channels=_some(chance, CHANNELS, 1) if chance.random() < 0.15 else (),
        second_person="second_person" in demands,
        typed="typed" in demands,
        green="green" in demands,
    )


def _may_be_alone(rule: Rule) -> bool:
    return rule.effect == "allow" and set(rule.words) <= {*OF_AGENTS[1:], "*"}


def _some(chance: Random, among: Sequence[str], most: int) -> tuple[str, ...]:
    """Return one or more of these, each once."""
    return tuple(dict.fromkeys(chance.choice(among) for _ in range(chance.randint(1, most))))


def _fits(patterns: Iterable[str], names: Sequence[str]) -> bool:
    left_out: list[str] = []
    taken: list[str] = []
    for pattern in patterns:
        (left_out if pattern.startswith("!") else taken).append(pattern.removeprefix("!"))
    if any(fnmatchcase(name, pattern) for name in names for pattern in left_out):
        return False
    return not taken or any(fnmatchcase(name, pattern) for name in names for pattern in taken)


def _keys(values: dict[str, object]) -> str:
    shown = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items() if value}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in shown.items())
