"""One at a time compares and tells."""

from datetime import timedelta

from bot.models.circleci import PipelineId
from bot.store import Store

PIPELINE = PipelineId("0f6d1c1e")
LEASE = timedelta(minutes=1)


async def test_one_at_a_time_compares_and_tells(store: Store) -> None:
    async with (
        store.watches.fence(PIPELINE, LEASE) as first,
        store.watches.fence(PIPELINE, LEASE) as second,
        store.watches.fence(PipelineId("another"), LEASE) as elsewhere,
    ):
        assert (first, second, elsewhere) == (True, False, True)
    async with store.watches.fence(PIPELINE, LEASE) as again:
        assert again
