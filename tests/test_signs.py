"""The sign of a command says what was read, as it was typed, and nothing that must not be repeated. Pure."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.models.circleci import ProjectSlug
from bot.routing import Router
from bot.settings import ProjectEntry, Projects
from bot.slack.understood import line_of, takes_the_default_token
from commands import register
from formatters import signs
from formatters.blocks import Message
from formatters.limits import violations

ROUTER = register(Router())

PROJECTS = Projects(projects={"shop": ProjectEntry(slug=ProjectSlug("gh/acme/frontend"))})


@pytest.mark.parametrize(
    ("typed", "default"),
    [
        ("deploy acme/frontend main", True),
        ("deploy other/app main", False),
        ("status https://app.circleci.com/pipelines/github/Other/app/12", False),
        ("deploy acme/vault main", False),  # a project's own token
        ("status acme/vault-two", True),
        ("status", False),  # of the build of the thread, which may be of either
    ],
)
def test_the_wait_of_the_default_token_is_said_of_no_command_that_takes_another(typed: str, default: bool) -> None:
    tokens = {"gh/other": SecretStr("one"), "gh/acme/vault": SecretStr("two")}
    assert takes_the_default_token(typed, ROUTER, PROJECTS.model_copy(update={"tokens": tokens})) is default
    assert takes_the_default_token(typed, ROUTER, PROJECTS)


def sign_of(typed: str) -> Message | None:
    line = line_of(typed, ROUTER, PROJECTS)
    return signs.understood(line) if line else None


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("deploy acme/frontend release/v2.0", "deploy acme/frontend release/v2.0"),
        ("/ci  DEPLOY   shop tag:v2.0", "deploy shop tag:v2.0"),
        ('deploy shop "my branch" env=prod count=3', 'deploy shop "my branch" env=… count=…'),
        ("state acme/frontend", "status acme/frontend"),
        ("status?", "status"),
        ("approve acme/frontend #2417", "approve acme/frontend #2417"),
        ("lock shop main <!channel> *now*", "lock shop main &lt;!channel&gt; *now*"),
        ("lock shop main @here", "lock shop main @\u2060here"),
        # Of what goes with secrets the word alone.
        ("env list acme/frontend", "env"),
        ("keys acme/frontend", "keys"),
        ("ssh-key add acme/frontend", "ssh-key"),
        # A credential that came so far all the same.
        ("status https://x:ghp_0123456789abcdefghijABCDEFGHIJ012345@github.com/acme/frontend", None),
    ],
)
def test_a_sign_says_what_was_read(typed: str, read: str | None) -> None:
    sign = sign_of(typed)
    if read is None:
        assert sign is None or "ghp_" not in str(sign)
        return
    assert sign is not None
    assert sign.blocks[0]["elements"][0]["text"] == f"👀 Understood: `{read}`. My answer follows."
    assert violations(sign) == []


@pytest.mark.parametrize(
    "typed",
    [
        *("", "help", "help deploy", "hello", "deploy --help", "heroku-key add"),  # answered at once
        *(
            "deply acme/frontend main",
            "ship acme/frontend",
            "deploy",
            "status a b c d",
            "nonsense",
        ),  # answered with how
        *("deploy acme/frontend " + "x" * 501, "deploy acme/frontend " + "x " * 9000, "watch #0"),
    ],
)
def test_what_is_answered_at_once_needs_no_sign(typed: str) -> None:
    assert sign_of(typed) is None


@pytest.mark.parametrize("command", ROUTER.commands.values(), ids=lambda one: one.name)
def test_every_other_command_has_one(command: object) -> None:
    example = command.help.example  # type: ignore[attr-defined]  # a command's
    assert (sign_of(example) is None) is command.at_once  # type: ignore[attr-defined]


@pytest.mark.parametrize("word", ["x" * 400, "👩‍👩‍👧‍👦" * 40, "&" * 400])
def test_a_sign_is_bounded(word: str) -> None:
    sign = sign_of(f'lock shop main "{word}"')
    assert sign is not None
    assert violations(sign) == []
    assert len(sign.text) < signs.LONGEST + 60


def test_a_wait_that_is_known_is_said() -> None:
    assert "in about" not in signs.understood("status", timedelta(seconds=1)).text
    told = signs.understood("status", timedelta(seconds=39.2)).text
    assert told == "👀 Understood: status. My answer follows. I may ask CircleCI again in about 40 s."
