"""Refs as git knows them: which names are none, and whose code a pull request's is."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import git
from bot.models.circleci import Pipeline, Ref
from formatters.unseen import without_unseen

PROPER = (
    *(
        "main",
        "release/v2.0",
        "fix/#1234-some-fix",
        "it's-<b>&c",
        "“odd”",
        "größe",
        "ветка",
        "分支",
        "v1.0",
        "a@b",
        "@a",
    ),
    *(
        "feature/HEAD",
        "head",
        "pull",
        "pull/x",
        "1842",
        "a-",
        "lock",
        "a.locks",
        "x=1",
        "🚀",
        "deadbee",
        "refs",
        "heads",
    ),
)
IMPROPER = (
    *(
        "",
        "main ",
        " main",
        "ma in",
        "main\u2003",
        "main\u3000",
        "ma\tin",
        "main\n",
        "ma\x7fin",
        "a..b",
        "a~1",
        "a^",
        "a:b",
    ),
    *(
        "a?",
        "a*",
        "[a",
        "a\\b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "a.",
        "a@{0}",
        "@{0}",
        "@",
        "-a",
    ),
    *(
        "HEAD",
        "ma\u200bin",
        "ma\u00adin",
        "ma\u200din",
        "ma\u2060in",
        "\u202emain",
        "main\ufe0f",
        "ma\u034fin",
        "main\u115f",
    ),
    *(
        "main\u1160",
        "main\u3164",
        "main\uffa0",
        "main\u2800",
        "main\u180e",
        "main\ufff9",
        "main\U000e0041",
        "main\U000e0100",
    ),
    *(
        "main\ue000",
        "main\u0378",
        "ma\ud800in",
        "ma\ufffdin",
        "refs/heads/main",
        "refs/tags/v1",
        "heads/main",
        "tags/v1",
    ),
    *("remotes/origin/main", "a" * 40, "F" * 64),
)


@pytest.mark.parametrize("name", PROPER)
def test_what_git_takes_is_a_name(name: str) -> None:
    assert git.fault(name) == ""
    assert Ref(name=name).is_proper


@pytest.mark.parametrize("name", IMPROPER, ids=ascii)
def test_what_git_takes_as_none_or_nobody_can_see_is_no_name(name: str) -> None:
    assert git.fault(name)
    assert not Ref(name=name).is_proper


@pytest.mark.skipif(shutil.which("git") is None, reason="git itself is asked")
@settings(max_examples=60)
@given(st.text(st.sampled_from("ab./@{}~^:?*[\\- \x01é"), min_size=1, max_size=8))
def test_no_name_is_taken_that_git_refuses(name: str) -> None:
    if git.fault(name) == "":
        checked = subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False)
        assert checked.returncode == 0, name


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *(
            (name, "7")
            for name in ("pull/7", "pull/7/head", "pull/7/merge", "refs/pull/7/head", "PULL/7", "pull/7/x\n")
        ),
        *((name, "31") for name in ("merge-requests/31", "refs/merge-requests/31/head", "pull-requests/31/from")),
        *((name, "") for name in ("pull", "pull/", "pull/x", "pull/7x", "a/pull/7", "repull/7", "pull/٧", "main")),
    ],
    ids=ascii,
)
def test_the_code_of_a_pull_request_is_known_by_its_number(name: str, number: str) -> None:
    assert Ref(name=name).pull_request == number
    assert Ref(name=name, kind="tag").pull_request == ""


def test_a_pull_request_has_several_names() -> None:
    merged = Ref(name="pull/7/merge")
    assert merged.spellings == (merged, Ref(name="pull/7"), Ref(name="pull/7/head"))
    assert Ref(name="main").spellings == (Ref(name="main"),)


@pytest.mark.parametrize("branch", ["refs/heads/main", "main\u2003", "HEAD", "pull/7"], ids=ascii)
def test_what_circleci_reports_is_taken_as_it_is(branch: str) -> None:
    told = {"id": "p", "number": 1, "project_slug": "gh/a/b", "created_at": "2026-01-01T00:00:00Z"}
    pipeline = Pipeline.model_validate({**told, "vcs": {"branch": branch}})
    assert pipeline.ref == Ref(name=branch)


def test_what_messages_hide_no_branch_may_hold() -> None:
    characters = [chr(number) for number in (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE0200))]
    assert [one for one in characters if without_unseen(f"a{one}b") == "a b" and not git.is_unseen(one)] == []
