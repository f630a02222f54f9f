"""How often CircleCI is asked, by its answers alone: the rule as a table, and what holds whatever it answers."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.pace import FLOOR, MOST, START, Bounds, Limited, Pace, allowed, bounds

UNSET, TEN = Bounds(START, MOST), Bounds(10, 10)
AT_ONCE = timedelta(0)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [(None, UNSET), (0, None), (10, TEN), (0.1, Bounds(0.1, 0.1)), (2000, Bounds(2000, 2000))],
)
def test_a_setting_says_where_it_begins_and_what_is_never_passed(setting: float | None, expected: Bounds) -> None:
    assert bounds(setting) == expected


@pytest.mark.parametrize(
    ("rate", "expected"), [(10, (10, 1)), (8.5, (8, 8 / 8.5)), (1, (1, 1)), (0.5, (1, 2)), (0.1, (1, 10))]
)
def test_a_rate_allows_a_seconds_worth_at_once(rate: float, expected: tuple[int, float]) -> None:
    assert allowed(rate) == expected


@pytest.mark.parametrize(
    ("pace", "seconds", "within", "rate"),
    [
        pytest.param(Pace.first(UNSET, 0), 0, UNSET, 10, id="the first second"),
        pytest.param(Pace.first(UNSET, 0), 0.9, UNSET, 10, id="a second counts when it is over"),
        pytest.param(Pace.first(UNSET, 0), 1, UNSET, 20, id="doubled"),
        pytest.param(Pace.first(UNSET, 0), 3, UNSET, 80, id="doubled again and again"),
        pytest.param(Pace.first(UNSET, 0), 10**9, UNSET, MOST, id="up to what is most"),
        pytest.param(Pace.first(TEN, 0), 60, TEN, 10, id="a number is never passed"),
        pytest.param(Pace(rate=5, since=0, halvings=1), 3, UNSET, 8, id="after a 429 it is added to"),
        pytest.param(Pace(rate=5, since=0, halvings=1), 3, TEN, 8, id="the same under a number"),
        pytest.param(Pace(rate=5, since=0, halvings=1), 60, TEN, 10, id="and up to it"),
        pytest.param(Pace(rate=5, since=30, halvings=1), 3, UNSET, 5, id="not while nothing was sent"),
        pytest.param(Pace(rate=200, since=0), 0, TEN, 10, id="a number chosen later holds at once"),
        pytest.param(Pace(rate=0, since=0, halvings=9), 0, UNSET, FLOOR, id="never nothing"),
        pytest.param(Pace.first(Bounds(0.1, 0.1), 0), 0, Bounds(0.1, 0.1), 0.1, id="a number below the floor"),
    ],
)
def test_the_rate_of_a_moment(pace: Pace, seconds: float, within: Bounds, rate: float) -> None:
    assert pace.at(seconds, within) == rate


@pytest.mark.parametrize(
    ("pace", "limited", "within", "rate"),
    [
        pytest.param(Pace.first(TEN, 0), Limited(0, 10, AT_ONCE), TEN, 5, id="halved"),
        pytest.param(Pace.first(TEN, 0), Limited(0, 1, AT_ONCE), TEN, 5, id="a number is halved as it stands"),
        pytest.param(Pace(rate=1000, since=0), Limited(0, 60, AT_ONCE), UNSET, 30, id="of what was used"),
        pytest.param(Pace(rate=1000, since=0), Limited(0, 1, AT_ONCE), UNSET, 5, id="of the start, where less was"),
        pytest.param(Pace(rate=3, since=0, halvings=2), Limited(2, 3, AT_ONCE), UNSET, 1.5, id="again"),
        pytest.param(Pace(rate=0.6, since=0, halvings=3), Limited(3, 1, AT_ONCE), UNSET, FLOOR, id="down to the floor"),
        pytest.param(Pace(rate=5, since=0, halvings=1), Limited(0, 10, AT_ONCE), TEN, 5, id="once for a burst"),
    ],
)
def test_what_a_429_leaves(pace: Pace, limited: Limited, within: Bounds, rate: float) -> None:
    assert pace.after(limited, 0, within).at(0, within) == rate


def test_the_seconds_of_a_pause_add_nothing() -> None:
    halved = Pace.first(TEN, 0).after(Limited(0, 10, timedelta(seconds=30)), 100, TEN)
    assert [halved.at(now, TEN) for now in (100, 130, 132)] == [5, 5, 7]


LIMITS = st.builds(Bounds, st.floats(0.01, 2000), st.just(MOST)) | st.floats(0.01, 2000).map(lambda n: Bounds(n, n))
ANSWERS = st.lists(
    st.tuples(
        st.floats(0, 1000),  # seconds since the one before
        st.integers(0, 3),  # halvings since its request was sent
        st.floats(0, 5000),
        st.timedeltas(AT_ONCE, timedelta(hours=1)),
    ),
    max_size=20,
)


@given(LIMITS, ANSWERS)
def test_whatever_circleci_answers_the_rate_keeps_to_its_bounds(within: Bounds, answers: list[tuple]) -> None:  # type: ignore[type-arg]  # as drawn
    now, pace = 0.0, Pace.first(within, 0)
    for seconds, ago, used, pause in answers:
        now += seconds
        before = pace.at(now, within)
        after = pace.after(Limited(pace.halvings - ago, used, pause), now, within)
        assert after is pace if ago else after.halvings == pace.halvings + 1
        assert within.floor <= after.at(now, within) <= before <= within.most
        assert after.at(now, within) <= max(before / 2, within.floor) or ago
        assert after.at(now + 1, within) >= after.at(now, within)
        pace = after
