"""A store in a database of its own."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import Store
from tests.one_redis import redis_url

KEEP = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(redis_url(tmp_path), retention=KEEP)
    yield store
    await store.close()
