"""What the policy says about one person, or an agent, and one wish.

A rule allows, denies or demands something of those in its roles, for its words, on its projects, branches, tags and
pull requests, in its channels; what it does not name it does not restrict. Deny wins over allow, and every demand that
matches holds. A person's agent is allowed what its owner is, and no more; what is denied to either of them, or demanded
of either, holds for it. An agent of its own is in the roles `everyone` and `agents`, and in those that name it.
"""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from bot.models.agent import WORDS
from bot.models.globs import matches
from bot.models.slugs import spelled_alike
from bot.policy.globs import is_plain
from bot.policy.rules import AGENTS, BUILT_IN, DEFAULT, EVERYONE, GUESTS, MEMBERS, STRANGERS, Policy, Rule
from bot.policy.wishes import Asked, Decision, Elsewhere, Kind, Person
from bot.policy.words import ALL_WORDS, Word, in_words


def decide(policy: Policy, person: Person, asked: Asked) -> Decision:
    """Return what the policy says about one person and one wish."""
    if barred := person.barred or _beyond_its_words(person, asked.word):
        return Decision(allowed=False, rule=barred, denied=True)
    about = [rule for rule in policy.rules if _is_about(rule, asked)]
    for rule in about:
        if rule.effect == "deny" and _certainly_about(rule, asked) and _may_be_in(policy, rule.roles, person, asked):
            return Decision(allowed=False, rule=rule.name, denied=True)
    answers = person.answers
    allowing = [rule for rule in about if rule.effect == "allow" and _is_in(policy, rule.roles, answers, asked)]
    if not allowing:
        return Decision(allowed=False, rule=_why_not(policy, about, answers, asked))
    of_them = [
        rule for rule in policy.rules if _demands_of(rule, asked) and _may_be_in(policy, rule.roles, person, asked)
    ]
    return Decision(
        allowed=True,
        rule=allowing[0].name,
        second_person=any(rule.second_person for rule in of_them),
        typed=any(rule.typed for rule in of_them),
        green=any(rule.green for rule in of_them),
        alone=any(_lets_act_alone(policy, rule, person, asked) for rule in about),
    )


def who_could(policy: Policy, asked: Asked) -> tuple[str, ...]:
    """Return the people's roles that some rule allows this, in the order of the rules; none where all are denied it."""
    if _is_denied_to_all(policy, asked):
        return ()
    allowing = [rule for rule in policy.rules if rule.effect == "allow" and _is_about(rule, asked)]
    return tuple(dict.fromkeys(role for rule in allowing for role in _of_people(policy, rule.roles)))


def who_could_elsewhere(policy: Policy, asked: Asked) -> tuple[Elsewhere, ...]:
    """Return what people a rule allows this in its own channels alone, of which this is none."""
    allowing = [rule for rule in policy.rules if rule.effect == "allow" and rule.channels]
    allowing = [rule for rule in allowing if _of_people(policy, rule.roles)]
    others = [rule for rule in allowing if asked.channel_id not in rule.channels]
    found = []
    for rule in others:
        there = [asked._replace(channel_id=channel) for channel in rule.channels]
        open_to_some = [one.channel_id for one in there if _is_about(rule, one) and not _is_denied_to_all(policy, one)]
        found += [Elsewhere(_of_people(policy, rule.roles), tuple(open_to_some))] if open_to_some else []
    return tuple(found)


def demanding(policy: Policy, asked: Asked) -> str:
    """Return the first rule that denies this to everyone, or demands something of some people; or empty text."""
    about = [rule for rule in policy.rules if _is_about(rule, asked)]
    denied = [rule for rule in about if rule.effect == "deny" and EVERYONE in rule.roles]
    of_people = [rule for rule in policy.rules if _demands_of(rule, asked) and _of_people(policy, rule.roles)]
    strict = [*denied, *(rule for rule in of_people if rule.second_person or rule.typed)]
    return strict[0].name if strict else ""


def minds_refs(policy: Policy, word: str) -> bool:
    """Say whether a rule about a word is about some branches, tags or pull requests alone."""
    return any(rule.names_refs and {word, ALL_WORDS} & set(rule.words) for rule in policy.rules)


def pull_request_rules(policy: Policy) -> tuple[str, ...]:
    """Return the rules that let somebody deploy a pull request."""
    allowing = [rule for rule in policy.rules if rule.effect == "allow" and rule.pull_requests]
    return tuple(rule.name for rule in allowing if {Word.DEPLOY, ALL_WORDS} & set(rule.words))


def alone_rules(policy: Policy) -> tuple[str, ...]:
    """Return the rules that let agents act without a person's press."""
    return tuple(rule.name for rule in policy.rules if rule.agents_alone)


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


def names_channel(policy: Policy, channel_id: str) -> bool:
    """Say whether it matters to a rule or a role that somebody speaks in a channel."""
    of_rules = (rule.channels for rule in policy.rules)
    return any(channel_id in channels for channels in (*of_rules, *(role.channels for role in policy.roles.values())))


def _is_about(rule: Rule, asked: Asked) -> bool:
    if asked.word not in rule.words and ALL_WORDS not in rule.words:
        return False
    if rule.channels and asked.channel_id not in rule.channels:
        return False
    if not asked.projects:  # somewhere, or all that our user on CircleCI has
        return not asked.certain or rule.effect != "allow" or not (rule.projects or rule.names_refs)
    return _fits_project(rule, asked.projects) and _fits_ref(rule, asked)


def _demands_of(rule: Rule, asked: Asked) -> bool:
    """Say whether what a rule demands holds for this; of what nobody can name so does what one that allows demands."""
    if rule.effect == "deny" or not rule.demands:
        return False
    is_named = asked.ref is not None and (asked.ref.is_proper or bool(asked.ref.pull_request))
    return _is_about(rule if is_named else rule.model_copy(update={"effect": "demand"}), asked)


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


def _beyond_its_words(person: Person, word: str) -> str:
    """Return why an agent may not, whatever the rules say; empty text for people and for what it was given."""
    if not person.agent or (word in person.words and word in WORDS):
        return ""
    words = [one for one in WORDS if one in person.words]
    return f"the agent {person.agent} may {f'only {in_words(words)}' if words else 'do nothing'}"


def _lets_act_alone(policy: Policy, rule: Rule, person: Person, asked: Asked) -> bool:
    """Say whether a rule lets an agent act without a press; what a person calls theirs gives it nothing.

    So a role that names it counts for one of its own alone.
    """
    if not (rule.agents_alone and person.agent and _certainly_about(rule, asked)):
        return False
    is_for_all = AGENTS in rule.roles and AGENTS not in policy.roles
    return is_for_all or _is_in(policy, rule.roles, person.answers, asked)


def _of_people(policy: Policy, roles: Iterable[str]) -> tuple[str, ...]:
    """Return the roles in which there can be people, who can press."""
    return tuple(one for one in roles if (policy.roles[one].has_people if one in policy.roles else one in BUILT_IN))


def _is_in(policy: Policy, roles: Collection[str], person: Person, asked: Asked) -> bool:
    return any(_has(policy, role, person, asked, person.groups) for role in roles)


def _may_be_in(policy: Policy, roles: Collection[str], person: Person, asked: Asked) -> bool:
    """As `_is_in`; where Slack does not say, somebody may well be one of those who are denied something."""
    unsaid = person.kind is Kind.UNKNOWN and {MEMBERS, GUESTS, STRANGERS} & set(roles)
    return bool(unsaid) or any(_has(policy, role, person, asked, person.groups | person.unread) for role in roles)


def _has(policy: Policy, role: str, person: Person, asked: Asked, groups: Collection[str]) -> bool:
    named = policy.roles.get(role)
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
    if named is None:
        return bool(person.agent)  # the agents
    if person.agent and person.agent in named.agents:
        return True
    if person.kind is Kind.AGENT:
        return False  # where it is told is no place in which it speaks
    by_name = person.user_id in named.users or asked.channel_id in named.channels
    return by_name or any(group in groups for group in named.groups)


def _why_not(policy: Policy, about: Sequence[Rule], person: Person, asked: Asked) -> str:
    named = {role for rule in about if rule.effect == "allow" for role in rule.roles}
    if person.kind is Kind.AGENT:
        return f"no rule allows it to the agent {person.agent}, which stands on its own"
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
