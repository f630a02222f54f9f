"""What was said and pressed, until it is handled; and what people did."""

from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar, cast

from bot.errors import Unreadable
from bot.models.audit import Entry
from bot.models.slack import Click, Invocation, utc_now
from bot.store.connection import Connection, decoded

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_ACTS = 1000
Said = TypeVar("Said", Invocation, Click)


class Sayings(Connection):
    """Deliveries of Slack, each handled once, and the record of acts."""

    async def record(self, said: Invocation | Click) -> bool:
        """Keep it for the worker; False when this delivery was queued before."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.exists(self._key("seen", said.id))
        pipeline.set(self._key("said", said.id), said.model_dump_json(), ex=DAY)
        seen, _ = await self._ask(pipeline.execute())
        return not seen

    async def mark_seen(self, delivery_id: str) -> None:
        """Drop redeliveries from now on: it is queued."""
        await self._ask(self._redis.set(self._key("seen", delivery_id), 1, ex=HOUR))

    async def said(self, kind: type[Said], delivery_id: str) -> Said | None:
        """Return what was recorded, unless a run before has handled it."""
        done, said = await self._ask(self._redis.mget(self._key("done", delivery_id), self._key("said", delivery_id)))
        if done or said is None:
            return None
        try:
            return decoded(kind, said)
        except Unreadable:
            return None  # it is in the log; whoever said it says it again

    async def invocation(self, invocation_id: str) -> Invocation | None:
        """Return what was said, handled or not."""
        said = await self._ask(self._redis.get(self._key("said", invocation_id)))
        return None if said is None else decoded(Invocation, said)

    async def mark_done(self, delivery_id: str) -> None:
        """Let a second run of the same delivery do nothing."""
        await self._ask(self._redis.set(self._key("done", delivery_id), 1, ex=DAY))

    async def audit(self, entry: Entry, keep: timedelta) -> None:
        """Add an act to the record, and drop what is older than `keep`."""
        oldest = int((entry.at - keep).timestamp() * 1000)
        fields: dict[Any, Any] = {"entry": entry.model_dump_json()}
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xadd(self._prefix + "audit", fields, minid=str(max(oldest, 0)), approximate=True)
        pipeline.expire(self._prefix + "audit", keep)
        await self._ask(pipeline.execute())

    async def audited(self, since: timedelta) -> list[Entry]:
        """Return what people did lately, newest first, the newest thousand at the most."""
        oldest = str(max(int((utc_now() - since).timestamp() * 1000), 0))
        stream = self._redis.xrevrange(self._prefix + "audit", "+", oldest, count=MOST_ACTS)
        found = cast("list[tuple[str, dict[str, str]]]", await self._ask(stream))
        entries: list[Entry] = []
        for _, fields in found:
            with suppress(Unreadable):
                entries.append(decoded(Entry, fields["entry"]))
        return entries
