"""A pipeline definition is named behind the branch, by its name or its id, and is never mistaken for anything else."""

import pytest

from bot.errors import UsageError
from bot.grammar import split
from bot.models import spelling
from bot.models.circleci import Definition, Ref, told_apart
from bot.settings import Projects
from commands.deploy import Deploy, named_so, parse

SLUG = "circleci/5e0c5f62/9f1c2d7a"
KNOWN = [Definition(id=one, name=name) for one, name in (("1", "build"), ("2", "Build"), ("3", "nightly"), ("4", "1"))]


def read(rest: str) -> Deploy:
    return parse(split(f"{SLUG} {rest}"), Projects())


@pytest.mark.parametrize(
    ("typed", "branch", "definition"),
    [
        ("main definition:nightly", "main", "nightly"),
        ("main env=prod Definition:nightly", "main", "nightly"),
        ("definition:nightly main", "main", "nightly"),
        ("definition:nightly", "", "nightly"),
        ('main "definition:nightly build"', "main", "nightly build"),
        ("main", "main", ""),
        ("definition", "definition", ""),
    ],
)
def test_it_is_read_wherever_it_stands(typed: str, branch: str, definition: str) -> None:
    found = read(typed)
    assert (found.branch, found.definition) == (branch, definition)


@pytest.mark.parametrize("typed", ["main definition:", "main definition:a definition:b", 'main definition:"a b"'])
def test_what_cannot_be_one_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        read(typed)


@pytest.mark.parametrize("name", ["nightly", "nightly build", "it's", "a=b", "ends.", "why?"])
def test_a_button_repeats_it_word_for_word(name: str) -> None:
    line = spelling.deploy(SLUG, Ref(name="main"), {"env": "prod"}, name)
    again = parse(split(line)[1:], Projects())
    assert (again.branch, again.definition, again.parameters) == ("main", name, {"env": "prod"})


@pytest.mark.parametrize(
    ("name", "ids"), [("nightly", "3"), ("NIGHTLY", "3"), ("Build", "2"), ("BUILD", "12"), ("1", "1"), ("weekly", "")]
)
def test_an_id_goes_before_a_name_and_its_case_counts_only_between_two(name: str, ids: str) -> None:
    assert "".join(one.id for one in named_so(name, KNOWN)) == ids


LONG = "the same long name of a configuration that nobody can read to its end, "


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (("build", "nightly", ""), ("build", "nightly", "3")),
        (("build", "build", "nightly"), ("build (1)", "build (2)", "nightly")),
        (("Build", "build ", "ｂｕｉｌｄ"), ("Build (1)", "build  (2)", "ｂｕｉｌｄ (3)")),
        ((f"{LONG}a", f"{LONG}b"), ("the same long name of a confi… (1)", "the same long name of a confi… (2)")),
    ],
)
def test_of_two_that_read_the_same_each_is_called_by_its_id_too(
    names: tuple[str, ...], called: tuple[str, ...]
) -> None:
    known = [Definition(id=str(at), name=name) for at, name in enumerate(names, 1)]
    assert tuple(told_apart(known).values()) == called
