"""What is to be locked, as it is typed."""

import json
from collections.abc import Callable, Sequence

import pytest

from bot.answers.locks import WhichLock
from bot.errors import UsageError
from bot.grammar import Word, split
from bot.models.circleci import ProjectSlug, Ref
from bot.models.spelling import sentence
from bot.settings import Projects
from commands.locks import OfLock, parse, parse_unlock
from formatters.which_lock import which

SLUG = "gh/acme/frontend"


@pytest.mark.parametrize(
    ("text", "branch", "tag", "or_branch"),
    [
        ("acme/frontend:main migration", "main", "", ""),
        ("acme/frontend main", "", "", "main"),
        ("acme/frontend tag:v2.0", "", "v2.0", ""),
        ("acme/frontend on tag:v2.0", "", "", "tag:v2.0"),
        ('acme/frontend "try/slow again"', "", "", ""),
        ("acme/frontend until 17:00", "", "", ""),
        ("acme/frontend until 17:00 main", "", "", "main"),
        ("acme/frontend main 2h migration", "", "", "main"),
        ("acme/frontend 17:00", "", "", ""),
        ("acme/frontend main: migration", "", "", "main"),
        ("acme/frontend main, because", "", "", "main"),
        ("acme/frontend main? Who knows", "", "", "main"),
        ("acme/frontend:tag:v2.0 main", "", "v2.0", ""),
        ("https://github.com/acme/frontend/tree/main mine", "main", "", ""),
    ],
)
def test_a_reason_that_may_begin_with_a_branch_is_marked(text: str, branch: str, tag: str, or_branch: str) -> None:
    request = parse(split(text), Projects())
    assert (request.project, request.branch, request.tag, request.or_branch) == (SLUG, branch, tag, or_branch)


@pytest.mark.parametrize(
    "text", ["acme/frontend tomorrow", "acme/frontend:main on friday", "acme/frontend main thursday 9:00"]
)
def test_nothing_is_locked_now_for_who_names_nothing_but_a_day(text: str) -> None:
    with pytest.raises(UsageError, match="It begins at once and has one end, and this tells of another time"):
        parse(split(text), Projects())


@pytest.mark.parametrize(
    ("text", "branch", "tag"),
    [
        ("acme/frontend", "", ""),
        ("acme/frontend main", "main", ""),
        ("acme/frontend:main", "main", ""),
        ("acme/frontend tag:v2.0", "", "v2.0"),
    ],
)
def test_a_branch_is_unlocked_however_it_stands_behind_its_project(text: str, branch: str, tag: str) -> None:
    request = parse_unlock(split(text), Projects())
    assert (request.project, request.branch, request.tag, request.reason) == (SLUG, branch, tag, "")


@pytest.mark.parametrize("text", ["acme/frontend main now", "acme/frontend:main now"])
def test_unlocking_takes_no_reason(text: str) -> None:
    with pytest.raises(UsageError, match="nothing after this"):
        parse_unlock(split(text), Projects())


@pytest.mark.parametrize("parsed", [parse, parse_unlock])
def test_a_link_to_one_build_is_no_project(parsed: Callable[[Sequence[Word], Projects], OfLock]) -> None:
    with pytest.raises(UsageError, match="This leads to one build"):
        parsed(split("https://app.circleci.com/pipelines/github/acme/frontend/2417"), Projects())


def test_the_buttons_of_the_question_can_be_pressed_whatever_the_reason_ends_with() -> None:
    asked = WhichLock(
        project_slug=ProjectSlug(SLUG), project_title="acme/frontend", ref=Ref(name="main"), reason="shall we?",
        words="main shall we?",
    )  # fmt: skip
    (row,) = [block for block in which(asked).blocks if block["type"] == "actions"]
    lines = [json.loads(one["value"])["text"] for one in row["elements"]]
    pressed = [parse(split(line)[1:], Projects()) for line in lines]
    assert [(one.branch, one.reason, one.or_branch) for one in pressed] == [
        ("main", "shall we?", ""),
        ("", "main shall we?", ""),
    ]


@pytest.mark.parametrize("reason", ["two hours", "x -2h", "sold by 23:00", "late an hour.", "a few hours off", "2h30"])
def test_what_was_quoted_and_tells_a_time_is_no_end_when_it_is_pressed(reason: str) -> None:
    (request,) = [parse(split(f"acme/frontend:main {sentence(reason)}"), Projects())]
    assert (request.until, request.reason) == ("", reason)


def test_the_buttons_of_the_question_keep_the_end_and_read_none_into_the_reason() -> None:
    request = parse(split('acme/frontend on main for 90m "hold until friday" "slow 2h"'), Projects())
    asked = WhichLock(
        project_slug=ProjectSlug(SLUG),
        project_title="acme/frontend",
        ref=Ref(name="main"),
        reason=request.or_reason,
        words=request.reason,
        until=request.until,
    )
    (row,) = [block for block in which(asked).blocks if block["type"] == "actions"]
    lines = [json.loads(one["value"])["text"] for one in row["elements"]]
    pressed = [parse(split(line)[1:], Projects()) for line in lines]
    assert [(one.branch, one.until, one.reason) for one in pressed] == [
        ("main", "for 90m", "hold until friday slow 2h"),
        ("", "for 90m", "on main hold until friday slow 2h"),
    ]
