"""The record of what people did."""

from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from bot.errors import Unreadable
from bot.models.audit import Entry
from bot.models.slack import utc_now
from bot.store.connection import Connection, decoded

MOST_ACTS = 1000


class Audit:
    """A stream, oldest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = connection.key("audit")

    async def add(self, entry: Entry, keep: timedelta) -> None:
        """Add an act to the record, and drop what is older than `keep`."""
        oldest = int((entry.at - keep).timestamp() * 1000)
        fields: dict[Any, Any] = {"entry": entry.model_dump_json()}
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.xadd(self._name, fields, minid=str(max(oldest, 0)), approximate=True)
        pipeline.expire(self._name, keep)
        await self._connection.ask(pipeline.execute())

    async def lately(self, since: timedelta) -> list[Entry]:
        """Return what people did lately, newest first, the newest thousand at the most."""
        oldest = str(max(int((utc_now() - since).timestamp() * 1000), 0))
        stream = self._connection.redis.xrevrange(self._name, "+", oldest, count=MOST_ACTS)
        found = cast("list[tuple[str, dict[str, str]]]", await self._connection.ask(stream))
        entries: list[Entry] = []
        for _, fields in found:
            with suppress(Unreadable):
                entries.append(decoded(Entry, fields["entry"]))
        return entries
