"""Who is first stays first, until it is released."""

from bot.store import Store


async def test_the_first_claim_counts(store: Store) -> None:
    assert await store.claims.claim("rerun:1", "ada") == "ada"
    assert await store.claims.claim("rerun:1", "grace") == "ada"
    await store.claims.release("rerun:1")
    assert await store.claims.claim("rerun:1", "grace") == "grace"
    assert await store.claims.first("sent")
    assert not await store.claims.first("sent")
