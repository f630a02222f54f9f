"""What is kept survives its process and is nobody else's; a server that is away is said to be."""

from pathlib import Path

import pytest

from bot.embedded import EmbeddedServer
from bot.errors import StoreError
from bot.store import Store
from tests.store.conftest import KEEP


async def test_what_was_kept_survives_the_server(tmp_path: Path) -> None:
    for expected in (True, False):
        async with EmbeddedServer(tmp_path) as server:
            store = Store(server.url, retention=KEEP)
            assert await store.claims.first("sent") is expected
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
