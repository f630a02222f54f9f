"""Acts that wait: nobody writes over what they have not seen, and what is over stays so."""

from datetime import UTC, datetime

import pytest

from bot.errors import Unreadable
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug, Ref
from bot.models.pending import Deployment, Pending
from bot.store import Store
from bot.store.pending import MOST_WAITING

NOW = datetime(2026, 11, 1, 10, tzinfo=UTC)
ADA = Caller(person_id="U0ADA", delivery_id="asked")
WISH = Deployment(project_slug=ProjectSlug("gh/acme/frontend"), project_title="acme/frontend", ref=Ref(name="main"))
ASKED = Pending(id="asked", wish=WISH, asker=ADA, asked_at=NOW)


async def test_who_has_not_seen_the_newest_version_does_not_write_over_it(store: Store) -> None:
    first = await store.pending.save(ASKED)
    assert first is not None
    assert await store.pending.save(first.ended) is not None
    assert await store.pending.save(first.model_copy(update={"request_ts": "1.2"})) is None
    assert await store.pending.save(ASKED) is None
    kept = await store.pending.get("asked")
    assert kept is not None
    assert kept.over
    assert kept.request_ts is None


async def test_what_is_over_or_gone_is_not_changed(store: Store) -> None:
    assert await store.pending.change("asked", lambda one: one.ended) is None
    await store.pending.save(ASKED)
    changed = await store.pending.change("asked", lambda one: one.model_copy(update={"request_ts": "1.2"}))
    assert changed is not None
    assert (changed.request_ts, changed.version) == ("1.2", 2)
    assert await store.pending.change("asked", lambda one: one.ended) is not None
    assert await store.pending.change("asked", lambda one: one.model_copy(update={"over": False})) is None


async def test_a_change_is_made_to_what_stands_there_by_now(store: Store) -> None:
    await store.pending.save(ASKED)
    seen = await store.pending.get("asked")
    assert seen is not None
    await store.pending.change("asked", lambda one: one.model_copy(update={"request_ts": "1.2"}))
    await store.pending.change(seen.id, lambda one: one.model_copy(update={"choices": ("build",)}))
    kept = await store.pending.get("asked")
    assert kept is not None
    assert (kept.request_ts, kept.choices) == ("1.2", ("build",))


async def test_what_waits_is_listed_until_it_is_over_or_late(store: Store) -> None:
    late = ASKED.model_copy(update={"id": "late", "expires_at": NOW})
    newer = ASKED.model_copy(update={"id": "newer", "asked_at": NOW.replace(hour=11)})
    for one in (ASKED, late, newer):
        await store.pending.save(one)
    assert [one.id for one in await store.pending.waiting()] == ["newer", "asked"]
    await store.pending.change("newer", lambda one: one.ended)
    await store.pending.change("asked", lambda one: one.model_copy(update={"request_ts": "1.2"}))
    assert [one.request_ts for one in await store.pending.waiting()] == ["1.2"]
    await store._connection.redis.set(store._connection.key("pending", "asked"), '{"from": "the future"}')
    assert await store.pending.waiting() == []


async def test_what_one_person_waits_for_is_listed_however_much_others_do(store: Store) -> None:
    grace, robot = (ADA.model_copy(update={"person_id": one, "agent": "laptop"}) for one in ("U0GRACE", "U0ADA"))
    await store.pending.save(ASKED.model_copy(update={"asker": robot}))
    for number in range(MOST_WAITING + 1):
        later = {"id": f"later-{number}", "asker": grace, "asked_at": NOW.replace(hour=11)}
        await store.pending.save(ASKED.model_copy(update=later))
    assert "asked" not in [one.id for one in await store.pending.waiting()]
    assert [one.id for one in await store.pending.waiting_of("U0ADA")] == ["asked"]
    assert len(await store.pending.waiting_of("U0GRACE")) == MOST_WAITING
    await store.pending.change("asked", lambda one: one.ended)
    assert await store.pending.waiting_of("U0ADA") == []


async def test_one_of_another_version_is_not_none(store: Store) -> None:
    key = store._connection.key("pending", "asked")
    await store._connection.redis.set(key, '{"from": "the future"}')
    with pytest.raises(Unreadable):
        await store.pending.get("asked")
    assert await store.pending.save(ASKED) is None
    assert await store._connection.redis.get(key) == '{"from": "the future"}'
