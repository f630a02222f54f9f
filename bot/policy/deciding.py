"""What the policy says about one person and one wish.

A rule allows, denies or demands something of those in its roles, for its words, on its projects, branches, tags and
pull requests, in its channels; what it does not name it does not restrict. Deny wins over allow, and every demand that
matches holds.
"""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from bot.models.circleci import Ref
from bot.models.slugs import spelled_alike
from bot.policy.globs import is_plain
from bot.policy.rules import DEFAULT, EVERYONE, GUESTS, MEMBERS, STRANGERS, Policy, Rule
from bot.policy.words import ALL_WORDS, Word


class Kind(StrEnum):
    """What somebody is in the workspace; `unknown` when Slack cannot say."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    UNKNOWN = "unknown"


class Person(NamedTuple):
    """Somebody as Slack knows them; `unread` are groups of which it did not say who is in them."""

    user_id: str
    kind: Kind
    is_admin: bool = False
    groups: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


class Asked(NamedTuple):
    """What somebody wants: a word, on a project under its names, on a branch or tag, in a channel.

    Where it is not `certain`, what is not named is still to be found out: without `projects` it is whether they may do
    it anywhere, without a `ref` on some branch. Where it is, it is all of it: what our user on CircleCI keeps for every
    project, or the whole project, or nobody knows.
    """

    word: str
    projects: tuple[str, ...] = ()
    ref: Ref | None = None
    channel_id: str = ""
    certain: bool = True


class Decision(NamedTuple):
    """What the policy says: allowed or not by `rule`, which may have `denied` it, and what must be met first."""

    allowed: bool
    rule: str
    second_person: bool = False
    typed: bool = False
    green: bool = False
    denied: bool = False


class Elsewhere(NamedTuple):
    """Who could do something in other channels, by one rule."""

    roles: tuple[str, ...]
    channels: tuple[str, ...]


def decide(policy: Policy, person: Person, asked: Asked) -> Decision:
    """Return what the policy says about one person and one wish."""
    about = [rule for rule in policy.rules if _is_about(rule, asked)]
    for rule in about:
        if rule.effect == "deny" and _certainly_about(rule, asked) and _may_be_in(policy, rule.roles, person, asked):
            return Decision(allowed=False, rule=rule.name, denied=True)
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
    """Return the roles that some rule allows this, in the order of the rules; none where it is denied to everyone."""
    if _is_denied_to_all(policy, asked):
        return ()
    allowing = [rule for rule in policy.rules if rule.effect == "allow" and _is_about(rule, asked)]
    return tuple(dict.fromkeys(role for rule in allowing for role in rule.roles))


def who_could_elsewhere(policy: Policy, asked: Asked) -> tuple[Elsewhere, ...]:
    """Return whom a rule allows this in its own channels alone, of which this is none."""
    allowing = [rule for rule in policy.rules if rule.effect == "allow" and rule.channels]
    others = [rule for rule in allowing if asked.channel_id not in rule.channels]
    found = []
    for rule in others:
        there = [asked._replace(channel_id=channel) for channel in rule.channels]
        open_to_some = [one.channel_id for one in there if _is_about(rule, one) and not _is_denied_to_all(policy, one)]
        found += [Elsewhere(rule.roles, tuple(open_to_some))] if open_to_some else []
    return tuple(found)


def demanding(policy: Policy, asked: Asked) -> str:
    """Return the first rule that denies this to everyone, or demands something of somebody; or empty text."""
    about = [rule for rule in policy.rules if _is_about(rule, asked)]
    denied = [rule for rule in about if rule.effect == "deny" and EVERYONE in rule.roles]
    strict = [*denied, *(rule for rule in about if rule.second_person or rule.typed)]
    return strict[0].name if strict else ""


def minds_refs(policy: Policy, word: str) -> bool:
    """Say whether a rule about a word is about some branches, tags or pull requests alone."""
    return any(rule.names_refs and {word, ALL_WORDS} & set(rule.words) for rule in policy.rules)


def pull_request_rules(policy: Policy) -> tuple[str, ...]:
    """Return the rules that let somebody deploy a pull request."""
    allowing = [rule for rule in policy.rules if rule.effect == "allow" and rule.pull_requests]
    return tuple(rule.name for rule in allowing if {Word.DEPLOY, ALL_WORDS} & set(rule.words))


def names_projects(policy: Policy) -> bool:
    """Say whether a rule is about some projects alone."""
    return any(rule.projects for rule in policy.rules)


def named_in_rules(policy: Policy, names: Iterable[str]) -> bool:
    """Say whether a rule is about the project of these names, or spares it."""
    alike = [spelled_alike(name) for name in names]
    patterns = [pattern.removeprefix("!") for rule in policy.rules for pattern in rule.projects]
    return any(fnmatchcase(name, spelled_alike(pattern)) for name in alike for pattern in patterns)


def written_out(policy: Policy) -> frozenset[str]:
    """Return the projects that rules name in full: an alias, a name or a slug, no glob."""
    patterns = {pattern.removeprefix("!") for rule in policy.rules for pattern in rule.projects}
    return frozenset(filter(is_plain, patterns))


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
    if not asked.projects:  # somewhere, or all that our user on CircleCI has
        return not asked.certain or rule.effect != "allow" or not (rule.projects or rule.names_refs)
    return _fits_project(rule, asked.projects) and _fits_ref(rule, asked)


def _is_denied_to_all(policy: Policy, asked: Asked) -> bool:
    denying = [rule for rule in policy.rules if rule.effect == "deny" and EVERYONE in rule.roles]
    return any(_is_about(rule, asked) and _certainly_about(rule, asked) for rule in denying)


def _fits_project(rule: Rule, names: Iterable[str]) -> bool:
    patterns = [f"!{spelled_alike(one[1:])}" if one.startswith("!") else spelled_alike(one) for one in rule.projects]
    return matches(patterns, map(spelled_alike, names))


def _fits_ref(rule: Rule, asked: Asked) -> bool:
    ref = asked.ref
    if ref is not None and ref.pull_request:
        return _fits_pull_request(rule, asked.word, ref.pull_request)
    if not rule.names_refs:
        return True
    if ref is None:
        return not asked.certain or rule.effect != "allow"  # all of a project, or who knows which: any of them
    if not ref.is_proper:
        return rule.effect != "allow"
    patterns = rule.tags if ref.is_tag else rule.branches
    return bool(patterns) and matches(patterns, [ref.name])


def _fits_pull_request(rule: Rule, word: str, number: str) -> bool:
    """Say whether a rule is about a pull request: its code may be anybody's, and meant for any branch.

    So no rule about branches allows anything on it, and every rule that denies something on some branches denies it
    here as well. To deploy it takes a rule that names pull requests.
    """
    if rule.pull_requests:
        return matches(rule.pull_requests, [number])
    if rule.effect == "allow":
        return not rule.names_refs and word != Word.DEPLOY
    return bool(rule.branches) or not rule.tags


def _certainly_about(rule: Rule, asked: Asked) -> bool:
    """Say whether a rule is about this whatever is still to be found out: it may spare another project or branch."""
    if not asked.projects:
        return asked.certain or not (rule.projects or rule.names_refs)
    return asked.certain or asked.ref is not None or not rule.names_refs


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
    return _why_no_rule(policy, about, asked)


def _why_no_rule(policy: Policy, about: Sequence[Rule], asked: Asked) -> str:
    """Return why no rule allows this, where that is because of what its branch is."""
    ref, about_refs = asked.ref, minds_refs(policy, asked.word)
    if ref is None or any(rule.effect == "allow" for rule in about):
        return "no rule allows it"
    if ref.pull_request and asked.word == Word.DEPLOY:
        return "a pull request is deployed only where a rule names it with pull_requests"
    if ref.pull_request and about_refs:
        return "no rule allows it on a pull request, which a rule about branches does not mean"
    if not ref.is_proper and about_refs:
        return "CircleCI gives its branch a name that is none, and no rule allows it on every branch"
    return "no rule allows it"
