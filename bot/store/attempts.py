"""Deploys as they stand, each recorded before CircleCI is asked."""

from bot.models.attempt import Attempt
from bot.store.connection import Connection, decoded


class Attempts:
    """Recorded deploys, by the id of the invocation that asked for them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, attempt_id: str) -> Attempt | None:
        """Return the recorded deploy, if there is one; raises Unreadable for one of another version."""
        data = await self._connection.ask(self._connection.redis.get(self._connection.key("attempt", attempt_id)))
        return None if data is None else decoded(Attempt, data)

    async def save(self, attempt: Attempt) -> Attempt:
        """Record the deploy as it stands; returns it."""
        key, data = self._connection.key("attempt", attempt.id), attempt.model_dump_json()
        await self._connection.ask(self._connection.redis.set(key, data, ex=self._connection.retention))
        return attempt
