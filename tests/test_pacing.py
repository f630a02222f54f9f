"""Turns at CircleCI are shared by all processes: in order, people's first, and fewer after each 429."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from bot.budgets import NO_WAIT
from bot.models.pace import bounds
from bot.pacing import Lane, Paced
from bot.store import Store
from bot.store.turns import CIRCLECI
from bot.waits import MOST_PATIENT, noted, patiently, politely
from tests.one_redis import redis_url

PATIENT = timedelta(seconds=20)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[tuple[Store, Store]]:
    """Two processes' views of one Redis."""
    url = redis_url(tmp_path)
    stores = Store(url, retention=PATIENT), Store(url, retention=PATIENT)
    yield stores
    for store in stores:
        await store.close()


Both = tuple[Paced, Paced]


def both(stores: tuple[Store, Store], per_second: float | None) -> Both:
    ours, theirs = (Paced(store.turns, CIRCLECI, bounds(per_second)) for store in stores)
    return ours, theirs


def allowed() -> float | None:
    return REGISTRY.get_sample_value("ci_circleci_requests_per_second_allowed")


async def sending(budget: Paced) -> float:
    """Take a turn, and return when its request is sent."""
    assert await budget.turn(patience=PATIENT) == NO_WAIT
    return time.monotonic()


async def filled(budget: Paced) -> timedelta:
    """Take turns until there is none at once, and return how long the wait is."""
    while not (wait := await budget.turn()):
        pass
    return wait


async def longer(budget: Paced, wait: timedelta) -> timedelta:
    """Return how long the wait is once one more has asked for a turn."""
    async with asyncio.timeout(10):
        while (now := await budget.turn()) < wait + timedelta(seconds=0.02):
            pass
    return now


async def test_two_processes_share_what_is_allowed(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, 2)
    assert [await one.turn() for one in (ours, theirs)] == [NO_WAIT] * 2
    for one in (ours, theirs):
        assert timedelta(seconds=0.7) < await one.turn() <= timedelta(seconds=1)
    assert await theirs.turn(patience=PATIENT) == NO_WAIT


async def test_turns_come_in_the_order_they_were_asked_for_and_who_is_told_to_wait_hears_how_long(
    stores: tuple[Store, Store],
) -> None:
    (ours, theirs), came = both(stores, 1.9), list[int]()

    async def ask(number: int) -> None:
        assert await (ours, theirs)[number % 2].turn(patience=PATIENT) == NO_WAIT
        came.append(number)

    wait = await filled(ours)
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(ask(number))
            wait = await longer(ours, wait)
        assert timedelta(seconds=1.6) < wait < timedelta(seconds=2.2)
    assert came == sorted(came)


async def test_the_polite_ones_leave_a_share_and_never_go_before_who_waits(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, 100)
    polite = await asyncio.gather(*(ours.turn(polite=True) for _ in range(100)))
    assert polite.count(NO_WAIT) == 80
    assert await theirs.turn() == NO_WAIT
    waiting = [asyncio.create_task(theirs.turn(patience=PATIENT)) for _ in range(60)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert await ours.turn(polite=True)
    assert await asyncio.gather(*waiting) == [NO_WAIT] * 60
    assert await ours.turn(polite=True, patience=PATIENT) == NO_WAIT


async def test_the_429s_of_a_burst_halve_it_once_in_every_process(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, 8)
    sent = [await sending(one) for one in (ours, theirs, ours)]
    for one, sent_at in zip((ours, theirs, ours), sent, strict=True):
        await one.limited(timedelta(milliseconds=20), sent_at=sent_at)
    assert await theirs.turn(patience=PATIENT) == NO_WAIT
    known = (await stores[0].turns.standing(CIRCLECI)).pace
    assert known is not None
    assert (known.rate, known.halvings) == (4, 1)
    await ours.limited(NO_WAIT, sent_at=await sending(ours))
    assert await theirs.turn(patience=PATIENT) == NO_WAIT
    again = (await stores[0].turns.standing(CIRCLECI)).pace
    assert again is not None
    assert (again.rate < known.rate, again.halvings) == (True, 2)


async def test_who_waits_keeps_the_place_through_a_pause_and_goes_later_after_a_429(
    stores: tuple[Store, Store],
) -> None:
    (ours, theirs), came = both(stores, 1.9), list[str]()

    async def ask(name: str, in_line: float) -> timedelta:
        wait = await theirs.turn(patience=PATIENT, in_line=timedelta(seconds=in_line))
        came.append(name)
        return wait

    sent_at, wait, waiting = await sending(ours), await filled(ours), []
    for name, in_line in (("first", 20), ("impatient", 1.2), ("second", 20)):
        waiting.append(asyncio.create_task(ask(name, in_line)))
        wait = await longer(ours, wait)
    await ours.limited(timedelta(seconds=0.3), sent_at=sent_at)
    first, impatient, second = await asyncio.gather(*waiting)
    assert first == second == NO_WAIT < impatient
    assert came.index("first") < came.index("second")


async def test_who_is_patient_in_line_may_be_told_of_a_long_pause_at_once(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, 10)
    await ours.pause(timedelta(seconds=15))
    assert timedelta(seconds=14) < await theirs.turn(patience=timedelta(seconds=10), in_line=PATIENT)


async def test_who_deploys_waits_for_a_pause_as_for_those_in_line_before(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, 10)
    lane = Lane(theirs, patience=timedelta(seconds=0.1), in_line=PATIENT)
    await ours.pause(timedelta(seconds=0.5))
    assert timedelta(seconds=0.1) < await lane.turn() < timedelta(seconds=1)
    with patiently(), noted(CIRCLECI) as wait:
        turn = asyncio.create_task(lane.turn())
        await asyncio.wait({turn}, timeout=0.2)
        assert wait.left
        assert await turn == NO_WAIT


async def test_whoever_is_polite_leaves_a_share_in_any_lane(stores: tuple[Store, Store]) -> None:
    _, theirs = both(stores, 20)
    lane = Lane(theirs, patience=NO_WAIT)
    with politely():
        turns = await asyncio.gather(*(lane.turn() for _ in range(20)))
    assert turns.count(NO_WAIT) == 16
    assert await lane.turn() == NO_WAIT


async def test_of_a_crowd_that_is_patient_the_last_are_in_a_hurry(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, 10)
    lane = Lane(theirs, patience=timedelta(seconds=0.1), in_line=PATIENT)
    await ours.pause(timedelta(seconds=15))
    with ExitStack() as crowd:
        for _ in range(MOST_PATIENT):
            crowd.enter_context(patiently())
        with patiently():
            assert timedelta(seconds=14) < await lane.turn()
    with patiently():
        assert lane.patience == PATIENT


async def test_a_pause_holds_for_everybody_and_halves_nothing(stores: tuple[Store, Store]) -> None:
    for budgets in (both(stores, 0), both(stores, 10)):
        await budgets[0].pause(timedelta(seconds=30))
        for one in budgets:
            assert timedelta(seconds=28) < await one.turn() < timedelta(seconds=31)
            assert await one.is_paused()
    pace = (await stores[0].turns.standing(CIRCLECI)).pace
    assert pace is None or pace.halvings == 0


async def test_without_a_limit_a_429_is_a_pause_alone(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, 0)
    await ours.limited(timedelta(milliseconds=20), sent_at=await sending(ours))
    assert await asyncio.gather(*(theirs.turn(patience=PATIENT) for _ in range(50))) == [NO_WAIT] * 50
    assert (await stores[0].turns.standing(CIRCLECI)).pace is None


async def test_what_was_learned_outlives_a_start(stores: tuple[Store, Store]) -> None:
    ours, _ = both(stores, None)
    await ours.limited(NO_WAIT, sent_at=await sending(ours))
    again, _ = both(stores, None)
    assert await again.turn(patience=PATIENT) == NO_WAIT
    assert 5 <= (allowed() or 0) < 10


async def test_what_many_want_to_know_at_once_is_asked_for_all_of_them(stores: tuple[Store, Store]) -> None:
    ours, theirs = both(stores, None)
    redis = stores[0]._connection.redis
    await ours.turn()

    async def asked() -> int:
        return int((await redis.info("commandstats"))["cmdstat_time"]["calls"])

    before = await asked()
    await theirs.pause(PATIENT)
    ours._good_until = 0
    waits = await asyncio.gather(*(ours.turn() for _ in range(50)))
    assert min(waits) > NO_WAIT
    assert await asked() - before <= 2
