"""Which lines are sentences: no command, and no slip in one, is read as anything else."""

import pytest

from bot.grammar import split
from bot.routing import Router
from bot.settings import ProjectEntry, Projects
from bot.slack.sentences import is_sentence
from bot.slack.understood import line_of
from commands import register

ROUTER = register(Router())
PROJECTS = Projects(projects={"web": ProjectEntry(slug="gh/acme/frontend")})


@pytest.mark.parametrize(
    "said",
    [
        "why did main break?",
        "rerun the last build",
        "what's running?",
        "what is running",
        "who broke it",
        "ist main grün?",
        "¿está verde main?",
        "show me the log",
        "retry",
        "ship it",
        "list the projects",
        "@ci who broke it",
        "can you deploy acme/frontend main?",
        "status of web please",
        "locks? who has them",
        "why broken?",
        "why failing acme/frontend main",
        "why so broken",
    ],
)
def test_a_sentence_is_one(said: str) -> None:
    assert is_sentence(split(said), ROUTER, PROJECTS)
    assert line_of(said, ROUTER, PROJECTS) == ""  # nothing is said to be understood before it is


@pytest.mark.parametrize(
    "said",
    [
        "",
        "status",
        "status acme/frontend main",
        "status web nonsense more",
        "deploy acme/frontend main to production",
        "deploy web main env=prod",
        "ship acme/frontend main",
        "retry #2417",
        "history",
        "rerun help",
        "deploy --help",
        "artifacts get acme/cli",
        "audit yesterday",
        "rerun all failed",
        # What is wrong behind what a command is to do is said.
        "agent add my laptop",
        "agent add L4!",
        "agent add lap 30 days",
        "agent remove my laptop",
        "help me with deploys",
        "why deploy",
        "why deplyo",
        "why secrets acme/frontend",
        # What takes a secret is read as nothing else.
        "env whatever it is hunter2",
        "secrets of acme/frontend are what",
        "keys for the project please",
        # Who quotes or exclaims says something else.
        ">deploy acme/frontend main",
        "!deploy acme/frontend main",
        "-deploy acme/frontend main",
    ],
)
def test_a_command_and_what_is_like_one_is_none(said: str) -> None:
    assert not is_sentence(split(said), ROUTER, PROJECTS)


def test_what_is_carried_out_for_a_sentence_changes_nothing() -> None:
    runs = {name for name, command in ROUTER.commands.items() if command.only_answers}
    assert runs.isdisjoint(("deploy", "rerun", "lock", "unlock", "unwatch"))
    assert {"approve", "cancel", "status", "why-red", "env", "audit", "doctor"} <= runs
