"""A far side that asked for a pause is left alone as long as anybody was asked."""

from datetime import timedelta

import pytest

from bot.store import Store

SHORT, LONG = timedelta(seconds=5), timedelta(seconds=30)


@pytest.mark.parametrize("order", [(SHORT, LONG), (LONG, SHORT)], ids=["longer later", "longer first"])
async def test_the_longer_of_two_pauses_holds(store: Store, order: tuple[timedelta, timedelta]) -> None:
    assert await store.turns.paused("slack") == timedelta(0)
    for how_long in order:
        await store.turns.pause("slack", how_long)
    assert LONG - SHORT < await store.turns.paused("slack") <= LONG


async def test_pauses_are_part_of_the_check_up(store: Store) -> None:
    await store.turns.pause("slack:posts:C0", LONG)
    await store.pulse.note_lag(timedelta(seconds=1.5))
    pulse = (await store.pulse.condition()).pulse
    assert list(pulse.paused) == ["slack:posts:C0"]
    assert pulse.lags == (1.5,)
    assert pulse.watching == 0
