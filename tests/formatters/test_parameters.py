"""No two values that a pipeline is given read the same to who agrees to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.attempt import ParameterValue
from formatters.parameters import parameter

# What reads alike, and what a message would draw, hide or put on one line.
ODD = st.text(st.sampled_from([*"1-a \"'`ˋ=,&<>@:*_", "\n", "\t", "\u200b", "\u2060", "\u00a0"]), max_size=6)
VALUES = st.one_of(
    st.booleans(), st.integers(-12, 12), ODD, ODD.map(repr), st.sampled_from(["true", "false", "1", "-1"])
)


@given(one=VALUES, other=VALUES)
def test_no_two_values_read_the_same(one: ParameterValue, other: ParameterValue) -> None:
    is_same = (type(one), one) == (type(other), other)
    assert (parameter("x", one, 1000) == parameter("x", other, 1000)) is is_same


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("true", '`x="true"`'),
        (True, "`x=true`"),
        ("1", '`x="1"`'),
        (1, "`x=1`"),
        ('"1"', '`x="\\"1\\""`'),
        ("v1.0", "`x=v1.0`"),
        ("a  b", '`x="a\\u0020\\u0020b"`'),
        ("ˋ", '`x="\\u02cb"`'),
        ("`", "`x=ˋ`"),
    ],
)
def test_text_that_reads_as_another_kind_is_in_quotes(value: ParameterValue, shown: str) -> None:
    assert parameter("x", value, 1000) == shown
