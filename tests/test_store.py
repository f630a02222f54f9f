"""What is kept survives its process, and who is first stays first; on the embedded server itself."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.embedded import EmbeddedServer
from bot.errors import StoreError
from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import Invocation, Thread, Watch, utc_now
from bot.store import Store

PIPELINE = PipelineId("0f6d1c1e")
KEEP = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with EmbeddedServer(tmp_path) as server:
        store = Store(server.url, retention=KEEP)
        yield store
        await store.close()


def invocation(delivery: str = "Ev1") -> Invocation:
    return Invocation(id=delivery, kind="mention", text="help", user_id="U0ADA", team_id="T0ACME", channel_id="C0")


def watch() -> Watch:
    return Watch(
        id="Ev1",
        pipeline_id=PIPELINE,
        pipeline_number=2417,
        project_slug=ProjectSlug("gh/acme/frontend"),
        project_title="acme/frontend",
        thread=Thread(channel_id="C0"),
        asker_id="U0ADA",
        asked_at=utc_now(),
    )


async def test_a_redelivery_is_known_only_once_it_was_queued(store: Store) -> None:
    # C30: a process that dies between recording and queueing loses nothing.
    assert await store.record(invocation())
    assert await store.record(invocation())
    await store.mark_seen("Ev1")
    assert not await store.record(invocation())


async def test_what_was_handled_is_not_handled_again(store: Store) -> None:
    await store.record(invocation())
    assert await store.said(Invocation, "Ev1") == invocation()
    await store.mark_done("Ev1")
    assert await store.said(Invocation, "Ev1") is None
    assert await store.invocation("Ev1") == invocation()


async def test_the_first_claim_counts(store: Store) -> None:
    assert await store.claim("rerun:1", "ada") == "ada"
    assert await store.claim("rerun:1", "grace") == "ada"
    await store.release("rerun:1")
    assert await store.claim("rerun:1", "grace") == "grace"
    assert await store.first("sent")
    assert not await store.first("sent")


async def test_a_watch_keeps_what_it_was_told(store: Store) -> None:
    await store.add_watch(watch())
    told = (await store.watches(PIPELINE))[0].with_told("final:1", "final:1")
    await store.save_watch(told)
    await store.add_watch(watch())  # the same deploy, run a second time, forgets nothing
    assert [one.told for one in await store.watches(PIPELINE)] == [("final:1",)]
    assert await store.watching() == {PIPELINE}
    await store.stop_watching(PIPELINE)
    assert await store.watching() == set()


async def test_one_at_a_time_compares_and_tells(store: Store) -> None:
    async with store.fence(PIPELINE, KEEP) as first, store.fence(PIPELINE, KEEP) as second:
        assert (first, second) == (True, False)
    async with store.fence(PIPELINE, KEEP) as again:
        assert again


async def test_what_was_kept_survives_the_server(tmp_path: Path) -> None:
    for expected in (True, False):
        async with EmbeddedServer(tmp_path) as server:
            store = Store(server.url, retention=KEEP)
            assert await store.first("sent") is expected
            await store.close()


async def test_two_bots_never_share_a_data_folder(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path):
        with pytest.raises(StoreError, match="DATA_DIR"):
            await EmbeddedServer(tmp_path).__aenter__()


async def test_a_lost_redis_is_said_as_such(tmp_path: Path) -> None:
    store = Store(f"unix://{tmp_path}/nothing", retention=KEEP)
    with pytest.raises(StoreError):
        await store.ping()
    await store.close()
