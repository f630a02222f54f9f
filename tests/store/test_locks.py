"""A lock is taken over and removed in one step, and only by who has seen who holds it."""

import asyncio
from datetime import timedelta

import pytest

from bot.models.circleci import ProjectSlug, Ref
from bot.models.lock import Lock, Over, Waiting, lock_key
from bot.models.slack import utc_now
from bot.store import Store
from tests.one_redis import server_is

SLUG = ProjectSlug("gh/acme/frontend")


def lock(holder_id: str, ref: Ref | None = None) -> Lock:
    return Lock(project_slug=SLUG, project_title="acme/frontend", ref=ref, holder_id=holder_id, since=utc_now())


async def on(store: Store, slug: ProjectSlug, ref: Ref) -> list[Lock]:
    """Return what is kept of a branch under these very names: a lock on its whole project, and one on it."""
    return await store.locks.held(dict.fromkeys((lock_key(slug, None), lock_key(slug, ref))))


async def test_the_first_lock_holds_for_the_project_and_its_branches(store: Store) -> None:
    adas = await store.locks.lock(lock("U0ADA"))
    assert await store.locks.lock(lock("U0GRACE")) == adas
    assert await on(store, SLUG, Ref(name="main")) == [adas]
    graces = await store.locks.lock(lock("U0GRACE", Ref(name="main")))
    assert await on(store, SLUG, Ref(name="main")) == [adas, graces]  # a lock of one's own lifts no other
    assert await on(store, SLUG, Ref(name="next")) == [adas]
    assert await store.locks.all() == ([adas, graces], [])


async def test_a_lock_that_nobody_can_read_leaves_the_others_readable(store: Store) -> None:
    adas = await store.locks.lock(lock("U0ADA"))
    await store._connection.redis.hset("ci:locks", "gh/acme/backend main", '{"by": "a later version"}')
    assert await store.locks.all() == ([adas], ["gh/acme/backend main"])


async def test_a_lock_can_be_taken_after_a_crash(store: Store) -> None:
    held = await store.locks.lock(lock("U0ADA"))
    mine = lock("U0GRACE")
    # An earlier version claimed a lock before it took it, and may have died between the two.
    await store.claims.first(f"lock-taken:{held.key}:{held.holder_id}:{held.since.isoformat()}")
    assert await store.locks.take(held, mine)
    assert await store.locks.get(held.key) == mine


async def test_a_lock_that_changed_hands_is_neither_taken_nor_removed(store: Store) -> None:
    seen = await store.locks.lock(lock("U0ADA"))
    graces = lock("U0GRACE")
    await store.locks.take(seen, graces)
    assert not await store.locks.take(seen, lock("U0ADMIN"))
    assert not await store.locks.unlock(seen)
    assert await store.locks.get(seen.key) == graces


async def test_the_same_holder_again_is_another_lock(store: Store) -> None:
    seen = await store.locks.lock(lock("U0ADA"))
    await store.locks.unlock(seen)
    again = await store.locks.lock(seen.model_copy(update={"since": seen.since + timedelta(seconds=1)}))
    assert not await store.locks.unlock(seen)
    assert await store.locks.get(seen.key) == again


async def test_a_lock_that_is_gone_stays_gone(store: Store) -> None:
    held = await store.locks.lock(lock("U0ADA"))
    assert await store.locks.unlock(held)
    assert not await store.locks.unlock(held)
    assert not await store.locks.take(held, lock("U0GRACE"))
    assert await store.locks.all() == ([], [])


async def test_of_many_who_take_it_at_once_one_does(store: Store) -> None:
    held = await store.locks.lock(lock("U0ADA"))
    taken = await asyncio.gather(*(store.locks.take(held, lock(f"U{number}")) for number in range(12)))
    assert sorted(taken) == [False] * 11 + [True]


async def test_a_lock_spelled_by_an_earlier_version_is_taken_and_removed(store: Store) -> None:
    old = '{"since": "2026-11-20T10:00:00+00:00", "holder_id": "U0ADA", "project_slug": "gh/acme/frontend", "gone": 1, "project_title": "acme/frontend"}'  # noqa: E501
    for act in (store.locks.unlock, lambda held: store.locks.take(held, lock("U0GRACE"))):
        await store._connection.redis.hset("ci:locks", SLUG, old)
        held = await store.locks.get(SLUG)
        assert held is not None
        assert await act(held)


async def test_a_lock_is_the_same_in_every_spelling_of_its_project(store: Store) -> None:
    spelled, other = ProjectSlug("gh/Acme/Frontend"), ProjectSlug("github/ACME/frontend")
    adas = await store.locks.lock(lock("U0ADA", Ref(name="main")).model_copy(update={"project_slug": spelled}))
    again = lock("U0GRACE", Ref(name="main")).model_copy(update={"project_slug": other})
    assert await store.locks.lock(again) == adas
    assert await on(store, other, Ref(name="main")) == [adas]
    assert await on(store, other, Ref(name="Main")) == []  # the case of a branch counts
    assert await store.locks.unlock(adas)
    assert await store.locks.all() == ([], [])


async def test_a_lock_that_an_earlier_version_kept_by_its_spelling_holds_and_is_lifted(store: Store) -> None:
    kept = lock("U0ADA", Ref(name="main")).model_copy(update={"project_slug": "gh/Acme/Frontend"})
    redis, name = store.locks._connection.redis, store.locks._name
    await redis.hset(name, "gh/Acme/Frontend main", kept.model_dump_json())
    assert await on(store, SLUG, Ref(name="main")) == [kept]
    assert await store.locks.lock(lock("U0GRACE", Ref(name="main"))) == kept
    mine = kept.model_copy(update={"holder_id": "U0GRACE"})
    assert await store.locks.take(kept, mine)
    assert await store.locks.get("gh/Acme/Frontend main") == mine  # as the button of before names it
    assert await store.locks.unlock(mine)
    assert await store.locks.all() == ([], [])


def ended(holder_id: str, ref: Ref | None = None) -> Lock:
    return lock(holder_id, ref).model_copy(update={"until": utc_now() - timedelta(seconds=1)})


async def test_a_lock_that_has_ended_stops_nobody_whoever_has_told_it_or_not(store: Store) -> None:
    held = await store.locks.lock(ended("U0ADA", Ref(name="main")))
    assert await store.locks.get(held.key) is None
    assert await on(store, SLUG, Ref(name="main")) == []
    assert await store.locks.all() == ([], [])
    assert await store.locks.due() == [held.key]


@pytest.mark.parametrize(("hours", "is_over"), [(-3, False), (3, True)], ids=["ahead", "behind"])
async def test_when_a_lock_ends_is_read_from_no_hosts_clock(store: Store, hours: int, is_over: bool) -> None:
    minutes = lock("U0ADA").model_copy(update={"until": utc_now() + timedelta(minutes=5 * hours)})
    server_is(store, timedelta(hours=hours))
    held = await store.locks.lock(minutes)
    assert await store.locks.all() == ([] if is_over else [held], [])
    assert await store.locks.settle(held.key) == await store.locks.get(held.key) == (None if is_over else held)
    assert await on(store, SLUG, Ref(name="main")) == ([] if is_over else [held])
    assert await store.locks.due() == ([held.key] if is_over else [])
    left = await store.locks.left(held)
    assert left is not None
    assert (left == timedelta(0)) == is_over


async def test_a_lock_that_has_ended_makes_room_and_is_still_to_be_told(store: Store) -> None:
    old = await store.locks.lock(ended("U0ADA"))
    assert await store.locks.lock(mine := lock("U0GRACE")) == mine
    (over,) = await store.locks.over(old.key)
    assert (over.lock, over.by_id) == (old, "")
    await store.locks.told(over)
    assert await store.locks.over(old.key) == []
    assert await store.locks.due() == []
    assert await store.locks.get(old.key) == mine


async def test_a_lock_that_is_lifted_is_to_be_told_as_it_stood_with_what_was_said_of_it(store: Store) -> None:
    held = await store.locks.lock(lock("U0ADA"))
    said = held.model_copy(update={"said_ts": "1.2"})
    assert await store.locks.take(held, said)
    assert await store.locks.unlock(held, Over(lock=held, by_id="U0GRACE"))  # as it was read before that was said
    assert [(one.lock, one.by_id) for one in await store.locks.over(held.key)] == [(said, "U0GRACE")]


async def test_who_waits_is_kept_as_long_as_the_lock_and_no_longer(store: Store) -> None:
    redis, held = store._connection.redis, await store.locks.lock(lock("U0ADA", Ref(name="main")))
    short = await store.locks.lock(lock("U0ADA"))
    for key in (held.key, short.key):
        await store.locks.wait(key, Waiting(person_id="U0GRACE"))
        await redis.expire(f"ci:waits:{key}", 60)  # a day has nearly gone by
    assert await store.locks.unlock(short)
    await store.locks.keep_waiting()
    assert await redis.ttl(f"ci:waits:{held.key}") > 60
    assert 0 < await redis.ttl(f"ci:waits:{short.key}") <= 60


async def test_who_waits_for_a_lock_is_kept_once_and_not_more_than_so_many(store: Store) -> None:
    key = lock("U0ADA").key
    asked = [await store.locks.wait(key, Waiting(person_id=f"U{number % 60}")) for number in range(70)]
    assert asked == [*[True] * 50, *[None] * 10, *[False] * 10]
    await store.locks.waits_no_more(key, "U0")
    assert await store.locks.wait(key, Waiting(person_id="U59", again="deploy acme/frontend main"))
    assert {one.person_id for one in await store.locks.waiting(key)} == {f"U{number}" for number in (*range(1, 50), 59)}
