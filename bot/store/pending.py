"""Acts that wait for somebody."""

from bot.models.attempt import Attempt
from bot.models.pending import Pending
from bot.store.attempts import Attempts
from bot.store.connection import Connection, decoded


class Pendings:
    """By the id of the delivery that asked; those that an earlier version kept as attempts are read as well."""

    def __init__(self, connection: Connection, attempts: Attempts) -> None:
        self._connection = connection
        self._attempts = attempts

    async def get(self, pending_id: str) -> Pending | None:
        """Return an act that waits or waited, if there is one; raises Unreadable for one of another version."""
        data = await self._connection.ask(self._connection.redis.get(self._key(pending_id)))
        if data is not None:
            return decoded(Pending, data)
        attempt = await self._attempts.get(pending_id)
        return Pending.of(attempt) if attempt is not None and _waits(attempt) else None

    async def save(self, pending: Pending) -> Pending:
        """Record it as it stands; returns it."""
        data, keep = pending.model_dump_json(), self._connection.retention
        await self._connection.ask(self._connection.redis.set(self._key(pending.id), data, ex=keep))
        return pending

    def _key(self, pending_id: str) -> str:
        return self._connection.key("pending", pending_id)


def _waits(attempt: Attempt) -> bool:
    """Say whether an earlier version's attempt waits; all may be met, and its press be cut off before it was sent."""
    cut_off = not attempt.sent_by and attempt.pipeline_id is None and not attempt.over
    return bool(attempt.demands) or cut_off
