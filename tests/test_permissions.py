"""Whoever asks, wherever, under whatever name of a project: what is decided is what the whole policy says."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.circleci.reads import Reads
from bot.errors import NotAllowed, Rejected, SlackError, Unavailable
from bot.grammar import parse_project
from bot.models.caller import Caller, Place
from bot.models.circleci import Project, ProjectSlug, Ref
from bot.permissions import Permissions
from bot.policy import DEFAULT, Asked, Decision, Kind, Person, Policy, Word, decide, parse
from bot.settings import ProjectEntry, Projects, Settings

GROUPS = ("S0ONE", "S0TWO")
USERS = ("U0ADA", "U0GRACE")
CHANNELS = ("C0HERE", "C0THERE")
BRANCHES = ("main", "release/1", "try/x")
REFS = (*(Ref(name=name) for name in BRANCHES), Ref(name="v1", kind="tag"), Ref(name="pull/7"))
NAMELESS = (None, Ref(name=""), Ref(name="main\u2003"), Ref(name="HEAD"), Ref(name="v1\u200b", kind="tag"))
EXAMPLES = 40  # of each property: policies take a while to make
PROJECTS = ("gh/acme/web", "gh/acme/vault")
Somebody = tuple[Kind | None, dict[str, bool | None], bool]  # what they are, whether they are in groups, and an admin


class Workspace:
    """Slack, as far as the policy asks it: what it does not say raises."""

    def __init__(self, kind: Kind | None, groups: dict[str, bool | None]) -> None:
        self._kind = kind
        self._groups = groups

    async def kind_of(self, user_id: str) -> Kind:  # noqa: ARG002  # everybody is alike
        if self._kind is None:
            raise SlackError("users.info", "internal_error")
        return self._kind

    async def members_of(self, group_id: str) -> frozenset[str]:
        is_in = self._groups.get(group_id)
        if is_in is None:
            raise SlackError("usergroups.users.list", "missing_scope")
        return frozenset(USERS[:1]) if is_in else frozenset()

    async def user_name(self, user_id: str) -> str:
        return user_id


class FarSide:
    """CircleCI, as far as the policy asks it; `answers` are the slugs it says for others."""

    def __init__(self, answers: dict[str, str] | None = None, error: Exception | None = None) -> None:
        self.answers = answers or {}
        self.error = error

    async def project(self, slug: str) -> Project:
        if self.error:
            raise self.error
        return Project(slug=ProjectSlug(self.answers.get(slug, slug.lower())))


def permissions(
    policy: Policy, workspace: Workspace, far: FarSide, projects: Projects | None = None, admins: tuple[str, ...] = ()
) -> Permissions:
    reads = cast("Reads", far)
    settings = Settings.model_construct(admins=admins)
    return Permissions(policy, settings, projects or Projects(), workspace, reads, team_id="T0ACME")


def caller(channel: str = CHANNELS[0]) -> Caller:
    return Caller(person_id=USERS[0], delivery_id="d", place=Place(channel_id=channel))


@pytest.mark.parametrize(
    ("slug", "title", "ref", "is_allowed"),
    [
        ("gh/acme/web", "acme/web", "main", True),
        ("gh/Acme/Web", "", "main", True),
        ("gh/acme/web", "acme/web", "release/1", False),
        ("gh/acme/vault", "acme/vault", "main", False),
        ("circleci/5e0c5f62/9f1c2d7a", "acme/mobile", "main", True),
        ("", "", "", True),
    ],
)
async def test_what_is_offered_is_decided_by_the_names_that_are_known(
    slug: str, title: str, ref: str, is_allowed: bool
) -> None:
    rule = 'words = ["deploy"]\nprojects = ["shop", "acme/mobile"]\nbranches = ["main"]'
    projects = Projects(projects={"shop": ProjectEntry(slug="gh/acme/web")})
    workspace, far = Workspace(Kind.MEMBER, {}), FarSide(error=Unavailable("nobody asks"))
    asks = permissions(parse(f'[[rules]]\nname = "ships"\n{rule}'), workspace, far, projects)
    on = Ref(name=ref) if ref else None
    asked = asks.as_known(caller(), Word.DEPLOY, ProjectSlug(slug) if slug else None, title, on)
    assert (await asks.decision(caller(), asked)).allowed is is_allowed


def globs(*names: str) -> st.SearchStrategy[tuple[str, ...]]:
    one = st.sampled_from([*names, *(f"!{name}" for name in names)])
    return st.lists(one, max_size=3, unique=True).map(tuple)


ROLE = st.fixed_dictionaries(
    {"users": st.lists(st.sampled_from(USERS)), "groups": st.lists(st.sampled_from(GROUPS))},
    optional={"channels": st.lists(st.sampled_from(CHANNELS), min_size=1)},
).filter(lambda role: any(role.values()))


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return a rule of any kind."""
    effect = draw(st.sampled_from(["allow", "allow", "deny", "demand"]))
    demands = draw(st.sets(st.sampled_from(["second_person", "typed"]), min_size=effect == "demand"))
    asking = effect != "deny" and bool(demands)
    words = st.sampled_from(["deploy", "rerun", "approve"] if asking else [*Word, "*"])
    names = ["everyone", "members", "guests", "strangers", "admins", "ours", "theirs"]
    return {
        "name": f"{effect} {draw(st.integers(0, 99))}",
        "effect": effect,
        "roles": draw(st.lists(st.sampled_from(names), min_size=1, max_size=2)),
        "words": draw(st.lists(words, min_size=1, max_size=2)),
        "projects": draw(globs("acme/*", "GH/Acme/Vault", "safe", "github/acme/web")),
        "branches": draw(globs("*", "main", "release/*")),
        "tags": draw(globs("*", "v*")),
        "pull_requests": draw(globs("*", "7", "8")),
        "channels": draw(st.lists(st.sampled_from(CHANNELS), max_size=1)),
        **(dict.fromkeys(demands, True) if asking else {}),
    }


POLICIES = st.builds(
    lambda ours, theirs, made: Policy.model_validate({"roles": {"ours": ours, "theirs": theirs}, "rules": made}),
    ROLE,
    ROLE,
    st.lists(rules(), min_size=1, max_size=5),
)
PEOPLE = st.tuples(
    st.sampled_from([None, Kind.MEMBER, Kind.GUEST, Kind.STRANGER]),
    st.fixed_dictionaries(dict.fromkeys(GROUPS, st.sampled_from([True, False, None]))),
    st.booleans(),
)
SAFE = Projects(projects={"Safe": ProjectEntry(slug="github/ACME/Vault")})


def whole(kind: Kind | None, groups: dict[str, bool | None], is_admin: bool, policy: Policy) -> Person:
    """Return the person as the policy is to see them: of the groups that its roles name."""
    named = {group for role in policy.roles.values() for group in role.groups}
    told = {is_in: frozenset(one for one in named if groups[one] is is_in) for is_in in (True, None)}
    return Person(USERS[0], kind or Kind.UNKNOWN, is_admin, told[True], told[None])


def names(slug: str) -> tuple[str, ...]:
    return (slug, slug.partition("/")[2], *(("Safe",) if slug.lower().endswith("vault") else ()))


@settings(max_examples=EXAMPLES)
@given(POLICIES, PEOPLE, st.sampled_from(list(Word)), st.sampled_from(PROJECTS), st.sampled_from([*REFS, *NAMELESS]))
def test_what_is_decided_is_what_the_policy_says_of_the_whole_person(
    policy: Policy,
    somebody: Somebody,
    word: Word,
    slug: str,
    ref: Ref | None,
) -> None:
    kind, groups, is_admin = somebody
    admins = USERS[:1] if is_admin else ()
    asked_by = caller(CHANNELS[1])
    expected = decide(policy, whole(*somebody, policy), Asked(word, names(slug), ref, CHANNELS[1]))

    async def decisions() -> list[Decision]:
        """Return what is decided in every spelling of the project."""
        found = []
        for spelled in (slug, slug.upper().replace("GH/", "gh/"), slug.title().replace("Gh/", "gh/")):
            may = permissions(policy, Workspace(kind, groups), FarSide(), SAFE, admins)
            asked = await may.asked(asked_by, word, ProjectSlug(spelled), ref)
            found.append(await may.decision(asked_by, asked))
        return found

    assert asyncio.run(decisions()) == [expected] * 3


@settings(max_examples=EXAMPLES)
@given(POLICIES, PEOPLE, st.sampled_from(list(Word)), st.sampled_from(PROJECTS), st.sampled_from([*REFS, *NAMELESS]))
def test_a_rule_that_denies_always_wins(
    policy: Policy,
    somebody: Somebody,
    word: Word,
    slug: str,
    ref: Ref | None,
) -> None:
    person, asked = whole(*somebody, policy), Asked(word, names(slug), ref, CHANNELS[0])
    all_of_it = [{"name": "all", "words": ["*"]}, {"name": "and these", "words": ["*"], "pull_requests": ["*"]}]
    denying = [rule for rule in policy.rules if rule.effect == "deny"]
    denied = any(not decide(_with(policy, [rule, *all_of_it]), person, asked).allowed for rule in denying)
    assert decide(_with(policy, [*all_of_it, *policy.rules]), person, asked).allowed is not denied
    assert not (denied and decide(policy, person, asked).allowed)


def _with(policy: Policy, made: list[Any]) -> Policy:
    return Policy.model_validate({"roles": policy.roles, "rules": made})


@settings(max_examples=EXAMPLES)
@given(POLICIES, PEOPLE, st.sampled_from(list(Word)), st.sampled_from(PROJECTS), st.sampled_from(NAMELESS))
def test_what_nobody_can_name_is_allowed_only_where_every_branch_and_tag_is(
    policy: Policy,
    somebody: Somebody,
    word: Word,
    slug: str,
    ref: Ref | None,
) -> None:
    person, asked = whole(*somebody, policy), Asked(word, names(slug), ref, CHANNELS[0])
    nameless = decide(policy, person, asked)
    every = [decide(policy, person, asked._replace(ref=one)) for one in REFS if not one.pull_request]
    assert not nameless.allowed or all(one.allowed for one in every)
    for demand in ("second_person", "typed") if nameless.allowed else ():
        assert getattr(nameless, demand) or not any(getattr(one, demand) for one in every)
    pull_request = asked._replace(word=Word.DEPLOY, ref=Ref(name="pull/7/head"))
    if decide(policy, person, pull_request).allowed:
        assert any(rule.pull_requests and rule.effect == "allow" for rule in policy.rules)


VAULT = """
[[rules]]
name = "all"
words = ["*"]

[[rules]]
name = "the vault is closed"
effect = "deny"
words = ["*"]
projects = ["{project}"]
"""
# What the rule calls it, what is typed, what the projects file calls what, what CircleCI answers.
SPELLED = [
    ("safe", "acme/vault", {"Safe": "gh/acme/vault"}, {}),
    ("Safe", "ACME/Vault", {"safe": "github/acme/VAULT"}, {}),
    ("safe", "gh/ACME/Vault", {"safe": "gh/acme/vault"}, {"gh/ACME/Vault": "gh/ACME/Vault"}),
    ("safe", "SAFE", {"Safe": "gh/acme/vault"}, {}),
    ("acme/vault", "GH/Acme/Vault", {}, {}),
    ("GitHub/Acme/V*", "https://github.com/acme/vault/tree/main", {}, {}),
    ("acme/vault", "https://app.circleci.com/pipelines/github/ACME/vault", {}, {}),
    ("safe", "acme/vault", {"safe": "gh/acme/before"}, {"gh/acme/before": "gh/acme/vault"}),
    ("acme/before", "acme/vault", {"safe": "gh/acme/before"}, {"gh/acme/before": "gh/acme/vault"}),
    ("acme/vault", "acme/before", {}, {"gh/acme/before": "gh/acme/vault"}),
    ("acme/vault", "safe", {"safe": "gh/acme/before"}, {"gh/acme/before": "gh/acme/vault"}),
    ("safe", "circleci/Org1/Proj2", {"Safe": "circleci/Org1/Proj2"}, {"circleci/Org1/Proj2": "circleci/Org1/Proj2"}),
]


@pytest.mark.parametrize(("project", "typed", "entries", "answers"), SPELLED, ids=str)
async def test_a_rule_meets_its_project_under_every_name(
    project: str, typed: str, entries: dict[str, str], answers: dict[str, str]
) -> None:
    projects = Projects(projects={name: ProjectEntry(slug=slug) for name, slug in entries.items()})
    policy = parse(VAULT.format(project=project))
    may = permissions(policy, Workspace(Kind.MEMBER, {}), FarSide(answers), projects)
    with pytest.raises(NotAllowed, match="the vault is closed"):
        await may.check(caller(), Word.DEPLOY, parse_project(typed, projects).slug, Ref(name="main"))
    await may.check(caller(), Word.DEPLOY, ProjectSlug("gh/acme/web"), Ref(name="main"))


async def test_what_a_project_is_called_is_asked_anew_and_what_was_known_outlasts_an_outage() -> None:
    before, far = ProjectSlug("gh/acme/before"), FarSide({"gh/acme/before": "gh/acme/vault"})
    may = permissions(parse(VAULT.format(project="acme/vault")), Workspace(Kind.MEMBER, {}), far)
    with pytest.raises(NotAllowed):
        await may.check(caller(), Word.READ, before)
    far.answers = {}
    with pytest.raises(NotAllowed):
        await may.check(caller(), Word.READ, before)
    may.forget()  # as after a minute
    await may.check(caller(), Word.READ, before)
    far.error = Unavailable("no answer")
    await may.check(caller(), Word.READ, before)
    with pytest.raises(Unavailable):
        await may.check(caller(), Word.READ, ProjectSlug("gh/acme/other"))
    far.error = Rejected(404, "Project not found")
    await may.check(caller(), Word.READ, ProjectSlug("gh/acme/unknown"))


async def test_a_policy_that_names_no_project_asks_nobody_what_it_is_called() -> None:
    far = FarSide(error=AssertionError("asked"))
    may = permissions(parse('[[rules]]\nname = "x"\nwords = ["*"]'), Workspace(Kind.MEMBER, {}), far, SAFE)
    await may.check(caller(), Word.READ, ProjectSlug("gh/acme/web"))


async def test_an_admin_of_whom_slack_says_no_name_is_named_by_id() -> None:
    class Nameless(Workspace):
        async def user_name(self, user_id: str) -> str:  # noqa: ARG002  # as Slack may do
            return ""

    asked = permissions(DEFAULT, Nameless(Kind.MEMBER, {}), FarSide(), admins=("U0GONE", "U0ADMIN"))
    could = await asked.could(Asked(Word.SSH))
    assert could == ("the people in ADMINS: U0GONE, U0ADMIN",)
