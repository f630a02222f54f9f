"""What people type is taken apart as they meant it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.grammar import LONGEST_TEXT, parse_parameters, parse_project, parse_ref, split
from bot.models.circleci import Ref
from bot.settings import ProjectEntry, Projects
from bot.slack.payloads import typed
from commands.deploy import parse

PROJECTS = Projects(projects={"frontend": ProjectEntry(slug="gh/acme/frontend")})


@pytest.mark.parametrize(
    ("text", "branch"),
    [
        pytest.param("acme/frontend release/v2.0", "release/v2.0", id="plain"),
        pytest.param("acme/frontend “release/v2.0” env=prod", "release/v2.0", id="C40 smart quotes"),
        pytest.param("acme/frontend\u00a0release/v2.0", "release/v2.0", id="C40 no-break space"),
        pytest.param("acme/frontend ‘feat/a b’", "feat/a b", id="C40 quoted space"),
        pytest.param('acme/frontend "“odd”"', "“odd”", id="C40 a name that really holds quotes"),
        pytest.param("acme/frontend fix/#1234-some-fix", "fix/#1234-some-fix", id="C01 hash"),
        pytest.param("acme/frontend it's-<b>&c", "it's-<b>&c", id="quotes and angles inside a word"),
        pytest.param("https://github.com/acme/frontend/tree/release/v2.0", "release/v2.0", id="link with a branch"),
    ],
)
def test_a_branch_arrives_exactly_as_typed(text: str, branch: str) -> None:
    request = parse(split(text), PROJECTS)
    assert request.about(PROJECTS) == ("gh/acme/frontend", Ref(name=branch))


@pytest.mark.parametrize(
    ("word", "slug"),
    [
        ("frontend", "gh/acme/frontend"),
        ("acme/frontend", "gh/acme/frontend"),
        ("github/acme/frontend", "gh/acme/frontend"),
        ("bb/acme/frontend", "bb/acme/frontend"),
        ("circleci/5e0c5f62/9f1c2d7a", "circleci/5e0c5f62/9f1c2d7a"),
        ("https://app.circleci.com/pipelines/github/acme/frontend/2417", "gh/acme/frontend"),
        ("https://circleci.com/gh/acme/frontend/1842", "gh/acme/frontend"),
        ("git@github.com:acme/frontend.git", "gh/acme/frontend"),
    ],
)
def test_a_project_is_known_by_many_names(word: str, slug: str) -> None:
    assert parse_project(word, PROJECTS).slug == slug


@pytest.mark.parametrize(
    "word", ["acme", "acme/../x", "a/b/c", "https://example.com/x", "acme/fr ont", "/", "gh/acme/.."]
)
def test_what_is_no_project_is_refused_in_words(word: str) -> None:
    with pytest.raises(UsageError):
        parse_project(word, PROJECTS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param('a "b c" d', [("a", False), ("b c", True), ("d", False)], id="a quoted word"),
        pytest.param("x='a b' c", [("x='a b'", False), ("c", False)], id="a quoted value"),
        pytest.param('"a"b c" d', [('a"b c', True), ("d", False)], id="a quote inside a quoted word"),
        pytest.param('"a b', [('"a', False), ("b", False)], id="a quote nobody closes"),
        pytest.param('"" "a"', [('""', False), ("a", True)], id="nothing between the quotes"),
        pytest.param('x="" y="a b"', [('x=""', False), ('y="a b"', False)], id="an empty value"),
        pytest.param('1x="a b"', [('1x="a', False), ('b"', False)], id="no parameter's name before it"),
        pytest.param('x=y="a b"', [('x=y="a', False), ('b"', False)], id="not the whole value"),
    ],
)
def test_only_quotes_around_a_whole_word_or_value_hold_it_together(text: str, words: list[tuple[str, bool]]) -> None:
    assert split(text) == words


def test_a_text_that_is_too_long_is_refused_with_its_length() -> None:
    assert len(split("a " * (LONGEST_TEXT // 2))) == LONGEST_TEXT // 2
    with pytest.raises(UsageError, match="at most 4,000 characters") as caught:
        split("a" * (LONGEST_TEXT + 1))
    assert caught.value.given == "4,001 characters"


def test_parameters_become_typed() -> None:
    words = split('env=prod count=3 id=007 fast=true text="a b" quoted="3"')
    assert parse_parameters(words) == {
        "env": "prod",
        "count": 3,
        "id": "007",
        "fast": True,
        "text": "a b",
        "quoted": "3",
    }


@pytest.mark.parametrize(
    "text", ["x=1 x=2", "noparameter", f"{'n' * 129}=1", f"n={'v' * 513}", " ".join(f"p{n}=1" for n in range(101))]
)
def test_parameters_beyond_circlecis_limits_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_parameters(split(text))


def test_a_tag_is_said_with_its_prefix() -> None:
    assert parse_ref(split("tag:v2.0")[0]) == Ref(name="v2.0", kind="tag")


@given(st.text())
def test_no_text_breaks_the_grammar(text: str) -> None:
    try:
        parse(split(typed(text)), PROJECTS)
    except UsageError:
        return


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_slacks_entities_are_undone_once(text: str) -> None:
    sent = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert typed(sent) == text


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("<https://app.circleci.com/x|https://app.circleci.com/x>", "https://app.circleci.com/x"),
        ("<https://app.circleci.com/x>", "https://app.circleci.com/x"),
        ("<http://acme.io|acme.io>", "acme.io"),
    ],
)
def test_slacks_links_are_unwrapped(sent: str, meant: str) -> None:
    assert typed(sent) == meant
