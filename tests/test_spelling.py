"""What is spelled for somebody to type or press again means the same when it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.grammar import split
from bot.models import git, spelling
from bot.models.attempt import ParameterValue
from bot.models.circleci import Ref
from bot.settings import Projects
from commands.deploy import parse

SLUG = "gh/acme/frontend"
# Whatever can be typed within quotes: not each of all kinds of quotes at once.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).filter(
    lambda text: any(closing not in text for closing in spelling.CLOSING.values())
)
REFS = st.from_regex("[a-z0-9#=\"'“«/-]{1,20}", fullmatch=True).filter(
    lambda name: not (git.fault(name) or git.pull_request(name))
)
VALUES = st.one_of(st.booleans(), st.integers(-(10**17), 10**17), TEXTS)
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
    assert read(spelling.deploy(SLUG, ref, parameters)) == (ref, parameters)


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
    ],
)
def test_a_value_is_quoted_where_it_would_be_read_otherwise(name: str, value: ParameterValue, spelled: str) -> None:
    assert spelling.parameter(name, value) == spelled
    assert read(f"deploy {SLUG} main {spelled}") == (Ref(name="main"), {name: value})
