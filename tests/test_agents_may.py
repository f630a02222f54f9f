"""What agents may: a person's at most what they may, one of its own what the roles say, and none that is gone."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import NotAllowed
from bot.models.agent import WORDS, Agent
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.policy import DEFAULT, Asked, Kind, Person, Policy, Word, decide, demanding, parse, warnings, who_could
from bot.policy import who_could_elsewhere as elsewhere
from formatters.policy import checked
from tests.test_permissions import (
    CHANNELS,
    EXAMPLES,
    PEOPLE,
    POLICIES,
    PROJECTS,
    REFS,
    USERS,
    FarSide,
    Somebody,
    Workspace,
    names,
    permissions,
    whole,
)

FILE = """
[roles.releasers]
users = ["U0GRACE"]

[roles.robots]
agents = ["release-bot"]

[roles.there]
channels = ["C0SHIP"]

[[rules]]
name = "everybody may read"
words = ["read"]

[[rules]]
name = "members deploy features"
roles = ["members"]
words = ["deploy", "rerun"]
branches = ["feature/*"]
agents_alone = true

[[rules]]
name = "releasers and robots ship"
roles = ["releasers", "robots"]
words = ["deploy"]
branches = ["release/*"]
agents_alone = true

[[rules]]
name = "agents may deploy staging"
roles = ["agents"]
words = ["deploy"]
branches = ["staging", "main"]
agents_alone = true

[[rules]]
name = "members deploy main"
roles = ["members"]
words = ["deploy"]
branches = ["main"]

[[rules]]
name = "who is in #ship cancels"
roles = ["there"]
words = ["cancel"]

[[rules]]
name = "no agent reruns"
roles = ["agents"]
effect = "deny"
words = ["rerun"]

[[rules]]
name = "robots ship with two"
roles = ["robots"]
effect = "demand"
words = ["deploy"]
branches = ["release/v2"]
second_person = true

[[rules]]
name = "admins may all"
roles = ["admins"]
words = ["*"]
"""
POLICY = parse(FILE)
MEMBER, GUEST = Person("U0ADA", Kind.MEMBER), Person("U0GUEST", Kind.GUEST)
RELEASER, ADMIN = Person("U0GRACE", Kind.MEMBER), Person("U0ADMIN", Kind.MEMBER, is_admin=True)
ROBOT = Person("", Kind.AGENT, agent="release-bot", words=WORDS)
OTHER = ROBOT._replace(agent="other-bot")
NAMESAKE = ADMIN._replace(agent="release-bot", words=WORDS)
NO = "no rule allows it"
SOON = datetime.now(UTC) + timedelta(days=1)
WEB = ProjectSlug("gh/acme/web")


def of(person: Person, *words: str) -> Person:
    return person._replace(agent="laptop", words=words or WORDS)


def asked(word: str, branch: str, channel: str = "C1") -> Asked:
    return Asked(word, ("gh/acme/web", "acme/web"), Ref(name=branch), channel)


@pytest.mark.parametrize(
    ("person", "wish", "rule", "alone"),
    [
        (of(MEMBER), asked("read", "main"), "everybody may read", False),
        (ROBOT, asked("read", "main"), "everybody may read", False),
        (of(MEMBER), asked("deploy", "feature/x"), "members deploy features", True),
        (MEMBER, asked("deploy", "feature/x"), "members deploy features", False),  # a person is never alone
        (of(RELEASER), asked("deploy", "release/v2"), "releasers and robots ship", True),
        (ROBOT, asked("deploy", "release/v1"), "releasers and robots ship", True),
        (ROBOT, asked("deploy", "staging"), "agents may deploy staging", True),
        (
            of(MEMBER),
            asked("deploy", "main"),
            "members deploy main",
            True,
        ),  # lets agents, as what it allows them anyway
        # What somebody calls their agent gives it nothing: only one of its own is meant by a role.
        (NAMESAKE, asked("deploy", "release/v1"), "admins may all", False),
        (of(MEMBER), asked("cancel", "main", "C0SHIP"), "who is in #ship cancels", False),
        (of(ADMIN), asked("deploy", "release/v9"), "admins may all", False),
    ],
)
def test_what_an_agent_is_allowed_names_its_rule(person: Person, wish: Asked, rule: str, alone: bool) -> None:
    decision = decide(POLICY, person, wish)
    assert (decision.allowed, decision.rule, decision.alone) == (True, rule, alone)


@pytest.mark.parametrize(
    ("person", "wish", "rule"),
    [
        (of(MEMBER), asked("deploy", "release/v1"), NO),
        (of(MEMBER), asked("deploy", "staging"), NO),  # a rule for agents gives nothing that the owner may not
        (of(GUEST), asked("deploy", "feature/x"), NO),
        (of(MEMBER), asked("rerun", "feature/x"), "no agent reruns"),
        (of(ADMIN), asked("rerun", "main"), "no agent reruns"),
        (ROBOT, asked("cancel", "main", "C0SHIP"), f"{NO} to the agent release-bot, which stands on its own"),
        (OTHER, asked("deploy", "release/v1"), f"{NO} to the agent other-bot, which stands on its own"),
        (of(ADMIN), asked("approve", "main"), "the agent laptop may only read, deploy, rerun and cancel"),
        (of(ADMIN), asked("secrets", "main"), "the agent laptop may only read, deploy, rerun and cancel"),
        (of(ADMIN, *Word), asked("admin", "main"), "the agent laptop may only read, deploy, rerun and cancel"),
        (of(MEMBER, "read"), asked("deploy", "feature/x"), "the agent laptop may only read"),
        (of(MEMBER, "read", "cancel"), asked("deploy", "feature/x"), "the agent laptop may only read and cancel"),
        (of(MEMBER)._replace(words=()), asked("read", "main"), "the agent laptop may do nothing"),
        (of(ADMIN)._replace(barred="gone"), asked("read", "main"), "gone"),
    ],
)
def test_what_an_agent_may_not_names_why(person: Person, wish: Asked, rule: str) -> None:
    decision = decide(POLICY, person, wish)
    assert (decision.allowed, decision.rule) == (False, rule)


def test_each_demand_holds_for_an_agent_that_may_act_alone() -> None:
    assert decide(POLICY, ROBOT, asked("deploy", "release/v2")).second_person
    assert not decide(POLICY, of(RELEASER), asked("deploy", "release/v2")).second_person  # it is no robot


def test_what_a_role_demands_of_a_name_holds_for_a_persons_agent_too() -> None:
    assert decide(POLICY, NAMESAKE, asked("deploy", "release/v2")).second_person


def test_the_rules_that_let_agents_act_alone_are_named_when_a_file_is_checked() -> None:
    alone = "members deploy features, releasers and robots ship, agents may deploy staging"
    assert f"Agents act without a press by: {alone}." in checked(POLICY)
    assert "Agents act" not in checked(DEFAULT)


def test_who_is_not_certain_to_be_meant_is_not_alone() -> None:
    somewhere = Asked("deploy", ("gh/acme/web", "acme/web"), None, "C1", certain=False)
    decision = decide(POLICY, of(MEMBER), somewhere)
    assert (decision.allowed, decision.alone) == (True, False)


def test_nobody_is_told_that_an_agent_could_press() -> None:
    assert who_could(POLICY, asked("deploy", "release/v2")) == ("releasers", "admins")
    assert who_could(POLICY, asked("deploy", "staging")) == ("admins",)
    there = parse(FILE.replace('roles = ["releasers", "robots"]', 'channels = ["C0SHIP"]\nroles = ["robots"]'))
    assert elsewhere(there, asked("deploy", "release/v2")) == ()
    # Nor is the bot's own rerun stopped by what is demanded of agents alone.
    assert not demanding(POLICY, asked("deploy", "release/v2"))


def test_a_file_of_before_keeps_its_own_role_of_this_name() -> None:
    before = parse('[roles.agents]\nusers = ["U0ADA"]\n[[rules]]\nname = "x"\nroles = ["agents"]\nwords = ["deploy"]')
    assert decide(before, MEMBER, asked("deploy", "main")).allowed
    assert decide(before, of(MEMBER), asked("deploy", "main")).allowed
    assert not decide(before, ROBOT, asked("deploy", "main")).allowed
    assert who_could(before, asked("deploy", "main")) == ("agents",)


def test_without_a_file_a_persons_agent_asks_for_what_they_may_and_one_of_its_own_reads() -> None:
    assert [word for word in Word if decide(DEFAULT, of(ADMIN), asked(word, "main")).allowed] == list(WORDS)
    assert [word for word in Word if decide(DEFAULT, ROBOT, asked(word, "main")).allowed] == ["read"]


def test_a_demand_on_a_rule_that_lets_agents_act_alone_is_warned_of() -> None:
    both = parse('[[rules]]\nname = "x"\nwords = ["deploy"]\nagents_alone = true\nsecond_person = true')
    told = "“x” lets agents act alone and demands second_person: they wait for a person all the same."
    assert told in warnings(both)


def agent(**changes: object) -> Agent:
    made = datetime.now(UTC)
    kept = {"name": "laptop", "owner_id": USERS[0], "channel_id": CHANNELS[0], "made_at": made, "expires_at": SOON}
    return Agent.model_validate(kept | {"digest": "d"} | changes)


ASKS = Caller(person_id=USERS[0], agent="laptop", delivery_id="d")
GONE = "the agent laptop was removed"


@pytest.mark.parametrize(
    ("kept", "kind", "admins", "why"),
    [
        ((agent(),), Kind.MEMBER, (), ""),
        ((), Kind.MEMBER, (), GONE),
        ((agent(owner_id=USERS[1]),), Kind.MEMBER, (), "the agent laptop is another person's by now"),
        (
            (agent(expires_at=datetime(2026, 2, 3, tzinfo=UTC)),),
            Kind.MEMBER,
            (),
            "the time of the agent laptop was up on 2026-02-03",
        ),
        ((agent(),), Kind.GONE, (), "its owner has left the workspace"),
        ((agent(),), None, (), "Slack does not say who it speaks for, so I take no risk"),
        ((agent(),), Kind.STRANGER, (), "agents are for people of this workspace"),
        ((agent(words=("deploy",)),), Kind.MEMBER, (), "the agent laptop may only deploy"),
        ((agent(own=True),), Kind.MEMBER, USERS, ""),
        (
            (agent(own=True, owner_name="Ada"),),
            Kind.MEMBER,
            (),
            "Ada, who made the agent laptop, looks after me no more",
        ),
        ((agent(own=True),), Kind.GONE, USERS, f"{USERS[0]}, who made the agent laptop, looks after me no more"),
    ],
)
async def test_an_agent_is_looked_up_at_each_question(
    kept: tuple[Agent, ...], kind: Kind | None, admins: tuple[str, ...], why: str
) -> None:
    may = permissions(DEFAULT, Workspace(kind, {}), FarSide(), None, admins, *kept)
    assert await may.readable(ASKS, [(WEB, None)]) == (set() if why else {(WEB, None)})
    if why:
        with pytest.raises(NotAllowed) as refused:
            await may.check(ASKS, "read", WEB)
        assert refused.value.rule == why
    else:
        assert (await may.check(ASKS, "read", WEB)).allowed


HERE, THERE = CHANNELS
MINDING = [
    '[[rules]]\nname = "x"\nwords = ["read"]\n[[rules]]\nname = "y"\nwords = ["deploy"]\nchannels = ["C0THERE"]',
    '[roles.r]\nchannels = ["C0THERE"]\n[[rules]]\nname = "x"\nwords = ["read"]',
]


@pytest.mark.parametrize("policy", MINDING)
async def test_a_channel_counts_for_an_agent_as_long_as_its_owner_is_in_it(policy: str) -> None:
    async def may(kept: Agent) -> bool:
        asks = permissions(parse(policy), Workspace(Kind.MEMBER, {}), FarSide(), None, (), kept)
        return bool(await asks.readable(ASKS, [(WEB, None)]))

    assert await may(agent(channel_id=HERE))
    assert not await may(agent(channel_id=THERE))
    assert await may(agent(channel_id="D0ADA"))


async def test_it_is_refused_from_the_moment_on_in_which_it_is_removed() -> None:
    kept = agent()
    may = permissions(DEFAULT, Workspace(Kind.MEMBER, {}), FarSide(), None, (), kept)
    assert (await may.check(ASKS, "deploy", WEB)).allowed
    may._speakers._agents.kept.clear()  # type: ignore[attr-defined]  # the store of this test
    with pytest.raises(NotAllowed, match=GONE):
        await may.check(ASKS, "deploy", WEB)


@settings(max_examples=EXAMPLES)
@given(POLICIES, PEOPLE, st.sampled_from(list(Word)), st.sampled_from(PROJECTS), st.sampled_from([*REFS, None]))
def test_an_agent_never_may_what_its_owner_may_not(
    policy: Policy, somebody: Somebody, word: Word, slug: str, ref: Ref | None
) -> None:
    owner = whole(*somebody, policy)
    wish = Asked(word, names(slug), ref, CHANNELS[0])
    more = Policy.model_validate({"roles": policy.roles, "rules": [_GIVING, *policy.rules]})
    kind, groups, is_admin = somebody
    may = permissions(more, Workspace(kind, groups), FarSide(), None, USERS[:1] if is_admin else (), agent())
    decision = asyncio.run(may.decision(ASKS.model_copy(update={"delivery_id": "e"}), wish))
    assert not decision.allowed or decide(policy, owner, wish).allowed
    assert not decision.allowed or word in WORDS


_GIVING = {"name": "all to agents", "roles": ["agents"], "words": ["*"], "agents_alone": True}
