"""Who is first stays first, until it is released or handed on."""

import asyncio
from datetime import timedelta

from bot.store import Store

MINUTE = timedelta(minutes=1)


async def test_the_first_claim_counts(store: Store) -> None:
    assert await store.claims.claim("rerun:1", "ada") == "ada"
    assert await store.claims.claim("rerun:1", "grace") == "ada"
    assert await store.claims.claim("rerun:1", "ada") == "ada"
    await store.claims.release("rerun:1")
    assert await store.claims.claim("rerun:1", "grace") == "grace"
    assert await store.claims.first("sent")
    assert not await store.claims.first("sent")


async def test_of_many_who_claim_at_once_all_know_the_one(store: Store) -> None:
    held = await asyncio.gather(*(store.claims.claim("rerun:1", f"U{number}") for number in range(12)))
    assert len(set(held)) == 1


async def test_a_claim_is_handed_on_by_its_holder_alone(store: Store) -> None:
    assert not await store.claims.swap("second:1", "nobody", "grace")
    await store.claims.claim("second:1", "ada")
    assert not await store.claims.swap("second:1", "grace", "grace")
    assert await store.claims.swap("second:1", "ada", "grace")
    assert await store.claims.claim("second:1", "ada") == "grace"


async def test_of_two_who_hand_on_at_once_one_does(store: Store) -> None:
    await store.claims.claim("second:1", "ada")
    swaps = (store.claims.swap("second:1", "ada", f"U{number}") for number in range(12))
    assert sorted(await asyncio.gather(*swaps)) == [False] * 11 + [True]


async def test_what_is_handed_on_ends_when_it_would_have_ended(store: Store) -> None:
    await store.claims.claim("second:1", "ada", MINUTE)
    await store.claims.swap("second:1", "ada", "grace")
    assert 0 < await store._connection.redis.ttl("ci:claim:second:1") <= 60


async def test_tries_are_counted_for_a_while(store: Store) -> None:
    assert [await store.claims.count("complete:1", MINUTE) for _ in range(3)] == [1, 2, 3]
    assert 0 < await store._connection.redis.ttl("ci:claim:complete:1") <= 60
