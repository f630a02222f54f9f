"""What people type is taken apart as they meant it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.grammar import LONGEST_TEXT, Word, parse_parameters, parse_project, parse_ref, split
from bot.models.circleci import Ref
from bot.requests import parse_of_target
from bot.settings import ProjectEntry, Projects
from bot.slack.payloads import typed
from bot.targets import is_project
from commands.artifacts import parse as parse_artifacts
from commands.deploy import Deploy, parse
from commands.locks import parse as parse_lock

PROJECTS = Projects(projects={"frontend": ProjectEntry(slug="gh/acme/frontend")})


@pytest.mark.parametrize(
    ("text", "branch"),
    [
        pytest.param("acme/frontend release/v2.0", "release/v2.0", id="plain"),
        pytest.param("acme/frontend “release/v2.0” env=prod", "release/v2.0", id="C40 smart quotes"),
        pytest.param("acme/frontend\u00a0release/v2.0", "release/v2.0", id="C40 no-break space"),
        pytest.param("acme/frontend ‘release/v2.0 ’", "release/v2.0", id="C40 a blank within quotes"),
        pytest.param("acme/frontend ‘feat/a b’", "feat/a b", id="C40 quoted space"),
        pytest.param("acme/frontend main\u2003", "main", id="M11 a wide blank behind"),
        pytest.param("acme/frontend refs/heads/main", "main", id="M11 git's long name"),
        pytest.param("acme/frontend pull/7/head", "pull/7/head", id="a pull request"),
        pytest.param("acme/frontend refs/pull/7/merge", "pull/7/merge", id="a pull request's long name"),
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
        ("Frontend", "gh/acme/frontend"),
        ("github/acme/frontend", "gh/acme/frontend"),
        ("GH/Acme/Frontend", "gh/Acme/Frontend"),
        ("GitHub/acme/frontend", "gh/acme/frontend"),
        ("bb/acme/frontend", "bb/acme/frontend"),
        ("circleci/5e0c5f62/9f1c2d7a", "circleci/5e0c5f62/9f1c2d7a"),
        ("https://app.circleci.com/pipelines/github/acme/frontend/2417", "gh/acme/frontend"),
        ("https://circleci.com/gh/acme/frontend/1842", "gh/acme/frontend"),
        ("git@github.com:acme/frontend.git", "gh/acme/frontend"),
    ],
)
def test_a_project_is_known_by_many_names(word: str, slug: str) -> None:
    assert parse_project(word, PROJECTS).slug == slug


def test_the_case_of_an_alias_counts_only_where_nothing_else_tells_two_apart() -> None:
    entries = {"web": ProjectEntry(slug="GitHub/acme/web"), "Web": ProjectEntry(slug="gh/acme/other")}
    both, one = Projects(projects=entries), Projects(projects={"Web": entries["web"]})
    assert (parse_project("web", both).slug, parse_project("Web", both).slug) == ("gh/acme/web", "gh/acme/other")
    assert not is_project(Word("WEB"), both)
    assert parse_project("WEB", one).slug == "gh/acme/web"
    assert is_project(Word("wEB"), one)


@pytest.mark.parametrize(
    "word", ["acme", "acme/../x", "a/b/..", "https://example.com/x", "acme/fr ont", "/", "gh/acme/.."]
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


@pytest.mark.parametrize("text", ["tag:v2.0", "refs/tags/v2.0", "tag:refs/tags/v2.0", '"tag: v2.0"', " tag:v2.0\u2003"])
def test_a_tag_is_said_with_its_prefix(text: str) -> None:
    assert parse_ref(split(text)[0]) == Ref(name="v2.0", kind="tag")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("HEAD", "HEAD and @ mean whatever is newest, and name nothing"),
        ("refs/heads/HEAD", "HEAD and @ mean whatever is newest"),
        ("@{0}", "it holds @{"),
        ("main@{0}", "it holds @{"),
        ("ma\u200bin", "it holds an invisible character (U+200B)"),
        ("main\u2800", "it holds an invisible character (U+2800)"),
        ("ma\u2003in", "it holds a space (U+2003)"),
        ("main~1", "it holds ~"),
        ("refs/heads/refs/heads/main", "it begins with refs/"),
        ("refs/remotes/origin/main", "it begins with refs/"),
        ("heads/main", "git may read heads/ as part of its long name"),
        ("tag:refs/heads/main", "it begins with refs/heads/"),
        ("tag:refs/pull/7/head", "it begins with refs/"),
        ("38c6d84" + "0" * 33, "it is a commit"),
        ("-x", "it begins with -"),
        ("a.lock", "a part of it ends with .lock"),
        (" ", "it is empty"),
    ],
    ids=ascii,
)
def test_what_is_no_ref_is_refused_with_the_reason_wherever_it_is_read(name: str, why: str) -> None:
    tag = name.startswith("tag:")
    asked = {"tag": name.removeprefix("tag:")} if tag else {"branch": name}
    for read in (
        lambda: parse_ref(Word(name, quoted=True)),
        lambda: Deploy(project="acme/frontend", **asked).about(PROJECTS),
        lambda: parse([Word("acme/frontend"), Word(name, quoted=True)], PROJECTS),
        *((lambda: parse_lock([Word(f"acme/frontend:{name}")], PROJECTS),) if name.strip() else ()),
    ):
        with pytest.raises(UsageError, match="This is not the name of a branch or a tag: ") as refused:
            read()
        assert why in str(refused.value)


def test_a_ref_in_a_link_is_read_as_a_typed_one_is() -> None:
    for link in (
        "https://github.com/acme/frontend/tree/refs/heads/main",
        "https://app.circleci.com/pipelines/github/acme/frontend?branch=refs%2Fheads%2Fmain%20",
    ):
        assert parse_project(link, PROJECTS).ref == Ref(name="main")
    with pytest.raises(UsageError, match="invisible"):
        parse_project("https://github.com/acme/frontend/tree/ma%E2%80%8Bin", PROJECTS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acme/frontend heads/release/v2", "part of its long name, and mean another by it. Write `release/v2`."),
        ("acme/frontend tags/v2", "Write `tag:v2`."),
        ("https://github.com/acme/frontend/pull/7/files main", "The link names what to deploy, and this another."),
        ("https://github.com/acme/frontend/blob/main/a.py", "no branch, tag or build in `blob/main/a.py` of this link"),
        ('acme/frontend "main', "A quote is not closed here."),
        ("acme/frontend main`", "A quote is not closed here."),
        ('acme/frontend main env="prod', "The quote before this value is not closed."),
    ],
)
def test_what_leads_to_no_branch_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(split(text), PROJECTS)
    assert words in str(refused.value)


def test_a_number_in_quotes_is_a_branch() -> None:
    assert parse(split('acme/frontend "#7"'), PROJECTS).branch == "#7"
    assert parse(split("acme/frontend #7"), PROJECTS).pipeline == 7
    assert parse(split("acme/frontend 0"), PROJECTS).branch == "0"


def test_a_request_that_names_two_things_is_refused() -> None:
    link = "https://github.com/acme/frontend/pull/7"
    for named in ({"project": link, "tag": "v1"}, {"project": "acme/frontend", "branch": "a", "tag": "b"}):
        with pytest.raises(UsageError):
            Deploy.model_validate(named).target(PROJECTS)
    with pytest.raises(UsageError, match="This is not a commit"):
        Deploy(project="acme/frontend", commit="main").target(PROJECTS)


def test_a_secret_is_in_no_way_out() -> None:
    with pytest.raises(UsageError) as refused:
        parse(split(f"acme/frontend heads/ghp_{'a1B2' * 9}"), PROJECTS)
    assert "Write" not in str(refused.value)


def test_words_of_a_path_may_be_what_no_ref_is() -> None:
    request = parse_artifacts(split('acme/cli "login page ~1.png"'), PROJECTS)
    assert (request.branch, request.wanted) == ("", ("login page ~1.png",))
    assert parse_artifacts(split("acme/cli main report[1].html"), PROJECTS).wanted == ("report[1].html",)
    with pytest.raises(UsageError):
        parse_of_target(split('acme/cli "login~page"'), PROJECTS)


@pytest.mark.parametrize(
    ("text", "or_path"),
    [
        ("acme/cli linux", "linux"),
        ("get acme/cli dist/cli", "dist/cli"),
        ("acme/cli refs/heads/linux", ""),
        ("acme/cli tag:linux", ""),
        ("acme/cli linux #2402", ""),
        ("acme/cli linux 1804", ""),
        ("acme/cli linux junit", ""),
        ("https://github.com/acme/cli/tree/linux", ""),
        ("https://app.circleci.com/pipelines/github/acme/cli?branch=linux", ""),
    ],
)
def test_only_a_bare_word_may_be_a_part_of_a_path_too(text: str, or_path: str) -> None:
    assert parse_artifacts(split(text), PROJECTS).or_path == or_path


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


@pytest.mark.parametrize("word", ["https://[", "https://[::1", "https://ex\u2100mple.com/a/b"], ids=ascii)
def test_an_address_that_is_none_is_refused_in_words(word: str) -> None:
    with pytest.raises(UsageError, match="I cannot read this link"):
        parse_project(word, PROJECTS)
