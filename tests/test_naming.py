"""What may be meant by a line in a thread that follows several builds, and where several projects have one name."""

import json

import pytest

from bot import naming
from bot.answers.lines import How, LineMeant, LinesMeant
from bot.grammar import split
from bot.models.circleci import ProjectSlug, Ref
from formatters.meant import lines
from tests.lines.reading import BUILT, FRONTEND, PROJECTS

BACKEND = naming.Project(ProjectSlug("gh/acme/backend"), "acme/backend")
OTHER = naming.Seen(*BACKEND, Ref(name="fix"), 1840)
AGAIN = BUILT._replace(number=2419)


def read(line: str, *thread: naming.Seen) -> list[str]:
    """Return the lines that may be meant."""
    verb, *words = split(line)
    known = naming.Known(projects=(FRONTEND, BACKEND), thread=thread)
    found = naming.read(verb.text, words, PROJECTS, known)
    return [" ".join([verb.text, *(word.text for word in one.words)]) for one in found]


@pytest.mark.parametrize(
    ("line", "thread", "meant"),
    [
        ("deploy", (BUILT, AGAIN), ["deploy gh/acme/frontend #2417", "deploy gh/acme/frontend #2419"]),
        ("deploy main", (BUILT, AGAIN), ["deploy gh/acme/frontend main"]),
        ("deploy main", (BUILT, OTHER), ["deploy gh/acme/frontend main", "deploy gh/acme/backend main"]),
        ("unlock", (BUILT, OTHER), ["unlock gh/acme/frontend:release/v2.0", "unlock gh/acme/backend:fix"]),
        ("rerun", (BUILT, OTHER), []),
        ("status backend", (BUILT,), ["status gh/acme/backend"]),
    ],
)
def test_of_several_builds_in_a_thread_each_may_be_meant(
    line: str, thread: tuple[naming.Seen, ...], meant: list[str]
) -> None:
    assert read(line, *thread) == meant


def test_each_line_of_an_act_has_a_dialog_that_names_all_of_it_and_a_long_one_is_to_be_typed() -> None:
    meant = [
        LineMeant(line=f"deploy gh/acme/{name} main", title=f"acme/{name}", ref=Ref(name="main"), how=How.SHORT)
        for name in ("api", "web", "x" * 250)
    ]
    message = lines(LinesMeant(lines=tuple(meant), typed="api"))
    (block,) = [one for one in message.blocks if one["type"] == "actions"]
    assert [one["text"]["text"] for one in block["elements"]] == ["Deploy acme/api main", "Deploy acme/web main"]
    for one in block["elements"]:
        dialog = one["confirm"]["text"]["text"]
        assert json.loads(one["value"])["text"] in dialog
        assert "branch main" in dialog
    assert f"`/ci deploy gh/acme/{'x' * 250} main`" in message.blocks[0]["text"]["text"]


@pytest.mark.parametrize(
    ("line", "more", "said"),
    [
        ("lock gh/acme/api", (), "Project acme/api, all of it"),
        ("unlock gh/acme/api", (), "Project acme/api, all of it"),
        ("lock gh/acme/api fix", ("fix",), "Project acme/api, all of it, or the branch that the line names"),
    ],
)
def test_who_locks_a_whole_project_reads_that_in_the_dialog(line: str, more: tuple[str, ...], said: str) -> None:
    meant = LineMeant(line=line, title="acme/api", more=more, how=How.CHANNEL)
    (block,) = [one for one in lines(LinesMeant(lines=(meant,))).blocks if one["type"] == "actions"]
    assert f"{said}." in block["elements"][0]["confirm"]["text"]["text"]


def test_what_only_looks_has_no_dialog() -> None:
    meant = tuple(LineMeant(line=f"status gh/{title} #7", title=title, number=7) for title in ("acme/api", "other/api"))
    message = lines(LinesMeant(lines=meant, typed="#7", acts=False))
    (block,) = [one for one in message.blocks if one["type"] == "actions"]
    assert not any("confirm" in one for one in block["elements"])
    assert message.text == "2 projects may be meant by `#7`: which one?"


@pytest.mark.parametrize(
    ("name", "is_near"),
    [
        ("feature/new", False),
        ("relase/v2.0", False),
        ("acme/new-repo", True),  # of an organisation that is known
        ("gh/ACME/frontend2", True),
        ("acem/frontend", True),  # a slip
        ("gh/feature/new", False),
    ],
)
def test_what_is_near_a_project_is_taken_for_no_branch(name: str, is_near: bool) -> None:
    known = naming.Known(projects=(FRONTEND, BACKEND))
    assert naming.is_near_a_project(name, known, PROJECTS) is is_near


@pytest.mark.parametrize(
    ("line", "ref", "numbers", "left"),
    [
        ("#2417", "main", ("#2417",), ""),
        ("all", "all", (), ""),
        ("main all", "main", (), "all"),
        ("all", "main", ("#2417",), "all"),
        ("tag:v2.0 env=prod", "", ("#0",), "tag:v2.0 env=prod"),
        ("1842 env=prod", "", ("1842",), "env=prod"),
    ],
)
def test_what_is_named_already_is_not_named_again(line: str, ref: str, numbers: tuple[str, ...], left: str) -> None:
    words = naming.beside(split(line), Ref(name=ref) if ref else None, *numbers)
    assert " ".join(word.text for word in words) == left
