"""Who is shown which words, and how one asks about one of them."""

from types import SimpleNamespace
from typing import cast

import pytest

from bot.answers.ourselves import CommandPage, HelpHere, Overview
from bot.errors import UsageError
from bot.grammar import split
from bot.models.caller import Caller
from bot.models.events import Event, Mode
from bot.models.help import PROJECTS, CommandHelp
from bot.policy import DEFAULT, Kind, Policy, Word, parse
from bot.routing import Context, Router
from bot.settings import CLOUD, ProjectEntry, Projects, Settings
from commands import help, register  # noqa: A004
from formatters.help import overview, page
from formatters.limits import violations
from tests.test_permissions import FarSide, Workspace, permissions

ROUTER = register(Router())
ADA = Caller(person_id="U0ADA", delivery_id="d")
NOBODY = Kind.STRANGER
POLICY = """
[[rules]]
name = "everybody may read"
words = ["read"]

[[rules]]
name = "ada keeps the secrets"
roles = ["ada"]
words = ["secrets"]
projects = ["acme/frontend"]

[[rules]]
name = "nobody reruns"
effect = "deny"
words = ["rerun"]

[roles.ada]
users = ["U0ADA"]
"""
LOOKS = {name for name, one in ROUTER.commands.items() if one.permission == Word.READ} - {"again"}
SHIPS = {name for name, one in ROUTER.commands.items() if one.permission in ("deploy", "rerun", "cancel", "approve")}


def somebody(kind: Kind, policy: Policy = DEFAULT, *, admin: bool = False, server: bool = False) -> Context:
    """Return all that help is given outside of a channel; CircleCI would not answer."""
    admins, url = ((ADA.person_id,) if admin else ()), "https://circleci.acme.example" if server else CLOUD
    context = SimpleNamespace(
        router=ROUTER,
        projects=Projects(),
        settings=Settings.model_construct(admins=admins, circleci_url=url),
        permissions=permissions(policy, Workspace(kind, {}), FarSide(error=OSError()), admins=admins),
    )
    return cast("Context", context)


async def helped(typed: str, context: Context) -> HelpHere | Overview | CommandPage:
    command, rest = ROUTER.find(split(typed))
    assert command.name == "help"
    return await help.show_help(command.parse(rest, Projects()), ADA, context)


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (somebody(Kind.GUEST), LOOKS),
        (somebody(NOBODY, server=True), LOOKS),
        (somebody(Kind.MEMBER), LOOKS | SHIPS | {"again"} - {"cache"}),
        (somebody(Kind.MEMBER, server=True), LOOKS | SHIPS | {"again"}),
        (somebody(Kind.MEMBER, admin=True), {*ROUTER.commands} - {"cache", "heroku-key"}),
        (somebody(Kind.GUEST, admin=True, server=True), {*ROUTER.commands}),
        (somebody(Kind.MEMBER, parse(POLICY)), LOOKS | {"env"}),
        (somebody(Kind.MEMBER, parse('[[rules]]\nname = "all"\nwords = ["*"]'), server=True), {*ROUTER.commands}),
    ],
)
async def test_the_full_help_has_what_somebody_may_and_what_there_is(context: Context, words: set[str]) -> None:
    found = await helped("help all", context)
    assert isinstance(found, Overview)
    assert {one.name for one in found.commands} == words - ({"cache"} if context.settings.is_cloud else set())
    assert found.is_cut is not (words >= {*ROUTER.commands} - {"cache", "heroku-key"})
    shown = overview(found)
    assert violations(shown) == []
    assert "Not all of it fits" not in str(shown.blocks)


@pytest.mark.parametrize("name", ROUTER.commands)
async def test_every_word_has_a_page_of_its_own(name: str) -> None:
    asked = [f"{name} --help", f"{name} —help", f"{name} main --help", *([f"help {name}"] if name != "me" else [])]
    for typed in [*asked, *([f"{name} help"] if name != "may" else [])]:
        found = await helped(typed, somebody(Kind.GUEST))
        assert isinstance(found, CommandPage)
        assert found.command.name == name
        assert violations(page(found)) == []


@pytest.mark.parametrize(
    ("typed", "about"),
    [
        ("ship --help", "deploy"),
        ("stop help", "cancel"),
        ("secrets --help", "env"),
        ("why red --help", "why-red"),
        ("help why red", "may"),
        ("help deploy acme/frontend main", "deploy"),
        ("help me deploy", "deploy"),
        ("Deploy HELP!", "deploy"),
        ("help", None),
        ("", None),
        ("help me", None),
        ("what can you do", None),
        ("help me out of this", None),
    ],
)
async def test_a_word_is_asked_about_in_many_ways(typed: str, about: str | None) -> None:
    found = await helped(typed, somebody(Kind.MEMBER))
    assert (found.command.name if isinstance(found, CommandPage) else None) == about
    assert about or isinstance(found, HelpHere)


@pytest.mark.parametrize("typed", ["deploy acme/frontend help", 'deploy "help"', 'deploy web "--help"', "may help"])
def test_what_is_called_help_is_meant_behind_its_project_and_in_quotes(typed: str) -> None:
    assert ROUTER.find(split(typed))[0].name != "help"


async def test_a_word_that_is_none_is_said_to_be() -> None:
    with pytest.raises(UsageError, match="I do not know this word"):
        await helped("help dance", somebody(Kind.MEMBER))


@pytest.mark.parametrize(
    ("typed", "context", "words"),
    [
        ("help deploy", somebody(Kind.MEMBER), "You may. Who could: members, "),
        ("help deploy", somebody(Kind.GUEST), "You may not: guests may only read. Who could: members, "),
        ("help audit", somebody(Kind.MEMBER), "You may not: it is for the people in ADMINS, which is not set."),
        ("help again", somebody(Kind.GUEST), "You may not: guests may only read."),
        ("help rerun", somebody(Kind.MEMBER, parse(POLICY)), "You may not: nobody reruns. Nobody could."),
        ("help cache", somebody(Kind.MEMBER), "CircleCI Cloud has nothing of the kind any more"),
    ],
)
async def test_a_page_says_who_may(typed: str, context: Context, words: str) -> None:
    found = await helped(typed, context)
    assert isinstance(found, CommandPage)
    assert words in str(page(found).blocks)


async def test_a_page_says_what_is_demanded() -> None:
    demanding = parse('[[rules]]\nname = "two"\nwords = ["deploy"]\nbranches = ["main"]\nsecond_person = true')
    found = await helped("help deploy", somebody(Kind.MEMBER, demanding))
    assert isinstance(found, CommandPage)
    assert "You may, on some branches only after somebody else who may do it agrees." in str(page(found).blocks)


LONG = "x/" + "y" * 58
ABOUT = CommandHelp(name="x", group="g", summary="S.", usage="x", example="x acme/cli release/v2.0 a", phrases=("x",))


@pytest.mark.parametrize("name", ROUTER.commands)
def test_examples_about_ones_own_project_can_be_typed(name: str) -> None:
    one = ROUTER.commands[name].help.about("web", "fix/cart")
    projects = Projects(projects={"web": ProjectEntry(slug="gh/acme/web")})
    for line in (one.example, *one.phrases):
        command, rest = ROUTER.find(split(line))
        if line != "may":
            command.parse(rest, projects)
        assert not any(example in line for example in PROJECTS)


def test_examples_are_filled_word_by_word() -> None:
    assert ABOUT.about("web", "fix").example == "x web fix a"
    assert ABOUT.about("web").example == "x web release/v2.0 a"


def test_the_full_help_fits_with_names_as_long_as_they_may_be() -> None:
    filled = tuple(one.help.about(LONG, "b" * help.LONGEST_BRANCH) for one in ROUTER.commands.values())
    shown = overview(Overview(commands=filled, is_cut=True), "/a-rather-long-slash-command")
    assert violations(shown) == []
    assert "Not all of it fits" not in str(shown.blocks)
    assert all(one.summary in str(shown.blocks) for one in filled)


@pytest.mark.parametrize(
    "word", [*(one for one in Event if not ROUTER.named(one)), *Mode, "workflow", "quotes", "tag:v*"]
)
async def test_a_word_of_a_subscription_is_explained_where_it_is_asked_about(word: str) -> None:
    found = await helped(f"help {word}", somebody(Kind.MEMBER))
    assert isinstance(found, CommandPage)
    assert found.command.name == "subscribe"
    shown = page(found)
    assert violations(shown) == []
    (explained,) = [block for block in shown.blocks if word in str(block) and "was red, and now" in str(block)]
    assert f"`{word}" in str(explained) or f", {word}" in str(explained)
