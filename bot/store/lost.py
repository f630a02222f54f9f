"""Whose answers were lost, until it was said what became of them."""

from bot.models.lost import Lost
from bot.store.connection import Connection, decoded


class Losts:
    """One record for each delivery."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save(self, lost: Lost) -> None:
        """Keep one."""
        key, data = self._key(lost.id), lost.model_dump_json()
        await self._connection.ask(self._connection.redis.set(key, data, ex=self._connection.retention))

    async def get(self, lost_id: str) -> Lost | None:
        """Return one, if it is still to be looked for."""
        data = await self._connection.ask(self._connection.redis.get(self._key(lost_id)))
        return None if data is None else decoded(Lost, str(data))

    async def forget(self, lost_id: str) -> None:
        """Let it be over."""
        await self._connection.ask(self._connection.redis.delete(self._key(lost_id)))

    def _key(self, lost_id: str) -> str:
        return self._connection.key("lost", lost_id)
