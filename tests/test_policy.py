"""The policy as a table: role, word, project, branch, channel; deny over allow; who Slack does not know."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.__main__ import main
from bot.models import git
from bot.models.circleci import Ref
from bot.policy import (
    DEFAULT,
    Asked,
    BadPolicy,
    Kind,
    Person,
    Policy,
    Word,
    decide,
    globs,
    parse,
    warnings,
    who_could,
    who_could_elsewhere,
)

FILE = """
[roles.release-managers]
users = ["U0GRACE"]
groups = ["S0RELEASE"]

[roles.on-call]
channels = ["C0ONCALL"]

[[rules]]
name = "everybody may read"
words = ["read"]

[[rules]]
name = "members deploy what is not production"
roles = ["members"]
words = ["deploy", "rerun", "cancel"]
branches = ["*", "!release/*", "!main"]

[[rules]]
name = "release managers ship"
roles = ["release-managers"]
words = ["deploy", "rerun", "cancel", "approve"]
projects = ["acme/*"]

[[rules]]
name = "on call cancels anything"
roles = ["on-call"]
words = ["cancel"]

[[rules]]
name = "production needs a second person"
effect = "demand"
words = ["deploy"]
branches = ["release/*"]
tags = ["v*"]
second_person = true

[[rules]]
name = "nobody touches the vault"
effect = "deny"
words = ["*"]
projects = ["acme/vault"]

[[rules]]
name = "contractors stay out of billing"
effect = "deny"
roles = ["guests"]
words = ["*"]
channels = ["C0BILLING"]
"""
POLICY = parse(FILE)
ADA, GRACE = Person("U0ADA", Kind.MEMBER), Person("U0GRACE", Kind.MEMBER)
BY_GROUP = Person("U0LIN", Kind.MEMBER, groups=frozenset({"S0RELEASE"}))
UNREAD = Person("U0LIN", Kind.MEMBER, unread=frozenset({"S0RELEASE"}))
GUEST, STRANGER = Person("U0GUEST", Kind.GUEST), Person("U0EVE", Kind.STRANGER)
FRONTEND, VAULT, ELSEWHERE = ("gh/acme/frontend", "acme/frontend"), ("gh/acme/vault", "acme/vault"), ("gh/x/y", "x/y")


def branch(name: str) -> Ref:
    return Ref(name=name)


def tag(name: str) -> Ref:
    return Ref.model_validate({"name": name, "kind": "tag"})


@pytest.mark.parametrize(
    ("person", "word", "projects", "ref", "channel", "rule"),
    [
        (ADA, "read", FRONTEND, branch("main"), "C1", "everybody may read"),
        (GUEST, "read", FRONTEND, branch("main"), "C1", "everybody may read"),
        (STRANGER, "read", FRONTEND, None, "C1", "everybody may read"),
        (ADA, "deploy", FRONTEND, branch("feature/x"), "C1", "members deploy what is not production"),
        (GRACE, "deploy", FRONTEND, branch("release/v2"), "C1", "release managers ship"),
        (BY_GROUP, "deploy", FRONTEND, tag("v2"), "C1", "release managers ship"),
        (GUEST, "cancel", ELSEWHERE, branch("main"), "C0ONCALL", "on call cancels anything"),
        (GRACE, "deploy", ("gh/ACME/Frontend", "ACME/Frontend"), branch("main"), "C1", "release managers ship"),
    ],
)
def test_what_is_allowed_names_its_rule(
    person: Person, word: str, projects: tuple[str, ...], ref: Ref | None, channel: str, rule: str
) -> None:
    decision = decide(POLICY, person, Asked(word, projects, ref, channel))
    assert (decision.allowed, decision.rule) == (True, rule)


@pytest.mark.parametrize(
    ("person", "word", "projects", "ref", "channel", "rule"),
    [
        (ADA, "deploy", FRONTEND, branch("main"), "C1", "no rule allows it"),
        (ADA, "deploy", FRONTEND, branch("release/v2"), "C1", "user groups of “release managers ship”"),
        (ADA, "deploy", FRONTEND, tag("v2"), "C1", "no rule allows it"),
        (ADA, "approve", FRONTEND, branch("feature/x"), "C1", "no rule allows it"),
        (GUEST, "deploy", FRONTEND, branch("feature/x"), "C1", "no rule allows it"),
        (STRANGER, "deploy", FRONTEND, branch("feature/x"), "C1", "no rule allows it"),
        (GRACE, "deploy", ELSEWHERE, branch("main"), "C1", "no rule allows it"),
        (GRACE, "deploy", VAULT, branch("feature/x"), "C1", "nobody touches the vault"),
        (GRACE, "deploy", ("gh/Acme/Vault", "Acme/Vault"), branch("x"), "C1", "nobody touches the vault"),
        (GUEST, "read", FRONTEND, branch("main"), "C0BILLING", "contractors stay out of billing"),
        (GRACE, "secrets", FRONTEND, None, "C1", "no rule allows it"),
    ],
)
def test_what_is_not_allowed_names_its_rule(
    person: Person, word: str, projects: tuple[str, ...], ref: Ref | None, channel: str, rule: str
) -> None:
    if rule.startswith("user groups"):
        person = person._replace(unread=frozenset({"S0RELEASE"}))
    decision = decide(POLICY, person, Asked(word, projects, ref, channel))
    assert not decision.allowed
    assert rule in decision.rule


def test_a_group_that_cannot_be_read_allows_nothing_and_denies_all_the_same() -> None:
    assert not decide(POLICY, UNREAD, Asked("deploy", FRONTEND, branch("release/v2"))).allowed
    denied = Policy.model_validate(
        {
            "roles": {"leavers": {"groups": ["S0LEAVERS"]}},
            "rules": [
                {"name": "all may read", "words": ["read"]},
                {"name": "leavers may nothing", "effect": "deny", "roles": ["leavers"], "words": ["*"]},
            ],
        }
    )
    unsure = Person("U0LIN", Kind.MEMBER, unread=frozenset({"S0LEAVERS"}))
    assert decide(denied, unsure, Asked("read", FRONTEND)).rule == "leavers may nothing"
    assert decide(denied, ADA, Asked("read", FRONTEND)).allowed


def test_demands_come_from_every_rule_that_matches() -> None:
    asked = Asked("deploy", FRONTEND, branch("release/v2"))
    assert decide(POLICY, GRACE, asked).second_person
    assert not decide(POLICY, GRACE, asked._replace(ref=branch("main"))).second_person


def test_all_of_a_project_is_what_some_branches_are_denied_or_demanded() -> None:
    rules = """
[[rules]]
name = "everybody"
words = ["deploy"]

[[rules]]
name = "not main"
effect = "deny"
roles = ["guests"]
words = ["deploy"]
branches = ["main"]

[[rules]]
name = "tags are typed"
effect = "demand"
words = ["deploy"]
tags = ["v*"]
typed = true
"""
    all_of_it = Asked("deploy", FRONTEND, None)
    assert decide(parse(rules), GUEST, all_of_it).rule == "not main"
    assert decide(parse(rules), ADA, all_of_it).typed
    assert decide(parse(rules), GUEST, all_of_it._replace(ref=branch("try/x"))).allowed


def test_what_is_for_all_projects_takes_a_rule_that_is() -> None:
    rules = """
[[rules]]
name = "the web team's keys"
words = ["keys"]
projects = ["acme/frontend"]

[[rules]]
name = "all keys"
roles = ["members"]
words = ["keys"]
"""
    for_all = Asked("keys")
    assert not decide(parse(rules), GUEST, for_all).allowed
    assert decide(parse(rules), GUEST, for_all._replace(certain=False)).allowed
    assert decide(parse(rules), ADA, for_all).rule == "all keys"


def test_a_branch_still_to_be_found_out_is_not_refused_yet() -> None:
    open_yet = Asked("deploy", FRONTEND, None, certain=False)
    assert decide(POLICY, ADA, open_yet).allowed
    assert not decide(POLICY, ADA, open_yet._replace(certain=True)).allowed


@pytest.mark.parametrize("word", ["deploy", "rerun", "cancel", "approve"])
def test_without_a_file_members_act_and_others_read(word: str) -> None:
    asked = Asked(word, FRONTEND, branch("main"))
    assert decide(DEFAULT, ADA, asked).allowed
    assert decide(DEFAULT, GUEST, asked).rule == "guests may only read"
    assert decide(DEFAULT, STRANGER, asked).rule == "people from other workspaces may only read"
    assert "Slack does not say who you are" in decide(DEFAULT, Person("U", Kind.UNKNOWN), asked).rule
    for person in (GUEST, STRANGER, Person("U", Kind.UNKNOWN)):
        assert decide(DEFAULT, person, asked._replace(word="read")).allowed


@pytest.mark.parametrize("word", ["secrets", "keys", "ssh", "admin"])
def test_without_a_file_secrets_belong_to_admins(word: str) -> None:
    asked = Asked(word, FRONTEND)
    assert not decide(DEFAULT, ADA, asked).allowed
    assert decide(DEFAULT, ADA._replace(is_admin=True), asked).allowed
    assert who_could(DEFAULT, asked) == ("admins",)


KINDS = st.sampled_from([Kind.MEMBER, Kind.GUEST, Kind.STRANGER, Kind.UNKNOWN])
WORDS = st.sampled_from([*Word])


@given(KINDS, WORDS, st.sampled_from([FRONTEND, VAULT, ELSEWHERE, ()]), st.sampled_from(["C1", "C0ONCALL"]))
def test_whom_slack_does_not_know_may_never_do_more(
    kind: Kind, word: str, projects: tuple[str, ...], channel: str
) -> None:
    asked = Asked(word, projects, branch("main") if projects else None, channel)
    for policy in (DEFAULT, POLICY):
        unknown = Person("U0", Kind.UNKNOWN, unread=frozenset({"S0RELEASE"}))
        known = Person("U0", kind)
        assert decide(policy, known, asked).allowed or not decide(policy, unknown, asked).allowed


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            '[[rules]]\nname = "x"\nwords = ["deplyo"]',
            "line 3: rules.1.words.1: there is no word 'deplyo', did you mean 'deploy'?",
        ),
        (
            '[[rules]]\nname = "x"\nwords = ["read"]\n[[rules]]\nwords = ["read"]',
            "line 4: rules.2.name: this rule has no name: write name = ",
        ),
        ('[[rules]]\nname = "x"\nwords = ["read"]\nbranchs = ["m"]', "no key 'branchs' here, did you mean 'branches'?"),
        ('[roles.ops]\n\nuser = ["U1"]', "line 3: roles.ops.user: there is no key 'user' here, did you"),
        ("[roles.ops]\n", "line 1: roles.ops: it names nobody"),
        ('[roles.members]\nusers = ["U1"]', "the role 'members' is built in"),
        (
            '[roles.ops]\nusers = ["U1"]\n[[rules]]\nname = "x"\nroles = ["opps"]\nwords = ["read"]',
            "line 5: rules.1.roles: there is no role 'opps', did you mean 'ops'?",
        ),
        ('[[rules]]\nname = "x"\neffect = "demand"\nwords = ["read"]', "line 3: rules.1.effect: it demands nothing"),
        ('[[rules]]\nname = "x"\neffect = "deny"\nwords = ["deploy"]\ntyped = true', "line 5: rules.1.typed: a rule"),
        (
            '[[rules]]\nname = "x"\nwords = []',
            'line 3: rules.1.words: it is empty: name at least one, as in words = ["',
        ),
        ('[[rules]]\nname = "x"\nwords = "deploy"', "line 3: rules.1.words: write a list"),
        ('[[rules]]\nname = ""\nwords = ["read"]', "line 2: rules.1.name: this rule has no name"),
        ('[[rules]]\nname = "x"\neffect = "forbid"\nwords = ["read"]', "line 3: rules.1.effect: write 'allow'"),
        ('[[rules]]\nname = "x"\nwords = ["deploy"]\ntyped = "maybe"', "line 4: rules.1.typed: write true or false"),
        ('[[rules]]\nname = "x"\nwords = ["deploy"]\ngreen = "yes"', "line 4: rules.1.green: write true or false"),
        (
            '[[rules]]\nname = "x"\nsecond_person = "yes"\nwords = ["deplyo"]',
            "there is no word 'deplyo', did you mean 'deploy'?\nline 3: rules.1.second_person: write true or false",
        ),
        ('[[rules]]\nname = "x"\nwords = ["read"]\nusers = 1\nroles = [1]', 'roles.1: write it in quotes, as "1"'),
        ('[[rules]]\nname = "x"\nwords = ["read"]\nroles = []', "line 4: rules.1.roles: it is empty"),
        (f'[[rules]]\nname = "{"x" * 201}"\nwords = ["read"]', "line 2: rules.1.name: it is too long: at most 200"),
        ('[[rule]]\nname = "x"', "line 1: rule: there is no key 'rule' here, did you mean 'rules'?"),
        ('[rules]\nname = "x"', "line 1: rules: write [[rules]], with two brackets"),
        ('[roles]\nops = ["U1"]', "line 2: roles.ops: write [roles.<name>] before"),
        ('[other]\n[roles.ops]\nusers = ["U1"]', "line 1: other: there is no key 'other' here; there are roles, rules"),
        ("", "it has neither roles nor rules"),
        ("# to be written", "it has neither roles nor rules"),
        *(
            (
                f'[[rules]]\nname = "x"\nwords = ["deploy"]\n{key} = ["{glob}"]',
                f"line 4: rules.1.{key}.1: '{glob}' {wrong}",
            )
            for key, glob, wrong in (
                ("branches", "refs/heads/main", "fits nothing: write it without refs/heads/"),
                ("tags", "!tag:v*", "fits nothing: write it without tag:"),
                ("branches", "main ", "fits nothing: no name begins or ends with a blank"),
                ("branches", "pull/*", "means no branch: write pull_requests"),
                ("branches", "!pull/7/head", "means no branch: write pull_requests"),
                ("branches", "merge-requests/*", "means no branch: write pull_requests"),
                ("branches", "heads/main", "fits nothing: write it without heads/"),
                ("branches", "!ma in", "fits nothing: it holds a space"),
                ("branches", "HEAD", "fits nothing: HEAD and @ mean whatever is newest, and name nothing. Write the"),
                ("branches", "*.lock", "fits nothing: a part of it ends with .lock"),
                ("branches", "release/", "fits nothing: it ends with /. Write 'release/*' for all below it"),
                ("branches", "release/[", "fits nothing: its [ has no ]"),
                ("tags", "v*..?", "fits nothing: it holds .."),
                ("tags", "v[0-9]~1", "fits nothing: it holds ~"),
                ("branches", "main^*", "fits nothing: it holds ^"),
                ("pull_requests", "pull/7", "is no number of a pull request"),
                ("pull_requests", "-", "is no number of a pull request"),
                ("projects", "acme/frontend:main", "fits nothing: write 'acme/frontend', and what is behind the colon"),
                ("projects", "acme/", "fits nothing: write acme/* for all of an organisation"),
                ("projects", "acme/[", "fits nothing: its [ has no ]"),
                ("projects", "https://github.com/acme/web", "fits nothing: write it as acme/frontend"),
            )
        ),
        *(
            (
                f'[[rules]]\nname = "x"\neffect = "deny"\nwords = ["deploy"]\nchannels = ["{name}"]',
                f"line 5: rules.1.channels.1: '{name}' is not Slack's id, which begins with C or G or D",
            )
            for name in ("#deploys", "deploys", "c0deploys", "U0GRACE")
        ),
        ('[roles.ops]\nusers = ["grace"]', "line 2: roles.ops.users.1: 'grace' is not Slack's id"),
        ('[roles.bots]\nagents = ["Release Bot"]', "line 2: roles.bots.agents.1: 'Release Bot' is no name of an agent"),
        ('[roles.bots]\nagents = "release-bot"', 'line 2: roles.bots.agents: write a list, as in agents = ["release-'),
        *(
            (f'[[rules]]\nname = "x"\n{more}\nagents_alone = true', f"line {line}: rules.1.agents_alone: {wrong}")
            for more, line, wrong in (
                (
                    'effect = "deny"\nwords = ["deploy"]',
                    5,
                    "a rule that denies lets nobody act: write agents_alone on one",
                ),
                ('effect = "demand"\nwords = ["deploy"]\ntyped = true', 6, "a rule that only demands lets nobody act"),
                ('words = ["read"]', 4, "agents_alone is no matter of read, only of deploy, rerun and cancel: take"),
                (
                    'words = ["deploy", "approve"]',
                    4,
                    "agents_alone is no matter of approve, only of deploy, rerun and cancel: split the rule, one with",
                ),
            )
        ),
        ('[roles.ops]\ngroups = ["@release-team"]', "line 2: roles.ops.groups.1: '@release-team' is not Slack's id"),
        ("[[rules]\n", "this is not TOML: Expected ']]' at the end of an array declaration (at line 1"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, mistake: str) -> None:
    with pytest.raises(BadPolicy) as bad:
        parse(text)
    assert mistake in str(bad.value)


PIECES = ("*", ""), ("*", "x.y"), ("*", "/"), ("?", "."), ("?", "/"), ("[!v]", "-"), ("[[]", "["), ("[]a]", "a")
LETTERS = [(one, one) for one in ("a", "/", ".", "@", "{", "-", "heads", ".lock", "HEAD", "0123456789" * 4)]


@given(st.lists(st.sampled_from([*PIECES, *LETTERS]), min_size=1, max_size=7))
def test_a_glob_that_a_name_fits_is_never_refused(pieces: list[tuple[str, str]]) -> None:
    glob, name = ("".join(piece) for piece in zip(*pieces, strict=True))
    assert fnmatchcase(name, glob)
    if not git.fault(name):
        assert globs.ref(glob) == glob


def test_who_could_in_another_channel_is_told_with_it() -> None:
    ships = (
        '[roles.ops]\nusers = ["U1"]\n[[rules]]\nname = "x"\nroles = ["ops"]\nwords = ["deploy"]\nprojects = ["acme/*"]'
    )
    policy = parse(f'{ships}\nchannels = ["C0SHIP", "C0OPS"]')
    asked = Asked("deploy", FRONTEND, branch("main"), "C0HERE")
    assert (who_could(policy, asked), who_could_elsewhere(policy, asked)) == ((), ((("ops",), ("C0SHIP", "C0OPS")),))
    assert who_could_elsewhere(policy, asked._replace(channel_id="C0OPS")) == ()
    assert who_could_elsewhere(policy, asked._replace(projects=ELSEWHERE)) == ()
    assert who_could(POLICY, asked._replace(projects=VAULT)) == ()


def test_globs_that_some_name_fits_are_taken() -> None:
    for taken in ("release/[!v]*", "[]x]", "x[[]*]", "v?.lock*", "[a-z]eads/x", "*", "?"):
        assert globs.ref(taken) == taken


READ = '[[rules]]\nname = "all read"\nwords = ["read"]\n'


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ('[[rules]]\nname = "x"\neffect = "deny"\nwords = ["ssh"]', "No rule allows anything: nobody may do anything"),
        ('[[rules]]\nname = "x"\nwords = ["deploy"]', "No rule lets anybody read: help, status"),
        (f'{READ}[[rules]]\nname = "x"\neffect = "deny"\nwords = ["*"]', "“x” keeps everybody from reading"),
        (READ + READ, "2 rules have the name “all read”"),
        (
            f'{READ}[[rules]]\nname = "x"\nwords = ["deploy"]\ntags = ["v*"]\ngreen = true',
            "“x” demands green of tags alone",
        ),
        (
            f'{READ}[[rules]]\nname = "x"\neffect = "demand"\nwords = ["deploy"]\ntyped = true',
            "“x” demands something of deploy, which no rule allows.",
        ),
        (f'{READ}projects = ["!acme"]', "“all read” names acme, which is no alias of the projects file."),
        (f'{READ}projects = ["Web", "acme/*"]', ""),
        (READ, ""),
        ('[roles.ops]\nusers = ["U1"]', ""),
    ],
)
def test_what_is_hardly_meant_is_told(text: str, warned: str) -> None:
    found = warnings(parse(text), ["web"])
    assert len(found) == bool(warned)
    assert "".join(found).startswith(warned)


def test_a_file_without_rules_has_the_default_ones() -> None:
    assert parse('[roles.ops]\nusers = ["U1"]').rules == DEFAULT.rules


def test_a_file_is_checked_before_it_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(FILE)
    bad.write_text(FILE.replace('"members"', '"member"'))
    assert main(["policy", "check", str(good)]) == 0
    told = capsys.readouterr().out
    assert "2 roles, 7 rules." in told
    assert "Nobody deploys a pull request: no rule that allows it names pull_requests." in told
    assert main(["policy", "check", str(bad)]) == 2
    assert "did you mean 'members'?" in capsys.readouterr().err
    assert main(["policy", "check", str(tmp_path / "none.toml")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    bad.write_bytes(b"\xff\xfe")
    assert main(["policy", "check", str(bad)]) == 2
    assert "no text in UTF-8" in capsys.readouterr().err
    assert main(["policy", "check", str(tmp_path)]) == 2
    assert "it cannot be read" in capsys.readouterr().err
    good.write_text('[roles.ops]\nusers = ["U1"]\n[[rules]]\nname = "x"\nwords = ["*"]\npull_requests = ["*"]')
    assert main(["policy", "check", str(good)]) == 0
    assert "is well: 1 role, 1 rule.\nPull requests are deployed by: x." in capsys.readouterr().out
    good.write_text('[[rules]]\nname = "x"\nwords = ["deploy"]\nprojects = ["acme"]')
    assert main(["policy", "check", str(good)]) == 0
    told = capsys.readouterr().out
    assert "can be read, but look below: 0 roles, 1 rule." in told
    assert "Look: No rule lets anybody read" in told
    assert "Look: “x” names acme, which can only mean an alias of the projects file. All of an organisation is" in told
