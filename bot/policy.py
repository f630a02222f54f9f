"""Who may do what, as data: a file of roles and rules, and the decision they make. Pure.

A rule allows, denies or demands something of those in its roles, for its words, on its projects, branches and tags, in
its channels; what it does not name it does not restrict. Deny wins over allow, and every demand that matches holds.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.models.circleci import Ref


class Word(StrEnum):
    """What can be permitted."""

    READ = "read"
    DEPLOY = "deploy"
    RERUN = "rerun"
    CANCEL = "cancel"
    APPROVE = "approve"
    SECRETS = "secrets"
    KEYS = "keys"
    SSH = "ssh"
    ADMIN = "admin"


class Kind(StrEnum):
    """What somebody is in the workspace; `unknown` when Slack cannot say."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    UNKNOWN = "unknown"


EVERYONE, MEMBERS, GUESTS, STRANGERS, ADMINS = BUILT_IN = ("everyone", "members", "guests", "strangers", "admins")
ALL_WORDS = "*"
WAITING_WORDS = (Word.DEPLOY, Word.RERUN, Word.APPROVE)  # what waits until a demand is met

# The lines of a policy, for the number of the one that is wrong; a name may stand in quotes.
_RULE = re.compile(r"\s*\[\[\s*rules\s*\]\]")
_ROLE = re.compile(r"\s*\[\s*roles\.(?:[\"']([^\"']*)[\"']|([\w-]+))\s*\]")
_ID = re.compile(r"[A-Z][A-Z0-9]+")
_KEY = re.compile(r"\s*(?:[\"']([^\"']*)[\"']|([\w-]+))\s*=")


def _known_word(word: str) -> str:
    known = [ALL_WORDS, *Word]
    if word not in known:
        near = difflib.get_close_matches(word, known, n=1)
        raise ValueError(f"there is no word {word!r}" + (f", did you mean '{near[0]}'?" if near else ""))
    return word


def _an_id(letters: str) -> AfterValidator:
    """Refuse what can be no id of Slack's: a rule that names `#deploys` would be met by nobody, and deny nothing."""

    def check(name: str) -> str:
        if not (_ID.fullmatch(name) and name.startswith(tuple(letters))):
            raise ValueError(f"{name!r} is not Slack's id, which begins with {' or '.join(letters)}")
        return name

    return AfterValidator(check)


_Channels = tuple[Annotated[str, _an_id("CGD")], ...]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(_Strict):
    """Who: these users, those in these user groups, whoever speaks in these channels. All are Slack's ids."""

    users: tuple[Annotated[str, _an_id("UW")], ...] = ()
    groups: tuple[Annotated[str, _an_id("S")], ...] = ()
    channels: _Channels = ()

    @model_validator(mode="after")
    def _somebody(self) -> "Role":
        if not (self.users or self.groups or self.channels):
            raise ValueError("it names nobody: give users, groups or channels")
        return self


class Rule(_Strict):
    """One rule; `name` is what people read when it decides.

    `second_person` asks for the approval of somebody else who may do the same, `typed` for the target to be typed,
    `green` refuses while the newest build of the branch is red.
    """

    name: str = Field(min_length=1, max_length=200)
    effect: Literal["allow", "deny", "demand"] = "allow"
    roles: tuple[str, ...] = Field((EVERYONE,), min_length=1)
    words: tuple[Annotated[str, AfterValidator(_known_word)], ...] = Field(min_length=1)
    projects: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    channels: _Channels = ()
    second_person: bool = False
    typed: bool = False
    green: bool = False

    @model_validator(mode="after")
    def _sensible(self) -> "Rule":
        demands = self.second_person or self.typed or self.green
        if self.effect == "demand" and not demands:
            raise ValueError("it demands nothing: give second_person, typed or green")
        if self.effect == "deny" and demands:
            raise ValueError("a rule that denies cannot demand anything")
        if self.effect == "demand":
            self._can_be_met()
        return self

    def _can_be_met(self) -> None:
        """Raise ValueError for a demand that nothing would ever ask for: who reads the file counts on it."""
        for word in self.words:
            if word not in (*WAITING_WORDS, ALL_WORDS):
                raise ValueError(f"{word!r} waits for nothing: demands are for {', '.join(WAITING_WORDS)}")
        if self.green and not (self.second_person or self.typed) and not {Word.DEPLOY, ALL_WORDS} & set(self.words):
            raise ValueError("green is for deploy alone")


class Policy(_Strict):
    """All roles and rules."""

    roles: dict[str, Role] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _known_roles(self) -> "Policy":
        for name in self.roles:
            if name in BUILT_IN:
                raise ValueError(f"the role {name!r} is built in, choose another name")
        known = [*BUILT_IN, *self.roles]
        for number, rule in enumerate(self.rules, 1):
            for role in rule.roles:
                if role not in known:
                    near = difflib.get_close_matches(role, known, n=1)
                    meant = f", did you mean {near[0]!r}?" if near else ""
                    raise ValueError(f"rule {number} ({rule.name}) names a role {role!r} that is not there{meant}")
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


class Person(NamedTuple):
    """Somebody as Slack knows them; `unread` are groups of which it did not say who is in them."""

    user_id: str
    kind: Kind
    is_admin: bool = False
    groups: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


class Asked(NamedTuple):
    """What somebody wants: a word, on a project under its names, on a branch or tag, in a channel.

    Without `projects` only the word is asked about: whether they may do it anywhere. Where it is not `certain`, the
    branch without a `ref` is one that is still to be found out; where it is, it is the whole project, or nobody knows.
    """

    word: str
    projects: tuple[str, ...] = ()
    ref: Ref | None = None
    channel_id: str = ""
    certain: bool = True


class Decision(NamedTuple):
    """What the policy says: allowed or not by `rule`, and the demands that must be met first."""

    allowed: bool
    rule: str
    second_person: bool = False
    typed: bool = False
    green: bool = False


def decide(policy: Policy, person: Person, asked: Asked) -> Decision:
    """Return what the policy says about one person and one wish."""
    about = [rule for rule in policy.rules if _is_about(rule, asked)]
    for rule in about:
        if rule.effect == "deny" and _certainly_about(rule, asked) and _may_be_in(policy, rule.roles, person, asked):
            return Decision(allowed=False, rule=rule.name)
    allowing = [rule for rule in about if rule.effect == "allow" and _is_in(policy, rule.roles, person, asked)]
    if not allowing:
        return Decision(allowed=False, rule=_why_not(policy, about, person, asked))
    demanding = [rule for rule in about if _may_be_in(policy, rule.roles, person, asked) and rule.effect != "deny"]
    return Decision(
        allowed=True,
        rule=allowing[0].name,
        second_person=any(rule.second_person for rule in demanding),
        typed=any(rule.typed for rule in demanding),
        green=any(rule.green for rule in demanding),
    )


def who_could(policy: Policy, asked: Asked) -> tuple[str, ...]:
    """Return the roles that some rule allows this, in the order of the rules."""
    allowing = [rule for rule in policy.rules if rule.effect == "allow" and _is_about(rule, asked)]
    return tuple(dict.fromkeys(role for rule in allowing for role in rule.roles))


def demanding(policy: Policy, asked: Asked) -> str:
    """Return the first rule that denies this to everyone, or demands something of somebody; or empty text."""
    about = [rule for rule in policy.rules if _is_about(rule, asked)]
    denied = [rule for rule in about if rule.effect == "deny" and EVERYONE in rule.roles]
    strict = [*denied, *(rule for rule in about if rule.second_person or rule.typed)]
    return strict[0].name if strict else ""


def minds_refs(policy: Policy, word: str) -> bool:
    """Say whether a rule about a word is about some branches or tags alone."""
    return any((rule.branches or rule.tags) and {word, ALL_WORDS} & set(rule.words) for rule in policy.rules)


def groups_of(policy: Policy) -> frozenset[str]:
    """Return the user groups that the roles name."""
    return frozenset(group for role in policy.roles.values() for group in role.groups)


def matches(patterns: Sequence[str], names: Iterable[str]) -> bool:
    """Say whether a name fits: any pattern without `!`, and none with it; no pattern fits everything."""
    named = list(names)
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if any(fnmatchcase(name, pattern) for name in named for pattern in unwanted):
        return False
    return not wanted or any(fnmatchcase(name, pattern) for name in named for pattern in wanted)


def _is_about(rule: Rule, asked: Asked) -> bool:
    if asked.word not in rule.words and ALL_WORDS not in rule.words:
        return False
    if rule.channels and asked.channel_id not in rule.channels:
        return False
    if not asked.projects:
        return True  # somewhere
    names = [name.lower() for name in asked.projects]  # a code host's names are the same in any case
    return matches([pattern.lower() for pattern in rule.projects], names) and _fits_ref(rule, asked)


def _fits_ref(rule: Rule, asked: Asked) -> bool:
    if not rule.branches and not rule.tags:
        return True
    if asked.ref is None:
        return not asked.certain or rule.effect != "allow"  # all of a project, or who knows which: any of them
    patterns = rule.tags if asked.ref.is_tag else rule.branches
    return bool(patterns) and matches(patterns, [asked.ref.name])


def _certainly_about(rule: Rule, asked: Asked) -> bool:
    """Say whether a rule is about this whatever is still to be found out: it may spare another project or branch."""
    if not asked.projects and (rule.projects or rule.branches or rule.tags):
        return False
    return asked.certain or asked.ref is not None or not (rule.branches or rule.tags)


def _is_in(policy: Policy, roles: Collection[str], person: Person, asked: Asked) -> bool:
    return any(_has(policy, role, person, asked, person.groups) for role in roles)


def _may_be_in(policy: Policy, roles: Collection[str], person: Person, asked: Asked) -> bool:
    """As `_is_in`; where Slack does not say, somebody may well be one of those who are denied something."""
    unsaid = person.kind is Kind.UNKNOWN and {MEMBERS, GUESTS, STRANGERS} & set(roles)
    return bool(unsaid) or any(_has(policy, role, person, asked, person.groups | person.unread) for role in roles)


def _has(policy: Policy, role: str, person: Person, asked: Asked, groups: Collection[str]) -> bool:
    match role:
        case "everyone":
            return True
        case "members":
            return person.kind is Kind.MEMBER
        case "guests":
            return person.kind is Kind.GUEST
        case "strangers":
            return person.kind is Kind.STRANGER
        case "admins":
            return person.is_admin
    named = policy.roles[role]
    by_name = person.user_id in named.users or asked.channel_id in named.channels
    return by_name or any(group in groups for group in named.groups)


def _why_not(policy: Policy, about: Sequence[Rule], person: Person, asked: Asked) -> str:
    named = {role for rule in about if rule.effect == "allow" for role in rule.roles}
    if person.kind is Kind.UNKNOWN and MEMBERS in named:
        return "Slack does not say who you are, so I take no risk"
    unsure = [rule for rule in about if rule.effect == "allow" and _may_be_in(policy, rule.roles, person, asked)]
    if unsure:
        return f"Slack does not say who is in the user groups of “{unsure[0].name}”, so I take no risk"
    if policy.rules == DEFAULT.rules and person.kind in (Kind.STRANGER, Kind.GUEST):
        return f"{'guests' if person.kind is Kind.GUEST else 'people from other workspaces'} may only read"
    return "no rule allows it"


class BadPolicy(Exception):
    """A file that is no policy; its text names line and key of each mistake."""


def parse(text: str) -> Policy:
    """Return the policy in a TOML file's text; raises BadPolicy. One without rules has the default's."""
    try:
        policy = Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(str(error)) from None
    except ValidationError as error:
        raise BadPolicy("\n".join(_mistake(text, item["loc"], item["msg"]) for item in error.errors())) from None
    return policy.model_copy(update={"rules": (*policy.rules, KEEPERS) if policy.rules else DEFAULT.rules})


def _mistake(text: str, where: tuple[int | str, ...], message: str) -> str:
    line = _line_of(text, where)
    path = ".".join(str(part + 1) if isinstance(part, int) else part for part in where)
    said = message.removeprefix("Value error, ")
    return f"line {line}: {path}: {said}" if line else f"{path}: {said}" if path else said


def _line_of(text: str, where: tuple[int | str, ...]) -> int | None:
    """Return the line of a key: TOML's parser keeps none, but a policy is written in one way."""
    match where:
        case ("rules", int(number), *rest):
            headers = [at for at, line in enumerate(text.splitlines(), 1) if _RULE.match(line)]
            start = headers[number] if number < len(headers) else None
        case ("roles", str(name), *rest):
            start = next((at for at, line in enumerate(text.splitlines(), 1) if _named(_ROLE, line) == name), None)
        case _:
            return None
    if start is None or not rest:
        return start
    for at, line in enumerate(text.splitlines()[start:], start + 1):
        if line.lstrip().startswith("["):
            break
        if _named(_KEY, line) == str(rest[0]):
            return at
    return start


def _named(pattern: re.Pattern[str], line: str) -> str | None:
    found = pattern.match(line)
    return found[found.lastindex or 0] if found else None
