"""Windows that people have open: Slack does not say where one was opened, and what it carries may be altered."""

import secrets
from datetime import timedelta

from bot.models.window import Window
from bot.store.connection import Connection, or_none

KEPT = timedelta(hours=1)


class Windows:
    """Each by an id of its own, written before it is shown."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, window: Window) -> str:
        """Keep a window that is about to be opened, and return its id."""
        window_id = secrets.token_urlsafe(16)
        kept = self._connection.redis.set(self._key(window_id), window.model_dump_json(), ex=KEPT)
        await self._connection.ask(kept)
        return window_id

    async def get(self, window_id: str) -> Window | None:
        """Return a window, None for one that stood open for too long, or that never was."""
        return or_none(Window, await self._connection.ask(self._connection.redis.get(self._key(window_id))))

    def _key(self, window_id: str) -> str:
        return self._connection.key("window", window_id)
