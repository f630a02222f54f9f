"""Why channels were told of builds: the last decision of each, for a while, and of so many."""

from datetime import timedelta

import pytest

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import utc_now
from bot.models.told import Reason, Why
from bot.store import Store, told

ONE, TWO, THREE = (PipelineId(name) for name in ("one", "two", "three"))


def reason(why: Why = Why.TOLD, age: timedelta = timedelta(0)) -> Reason:
    return Reason(why=why, at=utc_now() - age)


async def test_the_last_decision_of_a_build_counts_for_each_channel(store: Store) -> None:
    await store.told.note(ONE, reason(Why.PUT_OFF), channel_id="C0WEB")
    await store.told.note(ONE, last := reason(), channel_id="C0WEB")
    await store.told.note(ONE, of_all := reason(Why.AWAITED))
    found = [await store.told.get(ONE, channel_id=channel) for channel in ("C0WEB", "C0DEPLOYS", told.ALL)]
    assert found == [last, None, of_all]
    assert await store.told.get(TWO) is None


async def test_what_is_too_old_goes_and_of_too_many_the_oldest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "MOST", 2)
    for at, one in enumerate((ONE, TWO, THREE)):
        await store.told.note(one, reason(age=timedelta(days=3 - at)), channel_id="C0WEB")
    found = [await store.told.get(one, channel_id="C0WEB") for one in (ONE, TWO, THREE)]
    assert [one is not None for one in found] == [False, True, True]
    await store.told.note(ONE, reason(age=told.KEPT + timedelta(minutes=1)), channel_id="C0OLD")
    assert await store.told.get(ONE, channel_id="C0OLD") is None
    await store.told.note(TWO, reason(), channel_id="C0OLD")
    assert await store._connection.redis.hkeys("ci:told:C0OLD") == ["two"]


async def test_of_builds_that_were_not_read_the_last_gaps_are_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = ProjectSlug("gh/acme/web")
    monkeypatch.setattr(told, "MOST_GAPS", 2)
    for first in (10, 30, 50):
        await store.told.missed(slug, first, first + 9)
    found = [await store.told.gap(slug, number) for number in (15, 29, 30, 59)]
    assert [one and one.first for one in found] == [None, None, 30, 50]
