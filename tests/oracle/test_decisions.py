"""What the product decides is what the file says: ten thousand wishes of random people under random policies."""

from collections import Counter
from random import Random

from bot.models.circleci import Ref
from bot.policy import CARRIED_BY, Asked, Decision, Kind, decide, parse
from bot.policy import Person as Known
from tests.oracle.rules import WORDS, Person, Verdict, Wish, drawn
from tests.oracle.rules import Ref as Drawn

POLICIES, WISHES = 200, 50
PEOPLE = (
    Person("U0ADA", groups=frozenset({"S0RELEASE"})),
    Person("U0GRACE"),
    Person("U0GUEST", "guest"),
    Person("U0STRANGER", "stranger"),
    Person("U0ADMIN", is_admin=True, groups=frozenset({"S0RELEASE"})),
)
AGENTS = ("laptop", "release-bot")
NAMES = (
    (),
    ("gh/acme/frontend", "acme/frontend", "shop"),
    ("gh/Acme/backend", "Acme/backend"),
    ("circleci/1/2", "acme/mobile"),
)
REFS = (
    *(Drawn(name) for name in ("main", "release/v2.0", "hold/prod", "try/green")),
    *(Drawn(name, "tag") for name in ("v2.0", "v3", "nightly")),
    Drawn("7", "pull"),
    Drawn("8", "pull"),
    None,
)
CHANNELS = ("C0DEPLOYS", "C0RELEASES", "D0ADA", "")


def test_every_decision_is_what_the_file_says() -> None:
    chance = Random(20261129)
    for _ in range(POLICIES):
        rules = drawn(chance)
        policy = parse(rules.toml())
        for _ in range(WISHES):
            person = chance.choice(PEOPLE)
            names = chance.choice(NAMES)
            ref = chance.choice(REFS) if names else None
            wish = Wish(chance.choice(WORDS), names, ref, chance.choice(CHANNELS))
            decision = decide(policy, _known(person), _asked(wish))
            assert _verdict(decision) == rules.verdict(person, wish), f"{person}\n{wish}\n{decision}\n{rules.toml()}"


def test_every_decision_about_an_agent_is_what_the_file_says_and_never_more_than_its_owner_may() -> None:
    chance, allowed = Random(20261130), Counter[tuple[str, bool]]()
    for _ in range(POLICIES):
        rules = drawn(chance, agents=AGENTS)
        policy = parse(rules.toml())
        for _ in range(WISHES):
            owner, names = chance.choice(PEOPLE), chance.choice(NAMES)
            by_itself = Person("", "agent", agent="release-bot")
            agent = chance.choice([owner._replace(agent="laptop"), by_itself])
            ref = chance.choice(REFS) if names else None
            wish = Wish(chance.choice(WORDS), names, ref, chance.choice(CHANNELS))
            decision = decide(policy, _known(agent), _asked(wish))
            assert _verdict(decision) == rules.verdict(agent, wish), f"{agent}\n{wish}\n{decision}\n{rules.toml()}"
            if decision.allowed and agent != by_itself:
                may = decide(policy, _known(owner), _asked(wish))
                assert may.allowed
                assert all(getattr(decision, one) or not getattr(may, one) for one in CARRIED_BY)
            allowed[agent.kind, decision.alone] += decision.allowed
    assert all(allowed[kind, alone] for kind in ("member", "agent") for alone in (True, False))


def _known(person: Person) -> Known:
    words = WORDS if person.agent else ()
    return Known(person.user_id, Kind(person.kind), person.is_admin, person.groups, agent=person.agent, words=words)


def _asked(wish: Wish) -> Asked:
    return Asked(wish.word, wish.names, _ref(wish.ref), wish.channel_id)


def _ref(ref: Drawn | None) -> Ref | None:
    if ref is None:
        return None
    return Ref(name=f"pull/{ref.name}") if ref.kind == "pull" else Ref(name=ref.name, kind=ref.kind)


def _verdict(decision: Decision) -> Verdict:
    if not decision.allowed:
        return Verdict(allowed=False)
    return Verdict(True, decision.second_person, decision.typed, decision.green, decision.alone)
