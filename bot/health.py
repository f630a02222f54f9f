"""Whether this process can do its work, for `/readyz`."""

import asyncio
from collections.abc import Callable

from bot.errors import StoreError
from bot.messenger import Messenger
from bot.slack.sockets import Sockets
from bot.store import Store


class Health:
    """What stands in the way; what is not started yet, or not here, cannot."""

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store = store
        self._messenger = messenger
        self.sockets: Sockets | None = None
        self.worker_stopped: Callable[[], bool] = bool

    async def problems(self) -> list[str]:
        """Return why this process is not ready, in words; nothing when it is."""
        found = []
        try:
            async with asyncio.timeout(1):
                await self._store.probe()
        except (StoreError, TimeoutError):
            found.append("Redis does not answer, or takes nothing")
        if self._messenger.refused:
            found.append(f"Slack refuses the bot token: {self._messenger.refused}")
        if self.sockets is not None and not await self.sockets.is_connected():
            found.append("the socket to Slack is not connected")
        if self.worker_stopped():
            found.append("the worker has stopped")
        return found
