"""Whoever asks, wherever, under whatever name of a project: what is decided is what the whole policy says."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, NameUntold, NotAllowed, NotFound, Rejected, SlackError, Unavailable
from bot.grammar import parse_project
from bot.known_as import KEPT_SECONDS, MOST_KEPT, STEADY_SECONDS, UNTOLD_SECONDS, KnownAs
from bot.models.agent import Agent
from bot.models.caller import Caller, Place
from bot.models.circleci import Project, ProjectSlug, Ref
from bot.permissions import SOON_SECONDS, Permissions
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

    async def channels_of(self, user_id: str) -> frozenset[str]:
        if user_id not in USERS:
            raise SlackError("users.conversations", "internal_error")
        return frozenset(CHANNELS[:1])

    async def user_name(self, user_id: str) -> str:
        return user_id


class FarSide:
    """CircleCI, as far as the policy asks it; `answers` are the slugs it says for others, `title` what it calls them.

    Some it `refused`; `ids` are those of projects, by their slugs of now. It takes as long as others need to ask too.
    """

    def __init__(self, answers: dict[str, str] | None = None, error: Exception | None = None, title: str = "") -> None:
        self.answers = answers or {}
        self.error = error
        self.title = title
        self.refused: dict[str, CircleCIError] = {}
        self.ids: dict[str, str] = {}
        self.asked: list[str] = []

    async def project(self, slug: str) -> Project:
        self.asked.append(slug)
        await asyncio.sleep(0)
        if self.error or slug in self.refused:
            raise self.error or self.refused[slug]
        now = self.answers.get(slug, slug.lower())
        return Project(id=self.ids.get(now, ""), slug=ProjectSlug(now), name=self.title)


class Agents:
    """The agents that there are."""

    def __init__(self, *agents: Agent) -> None:
        self.kept = {one.name: one for one in agents}

    async def get(self, name: str) -> Agent | None:
        return self.kept.get(name)


def permissions(
    policy: Policy,
    workspace: Workspace,
    far: FarSide,
    projects: Projects | None = None,
    admins: tuple[str, ...] = (),
    *agents: Agent,
) -> Permissions:
    reads = cast("Reads", far)
    settings = Settings.model_construct(admins=admins)
    return Permissions(
        policy, settings, projects or Projects(), workspace, reads, team_id="T0ACME", agents=Agents(*agents)
    )


def caller(channel: str = CHANNELS[0]) -> Caller:
    return Caller(person_id=USERS[0], delivery_id="d", place=Place(channel_id=channel))


SHIPS = """
[[rules]]
name = "ships"
words = ["deploy"]
projects = ["shop", "acme/mobile"]
branches = ["main"]
"""
SHOP = Projects(projects={"shop": ProjectEntry(slug="gh/acme/web")})
NAMED = [
    ("gh/acme/web", "acme/web", "main", True),
    ("gh/Acme/Web", "", "main", True),
    ("gh/acme/web", "acme/web", "release/1", False),
    ("gh/acme/vault", "acme/vault", "main", False),
    ("gh/acme/before", "acme/before", "main", True),
    ("circleci/5e0c5f62/9f1c2d7a", "acme/before", "main", True),
    ("circleci/5e0c5f62/9f1c2d7a", "acme/mobile", "", True),
]


@pytest.mark.parametrize(("slug", "title", "ref", "is_allowed"), NAMED)
async def test_what_is_offered_is_decided_by_the_names_of_now_or_is_not_offered(
    slug: str, title: str, ref: str, is_allowed: bool
) -> None:
    place = ProjectSlug(slug), title, Ref(name=ref) if ref else None
    offer = Word.DEPLOY, place[0], place[2]
    far = FarSide({"gh/acme/before": "gh/acme/web"}, title="acme/mobile")
    asks = permissions(parse(SHIPS), Workspace(Kind.MEMBER, {}), far, SHOP)
    assert (offer in await asks.offered(caller(), [Word.DEPLOY], [place])) is is_allowed
    # Where CircleCI does not say, nothing is; where no rule names a project it is not asked.
    far.error = Unavailable("no answer")
    asks = permissions(parse(SHIPS), Workspace(Kind.MEMBER, {}), far, SHOP)
    assert not await asks.offered(caller(), [Word.DEPLOY], [place])
    far.error = AssertionError("asked")
    asks = permissions(DEFAULT, Workspace(Kind.MEMBER, {}), far, SHOP)
    assert await asks.offered(caller(), [Word.DEPLOY], [place]) == {offer}


@pytest.mark.parametrize(
    ("rule", "is_seen"),
    [
        ('words = ["*"]', True),
        ('words = ["read"]\nprojects = ["acme/before"]', True),
        ('words = ["read"]\nchannels = ["C0ELSEWHERE"]', False),
        ('words = ["read"]\nbranches = ["main"]', False),
        ('words = ["*"]\n[[rules]]\nname = "no"\neffect = "deny"\nwords = ["read"]\nchannels = ["{here}"]', False),
        ('words = ["*"]\n[[rules]]\nname = "no"\neffect = "deny"\nwords = ["deploy"]\nchannels = ["{here}"]', True),
    ],
)
async def test_what_nobody_may_look_at_in_a_channel_is_seen_by_nobody_there(rule: str, is_seen: bool) -> None:
    policy = parse(f'[[rules]]\nname = "all"\n{rule.replace("{here}", CHANNELS[0])}\n')
    asks = permissions(policy, Workspace(Kind.MEMBER, {}), FarSide({"gh/acme/before": "gh/acme/web"}))
    assert await asks.is_seen_in(CHANNELS[0], ProjectSlug("gh/acme/web"), Ref(name="try/x")) is is_seen


async def test_what_is_not_known_soon_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    class Silent(FarSide):
        async def project(self, slug: str) -> Project:  # noqa: ARG002  # whichever
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    loop = asyncio.get_running_loop()
    asks = permissions(parse(SHIPS), Workspace(Kind.MEMBER, {}), Silent(), SHOP)
    place = ProjectSlug("gh/acme/web"), "acme/web", Ref(name="main")
    offered = asyncio.create_task(asks.offered(caller(), [Word.DEPLOY], [place]))
    await asked.wait()
    later = loop.time() + 2 * SOON_SECONDS
    monkeypatch.setattr(loop, "time", lambda: later)
    assert not await offered


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
    ("acme/before", "acme/vault", {}, {"gh/acme/before": "gh/acme/vault"}),
    ("acme/before", "acme/before", {}, {"gh/acme/before": "gh/acme/vault"}),
    (
        "GitHub/acme/before",
        "gh/acme/earliest",
        {},
        dict.fromkeys(("gh/acme/before", "gh/acme/earliest"), "gh/acme/vault"),
    ),
    ("acme/before", "bb/acme/vault", {}, {"bb/acme/before": "bb/acme/vault"}),
    (
        "acme/before",
        "gh/acme/vault",
        {},
        {"gh/acme/before": "circleci/Org1/Proj2", "gh/acme/vault": "circleci/Org1/Proj2"},
    ),
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


DEMAND = VAULT.replace('effect = "deny"', 'effect = "demand"\nsecond_person = true').replace(
    'words = ["*"]\nprojects', 'words = ["deploy"]\nprojects'
)


@pytest.mark.parametrize("policy", [VAULT, DEMAND], ids=["deny", "demand"])
@pytest.mark.parametrize("status", [400, 403, 404, 410, 418, 451])
async def test_no_refusal_switches_off_a_rule_that_writes_a_name_of_before(
    policy: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, far = ProjectSlug("gh/acme/vault"), FarSide({"gh/acme/before": "gh/acme/vault"})
    may = permissions(parse(policy.format(project="acme/before")), Workspace(Kind.MEMBER, {}), far)

    async def holds() -> bool:
        try:
            return (await may.check(caller(), Word.DEPLOY, vault, Ref(name="main"))).second_person
        except NotAllowed:
            return True

    assert await holds()
    loop = asyncio.get_running_loop()
    later = loop.time() + KEPT_SECONDS
    monkeypatch.setattr(loop, "time", lambda: later)
    far.refused = {"gh/acme/before": Rejected(status, "blocked")}
    assert await holds()
    may.forget()
    far.refused, far.answers = {}, {}
    assert not await holds()  # CircleCI says that it is another one by now
    may.forget()
    far.refused = {"gh/acme/before": Rejected(status, "blocked")}
    if status in (404, 410):
        assert not await holds()
        return
    # It may be so by now, and it may not: what it denies is refused in words, what it demands is asked for.
    if policy == DEMAND:
        assert await holds()
    else:
        with pytest.raises(NameUntold, match="acme/vault is acme/before"):
            await holds()
        assert await may.readable(caller(), [(vault, None)]) == set()


AWAY = [*(Rejected(status, "blocked") for status in (403, 404, 410)), Unavailable("no answer")]


@pytest.mark.parametrize("away", AWAY, ids=str)
@pytest.mark.parametrize("ids", [{"gh/acme/backend": "7", "gh/acme/web": "8"}, {}], ids=["ids", "none"])
async def test_a_name_that_was_known_before_a_rename_switches_off_no_denial_no_demand_and_no_lock(
    ids: dict[str, str], away: CircleCIError, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, vault, web = ProjectSlug("gh/acme/backend"), ProjectSlug("gh/acme/vault"), ProjectSlug("gh/acme/web")
    far, main, loop = FarSide(), Ref(name="main"), asyncio.get_running_loop()
    far.ids = dict(ids)
    denies, demands = (
        permissions(parse(rule.format(project="acme/backend")), Workspace(Kind.MEMBER, {}), far)
        for rule in (VAULT, DEMAND)
    )
    for may in (denies, demands):
        await may.check(caller(), Word.DEPLOY, web, main)
    later = loop.time() + KEPT_SECONDS
    monkeypatch.setattr(loop, "time", lambda: later)
    if ids:
        far.ids[vault] = far.ids.pop(before)  # it is renamed
    far.refused = {before: away}
    with pytest.raises(NotAllowed if ids else NameUntold):
        await denies.check(caller(), Word.DEPLOY, vault, main)
    assert (await demands.check(caller(), Word.DEPLOY, vault, main)).second_person
    if ids:  # they tell it from all others
        assert await denies.is_now(before, vault)
        assert not await denies.is_now(before, web)
        assert not (await demands.check(caller(), Word.DEPLOY, web, main)).second_person
        await denies.check(caller(), Word.DEPLOY, web, main)
        return
    with pytest.raises(NameUntold):
        await denies.is_now(before, vault)
    assert await denies.may_no_more(caller(), Word.DEPLOY, vault, main) == ""


async def test_a_name_of_another_project_that_is_steadily_refused_closes_nothing_and_is_asked_for_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule = VAULT.format(project="acme/legacy").replace('words = ["*"]\nprojects', 'words = ["cancel"]\nprojects')
    far, main, loop = FarSide(), Ref(name="main"), asyncio.get_running_loop()
    far.refused = {"gh/acme/legacy": Rejected(403, "Permission denied")}
    may, web = permissions(parse(rule), Workspace(Kind.MEMBER, {}), far), ProjectSlug("gh/acme/web")
    began = loop.time()
    for _ in range(3):
        await may.check(caller(), Word.READ, web, main)
        with pytest.raises(NameUntold, match="Permission denied"):
            await may.check(caller(), Word.CANCEL, web, main)
    assert far.asked.count("gh/acme/legacy") == 1
    monkeypatch.setattr(loop, "time", lambda: began + STEADY_SECONDS + 1)
    await may.check(caller(), Word.CANCEL, web, main)
    far.refused, far.answers = {}, {"gh/acme/legacy": "gh/acme/web"}  # it was this one all the time
    monkeypatch.setattr(loop, "time", lambda: began + STEADY_SECONDS + 1 + UNTOLD_SECONDS)
    with pytest.raises(NotAllowed):
        await may.check(caller(), Word.CANCEL, web, main)


async def test_a_name_that_hangs_is_waited_for_shortly_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.known_as.ASKED_SECONDS", 0)

    class Hangs(FarSide):
        async def project(self, slug: str) -> Project:
            found = await super().project(slug)
            if slug == "gh/acme/before":
                await asyncio.Event().wait()
            return found

    far = Hangs()
    may = permissions(parse(DEMAND.format(project="acme/before")), Workspace(Kind.MEMBER, {}), far)
    for _ in range(3):
        assert (await may.check(caller(), Word.DEPLOY, ProjectSlug("gh/acme/web"), Ref(name="main"))).second_person
    assert far.asked.count("gh/acme/before") == 1


async def test_what_a_project_of_ids_is_called_is_asked_anew() -> None:
    of_ids, far = ProjectSlug("circleci/Org1/Proj2"), FarSide({"circleci/Org1/Proj2": "circleci/Org1/Proj2"})
    may = permissions(parse(VAULT.format(project="acme/vault")), Workspace(Kind.MEMBER, {}), far)
    far.title = "acme/mobile"
    await may.check(caller(), Word.READ, of_ids)
    far.title = "acme/vault"
    may.forget()  # as after a minute
    with pytest.raises(NotAllowed):
        await may.check(caller(), Word.READ, of_ids)
    far.error = Unavailable("no answer")
    may.forget()
    with pytest.raises(Unavailable):
        await may.check(caller(), Word.READ, of_ids)
    far.error = Rejected(404, "Project not found")
    assert await may.readable(caller(), [(of_ids, None)]) == set()
    with pytest.raises(NotFound):
        await may.check(caller(), Word.READ, of_ids)


ALL_BUT = """
[[rules]]
name = "all but these"
words = ["*"]
projects = ["*", "!acme/before"]
"""


@pytest.mark.parametrize("policy", [VAULT.format(project="acme/vault"), VAULT.format(project="acme/before"), ALL_BUT])
async def test_what_was_kept_is_judged_by_what_it_is_called_now_and_was_before(policy: str) -> None:
    kept = [(ProjectSlug(f"gh/acme/{name}"), None) for name in ("earliest", "before", "vault", "web")]
    far = FarSide(dict.fromkeys(("gh/acme/before", "gh/acme/earliest"), "gh/acme/vault"))
    may = permissions(parse(policy), Workspace(Kind.MEMBER, {}), far)
    assert await may.readable(caller(), kept) == {kept[-1]}
    assert await may.readable(caller(), kept[2:], is_current=True) == {kept[-1]}


async def test_a_demand_meets_its_project_under_the_name_of_before() -> None:
    demand = '[[rules]]\nname = "two"\nwords = ["deploy"]\nprojects = ["acme/before"]\nsecond_person = true'
    policy = parse(f'[[rules]]\nname = "all"\nwords = ["*"]\n{demand}')
    may = permissions(policy, Workspace(Kind.MEMBER, {}), FarSide({"gh/acme/before": "gh/acme/vault"}))
    for name, is_met in (("before", True), ("vault", True), ("web", False)):
        decision = await may.check(caller(), Word.DEPLOY, ProjectSlug(f"gh/acme/{name}"), Ref(name="main"))
        assert decision.second_person is is_met


async def test_a_crowd_asks_once_what_each_project_is_called() -> None:
    rule = VAULT.replace("{project}", 'acme/vault", "acme/before", "Safe", "acme/any-*')
    far = FarSide({"gh/acme/before": "gh/acme/vault"})
    may = permissions(parse(rule), Workspace(Kind.MEMBER, {}), far, SAFE)
    listed = [(ProjectSlug(f"gh/acme/{name}"), None) for name in ("web", "Web", "site", "before")]
    asking = [may.readable(caller(), listed) for _ in range(20)]
    asking += [may.readable(caller(), [listed[0], listed[3]]) for _ in range(20)]
    await asyncio.gather(*asking)
    asked = sorted(one.lower().replace("github/", "gh/") for one in far.asked)
    assert asked == ["gh/acme/before", "gh/acme/site", "gh/acme/vault", "gh/acme/web"]


async def test_who_is_cut_off_does_not_cut_off_others_who_ask_for_the_same() -> None:
    known = KnownAs(DEFAULT, Projects(), cast("Reads", far := FarSide()))
    first = asyncio.create_task(known.by_now(ProjectSlug("gh/acme/Web")))
    others = asyncio.gather(*(known.by_now(ProjectSlug("gh/acme/web")) for _ in range(2)))
    await asyncio.sleep(0)
    first.cancel()
    assert await others == ["gh/acme/web"] * 2
    assert len(far.asked) == 1


async def test_no_more_names_are_kept_than_fit() -> None:
    known = KnownAs(DEFAULT, Projects(), cast("Reads", far := FarSide()))
    for number in (*range(MOST_KEPT + 1), MOST_KEPT, 0):
        await known.by_now(ProjectSlug(f"gh/acme/{number}"))
    assert far.asked[MOST_KEPT:] == [f"gh/acme/{MOST_KEPT}", "gh/acme/0"]


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
