"""A wait for a turn is noted for whoever wants to tell of it, in whatever task it is met."""

import asyncio
from datetime import timedelta

from bot.store.turns import CIRCLECI
from bot.waits import note, noted


async def test_a_wait_is_noted_wherever_it_is_met() -> None:
    async def deep() -> None:
        note(CIRCLECI, 40)
        note("slack", 400)

    note(CIRCLECI, 4)  # nobody wants to know
    with noted(CIRCLECI) as wait, noted(CIRCLECI) as inner:
        assert inner.left == timedelta(0)
        await asyncio.create_task(deep())
        assert timedelta(seconds=39) < inner.left <= timedelta(seconds=40)
        assert wait.left == timedelta(0)
