"""The rules of docs/triage.md, as a table: how a test did before, newest first, and what its failure of today is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.history import Seen
from bot.triage.verdicts import Kind, Past, episodes, flipped, interval, judge, streak

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def seen(marks: str, first: int = 100) -> list[Seen]:
    """Return builds by a letter each, newest first: p passed, f failed, x failed and passed at the rerun."""
    counts = {"p": (0, 1), "f": (1, 0), "x": (1, 1)}
    return [
        Seen(number=first - place, revision=str(first - place), at=NOW, failed=counts[mark][0], passed=counts[mark][1])
        for place, mark in enumerate(marks)
    ]


@pytest.mark.parametrize(
    ("base", "here", "now", "kind", "since"),
    [
        pytest.param("p" * 30, "", "f", Kind.NEW, None, id="green on the base"),
        pytest.param("p" * 30, "ffp", "f", Kind.NEW, 199, id="failing here since two pushes ago"),
        pytest.param("p" * 4, "", "f", Kind.NOT_SURE, None, id="too few builds"),
        pytest.param("", "", "f", Kind.NOT_SURE, None, id="no builds at all"),
        pytest.param("ppxppppppppp", "", "f", Kind.FLAKE, None, id="flipped on one commit"),
        pytest.param("pfpppfpppp", "", "f", Kind.FLAKE, None, id="failed and recovered twice"),
        pytest.param("ppppfppppp", "", "f", Kind.NOT_SURE, None, id="failed once, some time ago"),
        pytest.param("p" * 30, "", "x", Kind.FLAKE, None, id="passed at today's rerun"),
        pytest.param("", "x", "f", Kind.NOT_SURE, None, id="one build is no knowledge"),
        pytest.param("p" * 30, "x", "f", Kind.FLAKE, None, id="flipped on this branch"),
        pytest.param("f" + "p" * 20, "", "f", Kind.RED_ON_BASE, 100, id="the base broke just now"),
        pytest.param("fffppppppp", "", "f", Kind.RED_ON_BASE, 98, id="the base is red since three builds"),
        pytest.param("ffff" + "p" * 10 + "x" + "p" * 20, "", "f", Kind.RED_ON_BASE, 97, id="a rare flake, now broken"),
        pytest.param("fxpxfpxpfx", "", "f", Kind.FLAKE, 100, id="a frequent flake that failed twice in a row"),
        pytest.param("x" + "p" * 40, "fff", "f", Kind.NEW, 198, id="a rare flake that fails at every push here"),
    ],
)  # fmt: skip
def test_a_failure_is_what_its_past_says(base: str, here: str, now: str, kind: Kind, since: int | None) -> None:
    verdict = judge(Past(seen(base), seen(here, 200), seen(now, 300)[0]))
    assert (verdict.kind, verdict.since) == (kind, since)
    assert verdict.looked == len(base) + len(here)


@pytest.mark.parametrize(
    ("base", "here", "now", "today", "passed_in"),
    [
        pytest.param("p" * 30, "p", "f", False, 200, id="in the build before, of the same commit"),
        pytest.param("p" * 30, "fp", "f", False, 199, id="in the one before that"),
        pytest.param("p" * 30, "", "x", True, None, id="in another attempt of this build"),
        pytest.param("p" * 30, "f", "f", False, None, id="nowhere"),
    ],
)
def test_where_it_passed_on_the_same_commit_is_known(
    base: str, here: str, now: str, *, today: bool, passed_in: int | None
) -> None:
    same = [one.model_copy(update={"revision": "c"}) for one in (*seen(now, 300), *seen(here, 200))]
    verdict = judge(Past(seen(base), same[1:], same[0]))
    assert (verdict.passed_today, verdict.passed_in) == (today, passed_in)


def test_a_test_that_came_with_the_branch_is_new_unless_it_may_be_renamed() -> None:
    alone = Past([], [], seen("f")[0], base_runs=30)
    assert judge(alone).kind is Kind.NEW
    assert judge(alone._replace(may_be_renamed=True)).kind is Kind.NOT_SURE
    assert judge(alone._replace(base_runs=3)).kind is Kind.NOT_SURE


def test_rows_spells_and_flips() -> None:
    assert [one.number for one in streak(seen("ffxp"))] == [100, 99]
    assert episodes(seen("pffpfpx")) == 2
    same = [one.model_copy(update={"revision": "c"}) for one in seen("fp")]
    assert (flipped(same), flipped(seen("fp")), flipped(seen("x"))) == (1, 0, 1)


@given(st.integers(0, 200), st.integers(0, 200))
def test_an_interval_holds_the_rate(failed: int, passed: int) -> None:
    low, high = interval(failed, failed + passed)
    assert 0 <= low <= high <= 1
    if failed + passed:
        assert low - 1e-9 <= failed / (failed + passed) <= high + 1e-9


@pytest.mark.parametrize(
    ("failed", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.278), (1, 10, 0.018, 0.404), (7, 40, 0.087, 0.319), (10, 10, 0.722, 1.0)],
)
def test_the_interval_is_wilsons(failed: int, of: int, low: float, high: float) -> None:
    assert interval(failed, of) == pytest.approx((low, high), abs=0.001)
