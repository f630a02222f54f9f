"""That the webhooks of a project arrive is known for a day, however its slug is spelled, until one is missed."""

from datetime import UTC, datetime, timedelta

from bot.store import Store

THEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


async def test_the_last_that_happened_is_known_whatever_came_last(store: Store) -> None:
    assert await store.hooks.last("gh/acme/frontend") is None
    for seconds in (60, 0, 30):
        await store.hooks.heard(["github/Acme/frontend", "gh/acme/frontend", ""], THEN + timedelta(seconds=seconds))
    assert await store.hooks.last("gh/acme/frontend") == THEN + timedelta(seconds=60)
    assert await store.hooks.last("gh/acme/backend") is None
    assert 0 < await store._connection.redis.ttl("ci:hooks:gh/acme/frontend") <= 86_400
    await store.hooks.missed("gh/acme/frontend")
    assert await store.hooks.last("gh/acme/frontend") is None
