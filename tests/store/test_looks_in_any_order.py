"""Whatever happens in whatever order: nothing that is to be looked at is lost, and nobody has what another one has."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.models.circleci import PipelineId
from bot.store import Store
from bot.store.looks import Over, Taken
from tests.one_redis import redis_url
from tests.store.conftest import KEEP

T = TypeVar("T")
IDS = tuple(PipelineId(name) for name in "abc")
ID, TIMES = st.sampled_from(IDS), st.integers(1, 3)
HOUR = timedelta(hours=1)  # beside which what a step takes is nothing
BUSY, FOR_EVER = 1, 10**6
NUMBERS = count()


@dataclass
class Expected:
    """What is to be of a pipeline, in hours: when it is due, who has it, and since when another look is wanted.

    `until` is the end of the claim, and `told_by` who holds the fence otherwise.
    """

    due: int | None = None
    claim: str = ""
    until: int = 0
    wanted: int | None = None
    told_by: AbstractAsyncContextManager[bool] | None = None

    def is_had(self, now: int) -> bool:
        return bool(self.claim) and self.until > now


class AnyOrder(RuleBasedStateMachine):
    """Workers and commands in any order; hours go by where what is kept is made to be hours older."""

    looks = Bundle("looks")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.prefix = f"any-order-{next(NUMBERS)}:"
        self.store = Store(redis_url(Path("any-order")), retention=KEEP, prefix=self.prefix)
        self.redis = self.store._connection.redis
        self.now = 0
        self.expected = {one: Expected() for one in IDS}

    def teardown(self) -> None:
        async def close() -> None:
            async with AsyncExitStack() as stack:
                for one in self.expected.values():
                    if one.told_by is not None:
                        stack.push_async_exit(one.told_by)
            async for key in self.redis.scan_iter(f"{self.prefix}*"):
                await self.redis.delete(key)
            await self.store.close()

        self.runner.run(close())
        self.runner.close()

    @rule(one=ID)
    def wakes(self, one: PipelineId) -> None:
        self.runner.run(self.store.looks.wake(one))
        known = self.expected[one]
        if known.claim:
            known.wanted = self.now if known.wanted is None else known.wanted
        else:
            known.due = self.now if known.due is None else min(known.due, self.now)

    @rule()
    def sweeps(self) -> None:
        self.runner.run(self.store.looks.add(IDS))
        for known in self.expected.values():
            known.due = self.now if known.due is None else known.due

    @rule(target=looks, lease=TIMES)
    def takes(self, lease: int) -> MultipleResults[Taken]:
        due = [one for one in IDS if (at := self.expected[one].due) is not None and at <= self.now]
        found = self.runner.run(self.store.looks.take(len(IDS), lease * HOUR, busy=BUSY * HOUR))
        taken = {one.pipeline_id: one.claim for one in found}
        for one in due:
            known = self.expected[one]
            assert not known.is_had(self.now), "nobody may have what another one has"
            assert (one in taken) == (known.told_by is None)
            known.wanted, known.claim = None, taken.get(one, "")
            known.due = self.now + (lease if known.claim else BUSY)
            known.until = known.due
        assert taken.keys() <= set(due)
        return multiple(*sorted(found))  # of two that are due the order is a matter of a millisecond

    @rule(look=looks, pause=st.none() | st.integers(0, 3))
    def gives_back(self, look: Taken, pause: int | None) -> None:
        time = None if pause is None else pause * HOUR
        self.runner.run(self.store.looks.done([Over(look.pipeline_id, look.claim, time)]))
        known = self.expected[look.pipeline_id]
        if known.claim == look.claim:
            times = [known.wanted, None if pause is None else self.now + pause]
            known.due = min((time for time in times if time is not None), default=None)
            known.claim, known.wanted = "", None

    @rule(look=looks, lease=TIMES)
    def keeps(self, look: Taken, lease: int) -> None:
        self.runner.run(self.store.looks.keep([look], lease * HOUR))
        known = self.expected[look.pipeline_id]
        if known.claim == look.claim:
            known.due = known.until = self.now + lease

    @rule(one=ID)
    def begins_to_tell(self, one: PipelineId) -> None:
        known = self.expected[one]
        if known.told_by is not None:
            return
        fence = self.store.watches.try_fence(one, FOR_EVER * HOUR)
        if self.runner.run(fence.__aenter__()):
            assert not known.is_had(self.now)
            known.told_by = fence
        else:
            assert known.is_had(self.now)
            self.runner.run(_left(fence))

    @rule(one=ID)
    def has_told(self, one: PipelineId) -> None:
        known = self.expected[one]
        if known.told_by is not None:
            self.runner.run(_left(known.told_by))
            known.told_by = None

    @rule(hours=TIMES)
    def hours_go_by(self, hours: int) -> None:
        self.now += hours
        self.runner.run(self._is_older(round(hours * HOUR.total_seconds() * 1000)))

    async def _is_older(self, by: int) -> None:
        for one in IDS:
            if await self.redis.zscore(f"{self.prefix}looks", one) is not None:
                await self.redis.zincrby(f"{self.prefix}looks", -by, one)
            if await self.redis.hexists(f"{self.prefix}looks:woken", one):
                await self.redis.hincrby(f"{self.prefix}looks:woken", one, -by)
            if (left := await self.redis.pttl(f"{self.prefix}fence:{one}")) > 0:
                await self.redis.pexpire(f"{self.prefix}fence:{one}", max(left - by, 0))

    @invariant()
    def nothing_is_left_of_what_is_over(self) -> None:
        kept = self.runner.run(self._kept())
        assert kept == {one for one in IDS if self.expected[one].due is not None}

    async def _kept(self) -> set[str]:
        return {str(one) for one in await self.redis.zrange(f"{self.prefix}looks", 0, -1)}


async def _left(fence: AbstractAsyncContextManager[bool]) -> None:
    await fence.__aexit__(None, None, None)


def test_in_any_order_nothing_is_lost_and_nothing_is_had_by_two() -> None:
    run_state_machine_as_test(AnyOrder, settings=settings(max_examples=30, stateful_step_count=30, deadline=None))
