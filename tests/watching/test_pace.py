"""How soon a build is looked at again after somebody acted on it."""

from datetime import timedelta

import pytest

from bot.watching.schedule import YOUNG
from tests.store.test_watches import PIPELINE
from tests.watching.test_trouble import Stage, build, settings, stage

__all__ = ["settings", "stage"]
OLD = timedelta(minutes=50)


@pytest.mark.parametrize(("status", "before"), [("on_hold", 60), ("running", 30)])
async def test_after_an_act_it_is_as_young_as_one_just_started(stage: Stage, status: str, before: float) -> None:
    await stage.looks(build(status, age=OLD))
    await stage.store.watches.again(PIPELINE, YOUNG)
    await stage.looks(build(status, age=OLD), 2)
    await stage.store._connection.redis.delete(f"ci:young:{PIPELINE}")
    await stage.looks(build(status, age=OLD))
    assert stage.pauses == [before, 5, 5, before]


async def test_a_rerun_that_does_not_show_yet_is_looked_for(stage: Stage) -> None:
    await stage.looks(build("success"))
    assert await stage.looks(build("success", age=OLD)) is None
    await stage.store.watches.again(PIPELINE, YOUNG)
    assert await stage.looks(build("success", age=OLD), 2) == timedelta(seconds=5)
    assert PIPELINE in await stage.store.watches.watching()
