"""What may be said behind `snooze`: a branch, and until when, or off; or a part of what is red here."""

import pytest

from bot.errors import UsageError
from bot.grammar import split
from bot.settings import ProjectEntry, Projects
from commands.snooze import _fits, parse

PROJECTS = Projects(projects={"web": ProjectEntry(slug="gh/acme/web")})
WEB = "gh/acme/web"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("web main 2h", (WEB, "main", (), "2h")),
        ("acme/web until tomorrow 9:00", (WEB, "", (), "until tomorrow 9:00")),
        ("web on main for 90m please", (WEB, "main", (), "for 90m")),
        ("acme/web:main 2h", (WEB, "main", (), "2h")),
        ("web 2.0 2h", (WEB, "2.0", (), "2h")),
        ('web "2h" 2h', (WEB, "2h", (), "2h")),
        ('web "off" off', (WEB, "off", (), "")),
        ("web main off", (WEB, "main", (), "")),
        ("web off.", (WEB, "", (), "")),
        ("2h", ("", "", (), "2h")),
        ("it for 2h", ("", "", (), "for 2h")),
        ("main until 14:00", ("", "", ("main",), "until 14:00")),
        ("backend main 2h", ("", "", ("backend", "main"), "2h")),
        ("off", ("", "", (), "")),
        ("web main tomorrow", (WEB, "main", (), "until tomorrow 9:00")),
        ("web Tomorrow.", (WEB, "", (), "until tomorrow 9:00")),
        ("web until tomorrow", (WEB, "", (), "until tomorrow 9:00")),
        ("web main until tomorrow 14:00", (WEB, "main", (), "until tomorrow 14:00")),
        ("web main until 14:00 tomorrow", (WEB, "main", (), "until 14:00 tomorrow")),
        ("tomorrow", ("", "", (), "until tomorrow 9:00")),
        ("main tomorrow morning", ("", "", ("main",), "until tomorrow 9:00")),
        ("web main on Mon", (WEB, "main", (), "until mon 9:00")),
        ("web main till friday morning.", (WEB, "main", (), "till friday 9:00")),
        ('web "tomorrow" tomorrow', (WEB, "tomorrow", (), "until tomorrow 9:00")),
    ],
)
def test_a_line_names_a_branch_and_until_when(line: str, expected: tuple[object, ...]) -> None:
    found = parse(split(line), PROJECTS)
    assert (found.project, found.branch, found.named, found.until) == expected


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "Until when"),
        ("web main", "Until when"),
        ("web until today", "At what time"),
        ('web main "tomorrow"', "Until when"),
        ("web main morning", "Until when"),
        ("web 2h tomorrow", "Two ends|one end"),
        ("web main 2h until 14:00", "Two ends"),
        ("web main release 2h", "I take one branch"),
        ("a b c 2h", "I take one branch"),
        ("web #2417 2h", "This is no branch"),
        ("web 2417 2h", "This is no branch"),
        ("web tag:v2.0 2h", "This is no branch"),
        ("web:tag:v2.0 2h", "A tag does not stay red"),
        ("https://app.circleci.com/pipelines/gh/acme/web/2417 2h", "I expected a project"),
        ("web main 2h?", "question|[?]"),
    ],
)
def test_what_is_no_branch_or_no_time_is_said(line: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse(split(line), PROJECTS)


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        ([], True),
        (["main"], True),
        (["Backend"], True),
        (["acme/backend", "main"], True),
        (["main", "backend"], True),
        (["frontend"], False),
        (["backend", "release"], False),
        (["main", "main"], False),
    ],
)
def test_a_part_of_its_name_names_what_is_red(names: list[str], fits: bool) -> None:
    assert _fits(names, "acme/backend", "main") is fits


def test_a_branch_that_is_called_as_its_project_is_named_too() -> None:
    assert _fits(["backend"], "acme/backend", "backend")
