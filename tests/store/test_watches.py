"""Who follows and what they were told: saved by field, so that two writers lose nothing of each other."""

import asyncio
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Unreadable
from bot.models.build import Snapshot
from bot.models.caller import Place
from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import Saying, Watch, utc_now
from bot.store import Store
from bot.store.own import MOST as OWN
from bot.store.watches import Known, merged
from tests.store.conftest import KEEP

PIPELINE = PipelineId("0f6d1c1e")
HASH = f"ci:watches:{PIPELINE}"
FUTURE = '{"id": "E0", "from": "the future"}'


def watch(name: str = "Ev1", **more: object) -> Watch:
    fields = {
        "id": name,
        "pipeline_id": PIPELINE,
        "pipeline_number": 2417,
        "project_slug": ProjectSlug("gh/acme/frontend"),
        "project_title": "acme/frontend",
        "thread": Place(channel_id="C0"),
        "asker_id": "U0ADA",
        "asked_at": utc_now(),
    }
    return Watch.model_validate({**fields, **more})


def saying(mark: str, **more: object) -> Saying:
    return Saying.model_validate({"mark": mark, "role": "reply", "thread": Place(channel_id="C0"), "untold": ()} | more)


async def put(store: Store, name: str, data: str) -> None:
    await store._connection.redis.hset(HASH, name, data)


async def only(store: Store) -> Watch:
    (one,) = await store.watches.of(PIPELINE)
    return one


async def test_a_watch_keeps_what_it_was_told(store: Store) -> None:
    first = watch()
    await store.watches.add(first)
    told = await store.watches.save(first, first.with_told("final:1", "final:1"))
    await store.watches.add(watch())  # the same deploy, run a second time, forgets nothing
    assert await only(store) == told
    assert told.told == ("final:1",)
    assert await store.watches.watching() == {PIPELINE}


async def test_an_act_beside_a_long_look_is_not_lost(store: Store) -> None:
    read = watch(root_ts="1.0", told=("outage",))
    await store.watches.add(read)
    acted = await store.watches.save(read, read.with_told("act:1", "rerun:build:2"))
    looked = await store.watches.save(
        read, read.model_copy(update={"root_digest": "ab", "told": ("job_failed:x",), "final_ts": "2.0"})
    )
    assert looked == await only(store)
    assert looked.told == ("act:1", "rerun:build:2", "job_failed:x")
    assert (looked.root_ts, looked.root_digest, looked.final_ts) == ("1.0", "ab", "2.0")
    assert acted.final_ts is None


async def test_of_many_writers_at_once_none_is_lost(store: Store) -> None:
    read = watch()
    await store.watches.add(read)
    keys = [f"act:C0:{number},x" for number in range(12)]
    await asyncio.gather(*(store.watches.save(read, read.with_told(key)) for key in keys))
    assert set((await only(store)).told) == set(keys)


async def test_who_was_removed_is_not_brought_back(store: Store) -> None:
    gone = watch(root_ts="1.0")
    await store.watches.add(gone)
    await store.watches.remove(gone)
    told = gone.with_told("final:1")
    assert await store.watches.save(gone, told) == told
    assert not await store.watches.any(PIPELINE)
    assert await store.watches.of_thread("C0", "1.0") == {PIPELINE}  # its thread followed it all the same


async def test_what_another_version_knows_of_a_watch_is_kept(store: Store) -> None:
    old = json.loads(watch(told=("outage", "final:1")).model_dump_json())
    await put(store, "Ev1", json.dumps(old | {"followers": ["U0GRACE"]}))
    read = await only(store)
    await store.watches.save(read, read.model_copy(update={"told": ("final:1",), "root_ts": "1.0"}))
    kept = json.loads(str(await store._connection.redis.hget(HASH, "Ev1")))
    assert kept == old | {"followers": ["U0GRACE"], "told": ["final:1"], "root_ts": "1.0"}


async def test_a_record_that_became_unreadable_is_left_to_who_reads_it(store: Store) -> None:
    read = watch()
    await put(store, "Ev1", FUTURE)
    with pytest.raises(Unreadable):
        await store.watches.save(read, read.with_told("final:1"))
    assert await store._connection.redis.hget(HASH, "Ev1") == FUTURE


async def test_somebodys_builds_are_found_whoever_else_follows_them(store: Store) -> None:
    other = PipelineId("1a2b")
    await store.watches.add(watch())
    await store.watches.add(graces := watch("Ev2", watcher_id="U0GRACE"))
    await store.watches.add(watch("Ev3", pipeline_id=other, asker_id="U0GRACE", asker_name="U0ADA"))
    assert await owned(store, "U0ADA") == [(PIPELINE, True)]
    assert await owned(store, "U0GRACE") == [(other, True), (PIPELINE, False)]
    await store.watches.known(other)  # a look, which saw the end
    assert await store.watches.stop(other, {"Ev3"})
    await store.watches.remove(graces)
    assert await owned(store, "U0GRACE") == [(other, True)]
    assert await owned(store, "U0ADA") == [(PIPELINE, True)]
    assert await store.own.of("U0NOBODY") == await store.own.of("") == []


async def owned(store: Store, person: str) -> list[tuple[PipelineId, bool]]:
    return [(one.pipeline_id, one.is_asked) for one in await store.own.of(person)]


async def test_what_somebody_pushed_is_kept_apart_the_newest_first(store: Store) -> None:
    now = utc_now()
    for number in range(OWN + 2):
        await store.own.note_push("U0ADA", PipelineId(f"p{number}"), now + timedelta(seconds=number))
    await store.own.note_push("U0ADA", PipelineId("p9"), now + timedelta(days=1))  # as it was first heard of
    found = await store.own.pushed_by("U0ADA")
    assert (len(found), found[0].pipeline_id, found[0].is_pushed) == (OWN, f"p{OWN + 1}", True)
    assert await store.own.of("U0ADA") == []


async def test_whose_an_earlier_versions_builds_are_is_known_at_their_next_news(store: Store) -> None:
    await put(store, "Ev1", watch(watcher_id="U0GRACE").model_dump_json())
    assert await owned(store, "U0ADA") == []
    await store.watches.save(read := await only(store), read.with_told("final:1"))
    assert (await owned(store, "U0ADA"), await owned(store, "U0GRACE")) == ([(PIPELINE, True)], [(PIPELINE, False)])


async def test_how_builds_stand_is_read_with_their_threads(store: Store) -> None:
    await store.watches.add(watch("Ev2"))
    await store.watches.add(watch("Ev1", asked_at=utc_now() - timedelta(hours=1)))
    ((build, watches), nothing) = await store.watches.seen([PIPELINE, PipelineId("none")])
    assert (build, [one.id for one in watches]) == (None, ["Ev1", "Ev2"])
    assert nothing == (None, ())
    assert await store.watches.seen([]) == []


async def test_a_thread_is_known_once_it_has_a_message(store: Store) -> None:
    first = watch()
    await store.watches.add(first)
    assert await store.watches.of_thread("C0", "1.0") == frozenset()
    await store.watches.save(first, first.model_copy(update={"root_ts": "1.0"}))
    assert await store.watches.of_thread("C0", "1.0") == {PIPELINE}
    other = watch("Ev2", pipeline_id=PipelineId("1a2b"), root_ts="1.0")
    await store.watches.save(other, other)  # again and again, as each look does
    await store.watches.save(first, first.model_copy(update={"root_ts": "1.0"}))
    assert await store.watches.of_thread("C0", "1.0") == {PIPELINE, "1a2b"}
    await store.watches.leave_thread(other)
    await store.watches.leave_thread(first.model_copy(update={"root_ts": "1.0"}))  # the last one is meant still
    assert await store.watches.of_thread("C0", "1.0") == {PIPELINE}
    await store.watches.save(other, other)
    await store.watches.save(first, first.model_copy(update={"root_ts": "1.0"}))
    await store._connection.redis.delete(store._connection.key("followed-in", "C0:1.0"))  # as an earlier version did
    assert await store.watches.of_thread("C0", "1.0") == {PIPELINE}


KEYS = st.sets(st.sampled_from(["outage", "late", "act:1", "act:2", "final:x", "judged:x"]))


@given(KEYS, KEYS, KEYS, KEYS, KEYS)
def test_what_two_writers_change_is_changed_in_either_order(
    told: set[str], adds: set[str], drops: set[str], other_adds: set[str], other_drops: set[str]
) -> None:
    # Where one adds what the other takes, the last of them is right: that is left out here.
    before = watch(told=tuple(told))
    drops, other_drops = drops - other_adds - adds, other_drops - other_adds - adds
    one = before.model_copy(update={"told": tuple((told | adds) - drops), "root_ts": "1.0"})
    other = before.model_copy(update={"told": tuple((told | other_adds) - other_drops), "final_ts": "2.0"})
    for first, second in ((one, other), (other, one)):
        kept = merged(merged(json.loads(before.model_dump_json()), before, first), before, second)
        both = Watch.model_validate(kept)
        assert set(both.told) == (told | adds | other_adds) - drops - other_drops
        assert len(both.told) == len(set(both.told))
        assert (both.root_ts, both.final_ts) == ("1.0", "2.0")


def test_of_two_who_ask_at_once_to_hear_of_the_end_both_do_and_who_leaves_does_not() -> None:
    before = watch(also_told=("U0A",))
    one, other = (before.model_copy(update={"also_told": also}) for also in (("U0A", "U0B"), ("U0C",)))
    for first, second in ((one, other), (other, one)):
        kept = merged(merged(json.loads(before.model_dump_json()), before, first), before, second)
        assert set(Watch.model_validate(kept).also_told) == {"U0B", "U0C"}


def test_a_post_on_its_way_is_ended_by_who_sent_it() -> None:
    mine = watch(saying=saying("a", told=("act:1",)))
    theirs = json.loads(mine.model_copy(update={"saying": saying("b")}).model_dump_json())
    after = Watch.model_validate(merged(theirs, mine, mine.with_said("9.9")))
    assert after.saying == saying("b")
    assert after.told == ("act:1",)
    mine_kept = json.loads(mine.model_dump_json())
    assert merged(mine_kept, mine, mine.with_said("9.9"))["saying"] is None


def test_a_post_adds_to_what_others_told_meanwhile() -> None:
    spoken = watch(told=("outage", "act:2"), saying=saying("a", told=("job:x",), untold=("outage",)))
    assert spoken.with_said("9.9").told == ("act:2", "job:x")


def test_a_post_that_an_earlier_version_sent_names_all_that_was_told() -> None:
    old = {"mark": "a", "role": "final", "thread": {"channel_id": "C0"}, "told": ["act:1", "final:x"], "failure": "f"}
    after = watch(told=("outage", "act:1"), saying=old).with_said("9.9")
    assert after.told == ("act:1", "final:x")
    assert (after.final_ts, after.failure, after.saying) == ("9.9", "f", None)


async def test_a_look_begins_with_all_that_is_known(store: Store) -> None:
    await store.watches.add(watch())
    await put(store, "E0", FUTURE)
    await store.watches.save_snapshot(PIPELINE, Snapshot(failures=2))
    for _ in range(2):
        other, known = await store.watches.begin([PipelineId("other"), PIPELINE])
        assert other == Known(Snapshot(), [], frozenset())
        assert known.snapshot.failures == 2
        assert [one.id for one in known.watches] == ["Ev1"]
        assert known.unread == {"E0"}
    await store.watches.save(watch(), watch(root_ts="1.0"))
    assert [one.root_ts for one in (await store.watches.known(PIPELINE)).watches] == ["1.0"]


async def test_what_nobody_follows_is_polled_no_more(store: Store) -> None:
    first = watch()
    await store.watches.add(first)
    await store.watches.remove(first)
    await store.watches.known(PIPELINE)
    assert await store.watches.stop(PIPELINE, ())
    assert await store.watches.watching() == set()


async def test_a_build_that_ended_is_kept_for_its_buttons(store: Store) -> None:
    await store.watches.add(watch())
    await store.watches.known(PIPELINE)
    assert await store.watches.stop(PIPELINE, {"Ev1"})
    assert await store.watches.watching() == set()
    assert await only(store)
    assert await store._connection.redis.ttl(HASH) > 0


async def test_who_began_to_follow_during_the_last_look_is_not_taken_out(store: Store) -> None:
    await store.watches.add(watch())
    await store.watches.known(PIPELINE)
    await store.watches.add(watch("Ev2"))
    assert not await store.watches.stop(PIPELINE, {"Ev1"})
    assert not await store.watches.stop(PIPELINE, {"Ev1", "Ev2"})  # not even where it was seen: it has begun since
    assert await store.watches.watching() == {PIPELINE}
    assert await store._connection.redis.ttl(HASH) > KEEP.total_seconds()


async def test_what_was_rerun_during_the_last_look_goes_on(store: Store) -> None:
    await store.watches.add(watch())
    await store.watches.known(PIPELINE)
    await store.watches.again(PIPELINE, timedelta(minutes=2))
    assert not await store.watches.stop(PIPELINE, {"Ev1"})
    await store.watches.known(PIPELINE)
    assert await store.watches.stop(PIPELINE, {"Ev1"})


async def test_a_thread_of_a_newer_version_is_not_nobody(store: Store) -> None:
    await put(store, "E0", FUTURE)
    assert await store.watches.any(PIPELINE)
    assert await store.watches.of(PIPELINE) == []
    assert not await store.watches.stop(PIPELINE, ())
    assert await store.watches.stop(PIPELINE, {"E0"})


async def test_what_is_polled_has_an_end_even_where_nobody_comes_back_to_it(store: Store) -> None:
    redis, twice = store._connection.redis, 2 * KEEP.total_seconds()
    keys = (HASH, f"ci:snapshot:{PIPELINE}")
    first = watch()
    await store.watches.add(first)
    await store.watches.save_snapshot(PIPELINE, Snapshot())
    for key in keys:
        assert KEEP.total_seconds() < await redis.ttl(key) <= twice
        await redis.persist(key)  # as an earlier version left it
    await store.watches.known(PIPELINE)
    assert [await redis.ttl(key) > 0 for key in keys] == [True, True]
    await redis.expire(HASH, 60)
    tried = await store.watches.save(first, first.model_copy(update={"saying": saying("a"), "refusals": 2}))
    await store.watches.known(PIPELINE)
    assert await redis.ttl(HASH) <= 60  # neither a look nor a try makes it live longer
    await store.watches.save(tried, tried.with_told("final:1"))
    assert await redis.ttl(HASH) > KEEP.total_seconds()
    await store.watches.known(PIPELINE)
    assert await store.watches.stop(PIPELINE, {"Ev1"})
    assert [await redis.ttl(key) <= KEEP.total_seconds() for key in keys] == [True, True]


async def test_who_cannot_be_read_is_known_to_be_there(store: Store) -> None:
    await store.watches.add(watch())
    assert not await store.watches.unread(PIPELINE)
    await put(store, "E0", FUTURE)
    assert await store.watches.unread(PIPELINE)
