"""In which order looks have their turns: a claim is a head start, the rest is by who waits longest."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budgets import NO_WAIT
from bot.models.build import Snapshot
from bot.models.pace import bounds
from bot.pacing import Paced
from bot.store import Store
from bot.store.watches import Known
from bot.watching.line import InLine, Waiting, in_line, standing
from bot.watching.schedule import HEAD_START, Claim, rank
from tests.store.test_watches import PIPELINE, watch
from tests.watching.test_trouble import build

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=5)
LONGEST = len(Claim) * HEAD_START * INTERVAL


class Times(NamedTuple):
    """What a rank needs of the settings."""

    poll_interval: timedelta = INTERVAL
    grace: timedelta = INTERVAL
    settle: timedelta = INTERVAL
    automatic_rerun: timedelta = INTERVAL
    on_hold: timedelta = INTERVAL


def ranked(claim: Claim, seconds: float) -> float:
    return rank(claim, START + timedelta(seconds=seconds), Times())


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((Claim.NO_ROOT, 9), (Claim.NEWS, 0)),
        ((Claim.NEWS, 9), (Claim.FINAL, 0)),
        ((Claim.FINAL, 9), (Claim.NONE, 0)),
        ((Claim.NONE, 0), (Claim.NONE, 9)),
        ((Claim.NO_ROOT, 0), (Claim.NO_ROOT, 9)),
        ((Claim.NONE, 0), (Claim.NEWS, 601)),
    ],
)
def test_who_goes_first(first: tuple[Claim, float], then: tuple[Claim, float]) -> None:
    assert ranked(*first) < ranked(*then)


@given(st.lists(st.tuples(st.sampled_from(Claim), st.integers(0, 5_000)), max_size=60), st.integers(1, 30))
def test_nobody_starves(others: list[tuple[Claim, int]], pause: int) -> None:
    """Whoever comes at the beginning, with no claim at all, is before everybody who comes long enough after."""
    mine, now, waiting = ranked(Claim.NONE, 0), 0, [ranked(*one) for one in others if one[1] == 0]
    coming = sorted((one for one in others if one[1] > 0), key=lambda one: one[1])
    while waiting and min(waiting) < mine:  # one turn in each pause, to the first in line
        waiting.remove(min(waiting))
        now += pause
        waiting += [ranked(*one) for one in coming if one[1] <= now]
        coming = [one for one in coming if one[1] > now]
    before_me = [one for one in others if ranked(*one) < mine]
    assert all(timedelta(seconds=seconds) < LONGEST for _, seconds in before_me)
    assert now <= len(before_me) * pause


async def test_turns_come_by_rank_and_who_has_begun_goes_on(store: Store) -> None:
    budget, order = Paced(store.turns, "circleci", bounds(10)), list[str]()
    lane = InLine(budget, store.line, to_begin=timedelta(seconds=20), to_go_on=timedelta(seconds=20))
    while not await budget.turn(polite=True):
        pass

    async def look(name: str, place: float) -> None:
        with standing(Waiting(name, place, is_alone=False)):
            assert await lane.turn() == NO_WAIT
            order.append(name)
            assert await lane.turn() == NO_WAIT

    names = ["fourth", "first", "third", "second"]
    ranks = {"first": 1.0, "second": 2.0, "third": 3.0, "fourth": 4.0}
    async with asyncio.timeout(30):
        for name in names:
            await store.line.enter(name, ranks[name])
        await asyncio.gather(*(look(name, ranks[name]) for name in names))
    assert order == ["first", "second", "third", "fourth"]


async def test_who_is_refused_is_told_when_to_come_back_by_the_place_in_line(store: Store) -> None:
    budget = Paced(store.turns, "circleci", bounds(1))
    lane = InLine(budget, store.line, to_begin=timedelta(0), to_go_on=timedelta(0))
    assert not await budget.turn(polite=True)

    async def back(name: str, place: float) -> timedelta:
        with standing(Waiting(name, place)):
            return await lane.turn()

    first, third, second = [await back("first", 1), await back("third", 3), await back("second", 2)]
    assert NO_WAIT < first < third
    assert first < second
    assert (await store.line.enter("last", 9)).ahead == 3
    assert not await lane.is_paused()


@pytest.mark.parametrize(
    ("status", "root_ts", "has_news", "told", "claim"),
    [
        ("running", "1.0", False, (), Claim.NONE),
        ("success", "1.0", False, (), Claim.FINAL),
        ("success", "1.0", False, ("final:w",), Claim.NONE),
        ("running", "1.0", True, (), Claim.NEWS),
        ("success", "1.0", True, (), Claim.NEWS),
        ("success", None, True, (), Claim.NO_ROOT),
        (None, "1.0", False, (), Claim.NONE),
        (None, None, False, (), Claim.NO_ROOT),
    ],
)
def test_what_a_look_has_a_claim_to(
    status: str | None, root_ts: str | None, has_news: bool, told: tuple[str, ...], claim: Claim
) -> None:
    seen = None if status is None else build(status)
    snapshot = Snapshot(build=seen, has_news=has_news, waits_since=START)
    watches = [watch(root_ts=root_ts, told=told)]
    place = in_line(PIPELINE, snapshot, Known(snapshot, watches, frozenset(), others_wait=True), Times())
    assert (place.rank, place.is_alone) == (rank(claim, START, Times()), False)
