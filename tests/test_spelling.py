"""What is spelled for somebody to type or press again means the same when it is read."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.grammar import split
from bot.models import git, spelling
from bot.models.attempt import ParameterValue
from bot.models.circleci import Ref
from bot.settings import Projects
from commands.deploy import Deploy, parse
from commands.locks import parse as parse_lock

SLUG = "gh/acme/frontend"
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
# Quotes of all kinds beside blanks and what else takes words apart.
MARKS = st.text(st.sampled_from([*spelling.CLOSING, *spelling.CLOSING.values(), *" =`.?x-1"]), max_size=40)
REFS = st.from_regex("[a-z0-9#=\"'“«/-]{1,20}", fullmatch=True).filter(
    lambda name: not (git.fault(name) or git.pull_request(name))
)
VALUES = st.one_of(st.booleans(), st.integers(-(10**17), 10**17), TEXTS, MARKS)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,20}", fullmatch=True)


def read(text: str) -> tuple[Ref | None, dict[str, ParameterValue]]:
    words = split(text)
    assert words[0].text == "deploy"
    request = parse(words[1:], Projects())
    _, ref = request.about(Projects())
    return ref, request.parameters


@given(
    ref=st.builds(Ref, name=REFS, kind=st.sampled_from(["branch", "tag"])),
    parameters=st.dictionaries(NAMES, VALUES, max_size=4),
)
def test_a_deploy_is_spelled_as_it_is_read(ref: Ref, parameters: dict[str, ParameterValue]) -> None:
    spelled = spelling.deploy(SLUG, ref, parameters)
    assert not spelled or read(spelled) == (ref, parameters)


@given(text=st.one_of(TEXTS, MARKS), opening=st.sampled_from(list(spelling.CLOSING)))
def test_whatever_was_typed_can_be_typed_again(text: str, opening: str) -> None:
    words = split(f"{opening}{text}{spelling.CLOSING[opening]}")
    assert all(spelling.can_be_quoted(word.text) for word in words)
    assert all(split(spelling.quoted(word.text)) == [word] for word in words if word.quoted)


@given(text=st.one_of(TEXTS, MARKS))
def test_a_reason_is_spelled_as_it_is_read(text: str) -> None:
    reason = " ".join(word.text for word in split(text))
    assume(spelling.can_be_quoted(reason))
    words = split(f"lock {SLUG}:main {spelling.sentence(reason)}")
    assert parse_lock(words[1:], Projects()).reason == reason


def test_a_value_that_closes_all_quotes_is_spelled_nowhere() -> None:
    everything = " ".join(f"x{closing} x" for closing in spelling.CLOSING.values())
    assert not spelling.can_be_quoted(everything)
    assert spelling.deploy(SLUG, Ref(name="main"), {"p": everything}) == ""


@pytest.mark.parametrize(
    ("name", "value", "spelled"),
    [
        ("env", "prod", "env=prod"),
        ("dry_run", False, "dry_run=false"),
        ("dry_run", "false", 'dry_run="false"'),
        ("count", 3, "count=3"),
        ("count", "3", 'count="3"'),
        ("note", "two words", 'note="two words"'),
        ("note", 'so "called" here', "note='so \"called\" here'"),
        ("note", "", "note="),
        ("note", "done.", 'note="done."'),
        ("note", "prod?", 'note="prod?"'),
        ("p", "'x ”x ’x »x “x\" b=c", "p=''x ”x ’x »x “x\" b=c'"),
    ],
)
def test_a_value_is_quoted_where_it_would_be_read_otherwise(name: str, value: ParameterValue, spelled: str) -> None:
    assert spelling.parameter(name, value) == spelled
    assert read(f"deploy {SLUG} main {spelled}") == (Ref(name="main"), {name: value})


@pytest.mark.parametrize("name", ["a b", "--x", "a=b", "", "1x", "é", "a\u200b"])
def test_a_parameter_that_no_command_can_name_is_spelled_nowhere_and_taken_from_nobody(name: str) -> None:
    assert spelling.deploy(SLUG, None, {name: "1"}) == ""
    with pytest.raises(UsageError):
        Deploy(project=SLUG, parameters={name: "1"}).target(Projects())
