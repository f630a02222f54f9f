"""A secret is found wherever in a message it was typed, and whoever only speaks of secrets is not stopped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import commands
from bot.grammar import LONGEST_TEXT
from bot.masks import declare
from bot.policy import Word
from bot.routing import Router
from bot.slack.secrecy import (
    _GRAMMARS,
    HEROKU_KEY,
    REMOVED,
    SSH_KEY,
    VARIABLE,
    Spoken,
    brings_secret,
    secret_in,
    without_token,
)

ROUTER = commands.register(Router())
SPOKEN = Spoken.of(ROUTER, ("frontend", "shop2"))
GITHUB = "ghp_" + "a1B2" * 9
DECLARED = "declared-value-of-ours"


@pytest.mark.parametrize(
    "text",
    [
        # beside the form that the command has
        "env set acme/frontend DEPLOY_TOKEN hunter2",
        "env set acme/frontend DEPLOY_TOKEN=hunter2",
        "env set acme/frontend DEPLOY_TOKEN = hunter2",
        "env set acme/frontend DEPLOY_TOKEN: hunter2",
        "env acme/frontend DEPLOY_TOKEN=hunter2",
        "env acme/frontend set DEPLOY_TOKEN hunter2",
        "env acme/frontend DEPLOY_TOKEN swordfish",
        "env set hunter2",
        "env set hunter2 acme/frontend DEPLOY_TOKEN",
        "env hunter2",
        "env set acme/frontend hunter2",
        "env set acme/frontend DEPLOY_TOKEN\nhunter2",
        'env set acme/frontend DEPLOY_TOKEN "swordfish with spaces"',
        '"env set acme/frontend DEPLOY_TOKEN hunter2"',
        "“env set acme/frontend DEPLOY_TOKEN swordfish”",
        "ENV SET acme/frontend DEPLOY_TOKEN swordfish",
        "env set frontend DEPLOY_TOKEN swordfish",
        "env remove acme/frontend DEPLOY_TOKEN swordfish",
        "keys add acme/frontend hunter2",
        "keys show acme/frontend hunter2",
        "keys add acme/frontend deploy-key hunter2",
        "ssh-key acme/frontend hunter2",
        "ssh-key add acme/frontend swordfish",
        "heroku-key hunter2",
        "heroku-key swordfish",
        "heroku-key add swordfish",
        # without its project, which the channel may give
        "env set DEPLOY_TOKEN hunter2",
        "env DEPLOY_TOKEN swordfish",
        "env set DEPLOY_TOKEN SWORDFISH",
        "env set DEPLOY_TOKEN=hunter2",
        "keys add hunter2",
        "ssh-key add hunter2",
        # by another word for it, or nearly that word
        "evn set acme/frontend DEPLOY_TOKEN swordfish",
        "nev set acme/frontend DEPLOY_TOKEN swordfish",
        "envs set acme/frontend DEPLOY_TOKEN swordfish",
        "envvar acme/frontend DEPLOY_TOKEN=swordfish",
        "secret set acme/frontend DEPLOY_TOKEN swordfish",
        "secerts set acme/frontend DEPLOY_TOKEN swordfish",
        "varaible set acme/frontend DEPLOY_TOKEN swordfish",
        "herokukey add hunter2",
        "sshkey add acme/frontend hunter2",
        "password swordfish",
        "token of-mine-1234",
        "pasword swordfish",
        # after how the bot is spoken to, politely
        "/ci env set acme/frontend DEPLOY_TOKEN swordfish",
        "@ci env set acme/frontend DEPLOY_TOKEN swordfish",
        "<@U0BOT> env set acme/frontend DEPLOY_TOKEN swordfish",
        "ci please env set acme/frontend DEPLOY_TOKEN swordfish",
        "please env set acme/frontend DEPLOY_TOKEN swordfish",
        "hey can you env set acme/frontend DEPLOY_TOKEN swordfish please",
        # in a sentence, in any order
        "set env acme/frontend DEPLOY_TOKEN swordfish",
        "set acme/frontend DEPLOY_TOKEN swordfish",
        "set the environment variable DEPLOY_TOKEN of acme/frontend to swordfish",
        "please set the env var FOO of acme/frontend to swordfish",
        "add DEPLOY_TOKEN to acme/frontend: swordfish",
        "my password is swordfish",
        "the new token for acme/frontend is swordfish",
        "here comes the pasword swordfish, put it into FOO",
        "use api_key swordfish",
        "deploy acme/frontend main db_pass=Sw0rdf1sh99",
        "lock acme/frontend:main pw: hunter2x9",
        "deploy acme/frontend main npm_auth=hunter2x9",
        "DEPLOY_TOKEN=swordfish",
        "FOO=swordfish",
        "export FOO=swordfish",
        "acme/frontend needs the passphrase swordfish",
        # behind the word of another command
        "help env set acme/frontend DEPLOY_TOKEN swordfish",
        "status env set acme/frontend DEPLOY_TOKEN hunter2",
        "lock acme/frontend:main env set acme/frontend DEPLOY_TOKEN swordfish",
        "lock acme/frontend:main set env acme/frontend DEPLOY_TOKEN swordfish",
        "lock acme/frontend:main the password is hunter2",
        "lock acme/frontend:main password: hunter2",
        "lock acme/frontend:main DEPLOY_TOKEN hunter2",
        "lock acme/frontend:main rotating the token, the new one being x7Gh2kQ9pLm4",
        "show the env var FOO=swordfish",
        "deploy acme/frontend main token=swordfish",
        "deploy acme/frontend main github_token=swordfish",
        "deploy acme/frontend main apiKey=swordfish",
        'deploy acme/frontend main password="sword fish"',
        "deploy acme/frontend main pasword=swordfish",
        "deploy acme/frontend main\nDEPLOY_TOKEN: hunter2",
        "delpoy acme/frontend main token=swordfish",
        # by its shape alone
        f"deploy acme/frontend main image={GITHUB}",
        f"deploy acme/frontend {GITHUB}",
        f"agent remove cia_{'a1B2' * 11}",
        f"what is cia_{'a1B2' * 11} good for",
        f"status {GITHUB}",
        f"what is {GITHUB}",
        f"lock acme/frontend:main {DECLARED}",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
        "deploy acme/frontend main remote=https://ada:swordfish@git.acme.io/x",
    ],
)
def test_a_secret_is_found(text: str) -> None:
    declare([DECLARED])
    assert secret_in(text, SPOKEN) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "env",
        "env acme/frontend",
        "env frontend",
        "env frontned",
        "env shop2",
        "env acme",
        "env set acme/frontend",
        "env set DEPLOY_TOKEN",
        "env list DEPLOY_TOKEN",
        "keys",
        "keys show c9:0b:1c:4f",
        "ssh-key add",
        "env set acme/frontend DEPLOY_TOKEN",
        "env set gh/acme/frontend DEPLOY_TOKEN",
        "env set https://github.com/acme/frontend/tree/main?x=y DEPLOY_TOKEN",
        "env set acme/frontend npm_config_registry",
        "env set acme/frontend GOPATH",
        "env set acme/frontend AWS_S3_BUCKET_2",
        "env set acme/frontend k8s_token",
        "env list acme/frontend DEPLOY_TOKEN",
        "env remove acme/frontend DEPLOY_TOKEN",
        'env remove "acme/frontend" DEPLOY_TOKEN',
        "evn acme/frontend",
        "envs acme/frontend",
        "secrets acme/frontend",
        "secrets",
        "token",
        "keys acme/frontend",
        "key acme/frontend",
        "keys add acme/frontend deploy-key",
        "keys add acme/frontend user-key",
        "keys show acme/frontend c9:0b:1c:4f",
        "keys remove acme/frontend x",
        "keys remove acme/frontend c9:0b:1c:4f.",
        "keys remove acme/frontend SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s",
        "ssh-key add acme/frontend",
        "heroku-key add",
        "help",
        "help secrets",
        "help env",
        "help env set",
        "help me with env vars",
        "what can you do about secrets",
        "why secrets acme/frontend",
        "why keys acme/frontend main",
        "why secrets acme/frontend release/v2.0",
        "deploy acme/frontend main",
        "deploy acme/frontend main environment=production",
        "lock acme/frontend:main until the tests pass",
        "deploy acme/frontend main auth=saml",
        "deploy acme/frontend main env=prod",
        "deploy acme/frontend main env=staging version=2.0.1",
        "deploy acme/frontend main use_token=true",
        "deploy acme/frontend main secret_name=db cache_key=v2-4f5e6d7a",
        "deploy acme/frontend main rotate-secrets=false",
        "deploy acme/frontend main BUILD_NUMBER=20240501 IMAGE=acme/frontend:4f5e6d7a",
        "deploy acme/frontend feature/env-cleanup",
        "deploy acme/frontend feature/env-cleanup env=prod",
        "deploy acme/frontend secret-rotation",
        "deploy acme/frontend token",
        "deploy acme/frontend keys revision=4f5e6d7",
        "delpoy acme/frontend main env=prod",
        "please deploy acme/frontend main env=prod",
        "ship acme/frontend main env=prod",
        "status acme/frontend feature/env-cleanup",
        "status acme/frontend secret-rotation",
        "status acme/frontend keys 1842",
        "shw acme/frontend main",
        "rerun acme/frontend token-refresh failed",
        "approve acme/frontend secrets",
        "lock acme/frontend:main rotating the deploy keys",
        "lock acme/frontend:main rotating the deploy keys until 17:00",
        "lock acme/frontend:main rotating DEPLOY_TOKEN today, see OPS-1234",
        "lock acme/frontend:main the token is expired",
        "lock acme/frontend:main keys: two hours",
        "lock acme/frontend:main env set up takes an hour",
        "lock acme/frontend:env-cleanup secrets are moved on 2024-05-01 by <@U0ADA>",
        "lock acme/frontend:main new ed25519 keys, see https://acme.io/runbook/123abc",
        "logs acme/frontend 1842 “Fetch secrets”",
        "artifacts acme/cli main secret-scan report.json",
        "artifacts acme/cli main env",
        "projects secret",
        "flaky acme/backend main last=50 over=1",
        "audit acme/frontend 7d @ada",
        "stop it in the end please",
        "sing me a song",
        f"status https://circleci.com/api/v1.1/project/gh/acme/cli/7/artifacts?{REMOVED}",
    ],
)
def test_who_only_speaks_of_secrets_is_not_stopped(text: str) -> None:
    assert secret_in(text, SPOKEN) is None


@pytest.mark.parametrize(
    ("text", "say"),
    [
        ("env set acme/frontend DEPLOY_TOKEN hunter2", "env set acme/frontend DEPLOY_TOKEN"),
        ("env acme/frontend DEPLOY_TOKEN=hunter2", "env set acme/frontend DEPLOY_TOKEN"),
        ("env set acme/frontend hunter2", VARIABLE),
        ("env set hunter2 DEPLOY_TOKEN", VARIABLE),
        ("set the heroku-key to hunter2", HEROKU_KEY),
        ("ssh-key add acme/frontend hunter2", SSH_KEY),
        ("keys add acme/frontend hunter2", SSH_KEY),
        ("heroku-key hunter2", HEROKU_KEY),
        ("deploy acme/frontend main token=hunter2", VARIABLE),
    ],
)
def test_what_to_say_instead_holds_no_value(text: str, say: str) -> None:
    found = secret_in(text, SPOKEN)
    assert found is not None
    assert found.say == say


def test_every_command_that_takes_secrets_has_a_grammar_here() -> None:
    takes = {name for name, one in ROUTER.commands.items() if one.permission in (Word.SECRETS, Word.KEYS)}
    assert takes == set(_GRAMMARS)


def test_what_the_help_shows_is_not_stopped() -> None:
    for command in ROUTER.commands.values():
        name, own = command.name, (command.help.example, *command.help.phrases)
        for line in (*own, f"help {name}", f"{name} --help", f"{name} —help", f"{name} help", f"{own[0]} --help"):
            assert secret_in(line, SPOKEN) is None, line


@pytest.mark.parametrize(
    "text", ["env set acme/frontend DEPLOY_TOKEN swordfish --help", "heroku-key hunter2 --help", "env hunter2 help"]
)
def test_who_asks_for_help_behind_a_secret_has_brought_it_all_the_same(text: str) -> None:
    assert secret_in(text, SPOKEN) is not None


names = st.from_regex(r"[a-z][a-z0-9]{1,9}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
projects = st.builds("{}/{}".format, names, names) | st.just("frontend")
branches = (
    names | st.builds("{}/{}".format, names, names) | st.builds("tag:v{}.{}".format, st.integers(0), st.integers(0))
)
variables = st.from_regex(r"[A-Z]{2,9}(_[A-Z]{1,9}){0,3}", fullmatch=True)
of_secrets = st.one_of(
    st.builds("env {}".format, projects),
    st.builds("env list {} {}".format, projects, variables),
    st.builds("env set {} {}".format, projects, variables),
    st.builds("env remove {} {}".format, projects, variables),
    st.builds("ssh-key add {}".format, projects),
    st.just("heroku-key add"),
    st.builds("keys {}".format, projects),
    st.builds("keys add {} deploy-key".format, projects),
)
numbers = st.builds("#{}".format, st.integers(1, 10**6)) | st.builds(str, st.integers(1, 10**6))
targets = st.builds("{} {}".format, projects, branches | numbers)
WORDS = ["the", "deploy", "keys", "are", "rotated", "by", "env", "cleanup", "of", "our", "token", "and", "secrets"]
words = st.sampled_from(WORDS)
of_others = st.one_of(
    st.builds("{} {}".format, st.sampled_from(["deploy", "status", "rerun", "cancel", "approve", "watch"]), targets),
    st.builds("deploy {} {} {}={}".format, projects, branches, st.sampled_from(["env", "region", "tag"]), names),
    st.builds("lock {} {}".format, projects, st.lists(words, max_size=8).map(" ".join)),
    st.builds("{} {}".format, st.sampled_from(["flaky", "why-red", "why secrets", "audit", "webhook"]), projects),
)
values = st.text("abcdefGHIJKLM0123456789_-+=!", min_size=8, max_size=40).filter(
    lambda value: all(any(kind(one) for one in value) for kind in (str.islower, str.isupper, str.isdigit))
)


@given(of_secrets | of_others)
def test_an_honest_line_passes(line: str) -> None:
    assert secret_in(line, SPOKEN) is None


@given(of_secrets, values, st.integers(0, 4))
def test_a_value_anywhere_in_a_line_for_secrets_is_found_and_not_said_again(line: str, value: str, place: int) -> None:
    said = line.split()
    said.insert(place, value)
    found = secret_in(" ".join(said), SPOKEN)
    assert found is not None
    assert value not in found.say


@given(variables, values, st.sampled_from(["{} {}", "{}={}", "{}: {}", "{} is {}", "{}\n{}", "{} = {}"]))
def test_a_value_beside_the_name_of_a_secret_is_found_behind_any_word(name: str, value: str, how: str) -> None:
    given = how.format(f"{name}_TOKEN", value)
    for verb in ("deploy acme/frontend main", "lock acme/frontend:main", "status", "set", "", "please do"):
        assert secret_in(f"{verb} {given}", SPOKEN) is not None


def test_of_a_text_that_is_too_long_the_beginning_counts() -> None:
    assert secret_in("env set acme/frontend DEPLOY_TOKEN " + "x" * 2 * LONGEST_TEXT, SPOKEN) is not None


def test_a_link_is_left_without_its_token_and_passes() -> None:
    said = without_token("status https://circleci.com/gh/acme/cli/7?a=b&circle-token=hunter2&c=d")
    assert said == f"status https://circleci.com/gh/acme/cli/7?a=b&{REMOVED}&c=d"
    assert secret_in(said, SPOKEN) is None


@pytest.mark.parametrize(
    "reason",
    [
        f"use {GITHUB} <!channel>",
        "not on friday, password=hunter2hunter2",
        "token=s3cretvalue12345",
        "the password is hunter2",
        f"ken says {DECLARED}",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
    ],
)
def test_no_reason_for_others_brings_a_secret(reason: str) -> None:
    declare([DECLARED])
    assert brings_secret(reason)


@pytest.mark.parametrize(
    "reason",
    ["The freeze lasts until Monday", "Not before the token is rotated.", "secrets are missing: ask ken", "no", ""],
)
def test_a_reason_may_speak_of_secrets(reason: str) -> None:
    assert not brings_secret(reason)


def test_each_field_of_a_window_is_a_secret_or_shared_or_compared_alone() -> None:
    """A field that is new here is to be told which: what others read may hold no secret."""
    shared = {(form.button.action_id, name) for form in ROUTER.forms.values() for name in form.shared}
    assert shared == {("decline_deploy", "reason")}
    assert set(ROUTER.forms) - {one for one, _ in shared} == {
        "snooze",  # one of a few lengths
        "agent_form",
        "variable_form",
        "ssh_key_form",
        "heroku_form",
        "type_target",
    }
