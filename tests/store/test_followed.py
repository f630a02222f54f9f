"""What a channel follows is read by the channel, newest first, with what the last look saw."""

from datetime import UTC, datetime, timedelta

from bot.models.build import Build, Snapshot, State
from bot.models.caller import Place
from bot.models.circleci import Pipeline, PipelineId
from bot.models.slack import utc_now
from bot.store import Store
from tests.store.test_watches import FUTURE, PIPELINE, put, watch

ELSEWHERE = Place(channel_id="C1")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


async def test_the_newest_stand_first_with_what_was_seen_of_them(store: Store) -> None:
    await store.watches.add(first := watch())
    later = watch("Ev2", pipeline_id=PipelineId("p2"), pipeline_number=2418, asked_at=utc_now() + timedelta(seconds=1))
    await store.watches.add(later)
    await store.watches.add(watch("Ev3", pipeline_id=PipelineId("p3"), thread=ELSEWHERE))
    pipeline = {"id": "p2", "number": 2418, "project_slug": "gh/acme/frontend", "created_at": NOW, "state": "created"}
    build = Build(pipeline=Pipeline.model_validate(pipeline), read_at=NOW)
    await store.watches.save_snapshot(PipelineId("p2"), Snapshot(build=build))
    await store.watches.known(PIPELINE)  # whose look was asked for
    await store.watches.stop(PIPELINE, ["Ev1"])
    (newest, oldest), is_cut = await store.followed.lately("C0", 12, 1)
    assert not is_cut
    assert (newest.watch, newest.build, newest.is_polled) == (later, build, True)
    assert (oldest.watch, oldest.build, oldest.is_polled, oldest.is_over) == (first, None, False, True)
    assert (oldest.state, oldest.runs, newest.runs) == (State.WAITING, (), ())
    assert not newest.is_over
    assert [one.watch for one in (await store.followed.lately("C0", 1, 1))[0]] == [later]
    assert await store.followed.lately("C2", 12, 12) == ([], False)


async def test_what_goes_on_for_long_is_found_behind_all_that_has_ended_since(store: Store) -> None:
    waits = watch("Ev0", pipeline_id=PipelineId("p0"), pipeline_number=1, asked_at=utc_now() - timedelta(days=9))
    await store.watches.add(waits)
    for number in range(2, 22):
        ended = PipelineId(f"p{number}")
        await store.watches.add(watch(f"Ev{number}", pipeline_id=ended, pipeline_number=number))
        await store.watches.known(ended)
        await store.watches.stop(ended, [f"Ev{number}"])
    found, is_cut = await store.followed.lately("C0", 2, 3)
    assert [one.is_polled for one in found] == [False, False, True]
    assert (found[-1].watch, is_cut) == (waits, False)
    await store.watches.add(watch())
    assert (await store.followed.lately("C0", 2, 1))[1]


async def test_a_build_that_also_another_channel_follows_is_its_own_thread_alone(store: Store) -> None:
    await store.watches.add(watch())
    await store.watches.add(there := watch("Ev2", thread=ELSEWHERE))
    await put(store, "E0", FUTURE)
    assert [one.watch for one in (await store.followed.lately("C1", 12, 12))[0]] == [there]
    await store.watches.remove(there)
    assert await store.followed.lately("C1", 12, 12) == ([], False)
