"""What a rule says about branches, tags, pull requests, and about what nobody can name."""

import pytest

from bot.models.circleci import Ref
from bot.policy import DEFAULT, Asked, Decision, Kind, Person, decide, minds_refs, parse, who_could

ADA = Person("U0ADA", Kind.MEMBER)
ADMIN = Person("U0ADMIN", Kind.MEMBER, is_admin=True)
FRONTEND = ("gh/acme/frontend", "acme/frontend")
MAIN, TAG, PULL = Ref(name="main"), Ref(name="v1", kind="tag"), Ref(name="pull/7")
UNNAMED, UNPROPER, BLANK = Ref(name=""), Ref(name="refs/heads/main"), Ref(name="main\u2003")


def asked(word: str, ref: Ref | None, *, certain: bool = True) -> Asked:
    return Asked(word, FRONTEND, ref, "C1", certain=certain)


def rule(name: str, words: str, effect: str = "allow", **refs: str) -> str:
    keys = "\n".join(f"{key} = {value}" for key, value in refs.items())
    return f'[[rules]]\nname = "{name}"\neffect = "{effect}"\nwords = [{words}]\n{keys}\n'


def decided(rules: str, word: str, ref: Ref | None) -> Decision:
    return decide(parse(rules), ADA, asked(word, ref))


@pytest.mark.parametrize("name", ["pull/7", "pull/7/head", "PULL/7/merge", "refs/pull/7/head", "merge-requests/7/head"])
@pytest.mark.parametrize("person", [ADA, ADMIN], ids=["member", "admin"])
def test_without_a_rule_that_names_it_nobody_deploys_a_pull_request(name: str, person: Person) -> None:
    everything = parse(rule("all", '"*"') + rule("all branches", '"*"', branches='["*"]', tags='["*"]'))
    for policy in (DEFAULT, everything):
        for certain in (True, False):
            decision = decide(policy, person, asked("deploy", Ref(name=name), certain=certain))
            assert decision.rule == "a pull request is deployed only where a rule names it with pull_requests"
        assert who_could(policy, asked("deploy", Ref(name=name))) == ()
        for word in ("rerun", "cancel", "approve"):
            assert decide(policy, person, asked(word, Ref(name=name))).allowed


# For each kind of rule, what it is about: main, a tag, pull request 7, a build whose branch nobody can name.
ABOUT = [
    ("allow", {}, "rerun", (True, True, True, True)),
    ("allow", {}, "deploy", (True, True, False, True)),
    ("allow", {"branches": '["*"]'}, "rerun", (True, False, False, False)),
    ("allow", {"tags": '["*"]'}, "rerun", (False, True, False, False)),
    ("allow", {"pull_requests": '["*"]'}, "deploy", (False, False, True, False)),
    ("allow", {"pull_requests": '["8", "1*"]'}, "deploy", (False, False, False, False)),
    ("allow", {"pull_requests": '["*", "!7"]'}, "deploy", (False, False, False, False)),
    ("allow", {"branches": '["main"]', "pull_requests": '["7"]'}, "deploy", (True, False, True, False)),
    ("deny", {}, "rerun", (True, True, True, True)),
    ("deny", {"branches": '["main"]'}, "rerun", (True, False, True, True)),
    ("deny", {"branches": '["release/*"]'}, "rerun", (False, False, True, True)),
    ("deny", {"tags": '["v*"]'}, "rerun", (False, True, False, True)),
    ("deny", {"pull_requests": '["*"]'}, "rerun", (False, False, True, True)),
    ("deny", {"branches": '["main"]', "pull_requests": '["!*"]'}, "rerun", (True, False, False, True)),
    ("demand", {"branches": '["main"]'}, "rerun", (True, False, True, True)),
    ("demand", {"tags": '["v*"]'}, "deploy", (False, True, False, True)),
    ("demand", {"branches": '["main"]', "pull_requests": '["8"]'}, "rerun", (True, False, False, True)),
]


@pytest.mark.parametrize(("effect", "refs", "word", "about"), ABOUT, ids=str)
def test_what_a_rule_is_about(effect: str, refs: dict[str, str], word: str, about: tuple[bool, ...]) -> None:
    every = rule("every", f'"{word}"') + rule("pull requests", f'"{word}"', pull_requests='["*"]')
    for ref, is_about in zip((MAIN, TAG, PULL, UNNAMED), about, strict=True):
        if effect == "allow":
            assert decided(rule("x", f'"{word}"', **refs), word, ref).allowed is is_about, ref
        elif effect == "deny":
            assert decided(every + rule("x", f'"{word}"', "deny", **refs), word, ref).allowed is not is_about, ref
        else:
            decision = decided(every + rule("x", f'"{word}"', "demand", typed="true", **refs), word, ref)
            assert (decision.allowed, decision.typed) == (True, is_about), ref


@pytest.mark.parametrize("ref", [None, UNNAMED, UNPROPER, BLANK, Ref(name="HEAD"), Ref(name="v1\u200b", kind="tag")])
def test_of_a_branch_that_nobody_can_name_the_worst_is_taken(ref: Ref | None) -> None:
    spared = rule("all but main", '"cancel"', branches='["*", "!main"]')
    assert not decided(spared, "cancel", ref).allowed
    denied = rule("all", '"cancel"') + rule("not main", '"cancel"', "deny", branches='["main"]')
    assert decided(denied, "cancel", ref).rule == "not main"
    assert decided(rule("all", '"cancel"'), "cancel", ref).allowed
    # In a list too, where what has no ref is a whole project.
    listed = decide(parse(denied), ADA, asked("cancel", ref, certain=False))
    assert listed.allowed is (ref is None)
    assert decide(parse(spared), ADA, asked("cancel", ref, certain=False)).allowed is (ref is None)


def test_the_reason_says_what_the_branch_is() -> None:
    spared = rule("branches", '"cancel"', branches='["*"]')
    assert "on a pull request, which a rule about branches does not mean" in decided(spared, "cancel", PULL).rule
    assert "CircleCI gives its branch a name that is none" in decided(spared, "cancel", UNPROPER).rule
    assert decided(spared, "cancel", TAG).rule == "no rule allows it"
    assert decided(spared, "rerun", PULL).rule == "no rule allows it"
    theirs = '[roles.ops]\nusers = ["U0OPS"]\n' + rule("ops", '"deploy"', pull_requests='["*"]', roles='["ops"]')
    assert decided(theirs, "deploy", PULL).rule == "no rule allows it"
    assert who_could(parse(theirs), asked("deploy", PULL)) == ("ops",)


def test_a_rule_about_pull_requests_minds_refs() -> None:
    assert minds_refs(parse(rule("x", '"read"', pull_requests='["7"]')), "read")
    assert not minds_refs(parse(rule("x", '"read"')), "read")
