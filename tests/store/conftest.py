"""A store on an embedded server of its own."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.embedded import EmbeddedServer
from bot.store import Store

KEEP = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with EmbeddedServer(tmp_path) as server:
        store = Store(server.url, retention=KEEP)
        yield store
        await store.close()
