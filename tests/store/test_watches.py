"""Who follows, and what they were told."""

from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import Thread, Watch, utc_now
from bot.store import Store

PIPELINE = PipelineId("0f6d1c1e")


def watch(name: str = "Ev1", **more: object) -> Watch:
    fields = {
        "id": name,
        "pipeline_id": PIPELINE,
        "pipeline_number": 2417,
        "project_slug": ProjectSlug("gh/acme/frontend"),
        "project_title": "acme/frontend",
        "thread": Thread(channel_id="C0"),
        "asker_id": "U0ADA",
        "asked_at": utc_now(),
    }
    return Watch.model_validate({**fields, **more})


async def test_a_watch_keeps_what_it_was_told(store: Store) -> None:
    await store.watches.add(watch())
    told = (await store.watches.of(PIPELINE))[0].with_told("final:1", "final:1")
    await store.watches.save(told)
    await store.watches.add(watch())  # the same deploy, run a second time, forgets nothing
    assert [one.told for one in await store.watches.of(PIPELINE)] == [("final:1",)]
    assert await store.watches.watching() == {PIPELINE}
    await store.watches.stop(PIPELINE)
    assert await store.watches.watching() == set()
