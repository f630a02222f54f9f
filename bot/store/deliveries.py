"""What was said and pressed, until it is handled: each delivery of Slack once."""

from datetime import timedelta
from typing import TypeVar

from bot.errors import Unreadable
from bot.masks import masked
from bot.models.slack import Click, Invocation
from bot.store.connection import Connection, decoded

DAY = timedelta(days=1)
# An edit of a message is told under the name of what it was: so long it is known whether that was carried out.
LATEST_EDIT = DAY / 2
BEGUN, VOID = "begun", "void"
Said = TypeVar("Said", Invocation, Click)


class Deliveries:
    """Recorded, then seen (it is queued), then begun, then done (it is handled); or void (it was refused after all)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def record(self, said: Invocation | Click) -> bool:
        """Keep it for the worker; False when this delivery was queued before.

        What was said first stays, whatever comes under the same name: a message may be edited while it waits.
        """
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.exists(self._connection.key("seen", said.id))
        pipeline.set(self._connection.key("said", said.id), _as_kept(said).model_dump_json(), ex=DAY, nx=True)
        seen, _ = await self._connection.ask(pipeline.execute())
        return not seen

    async def mark_seen(self, delivery_id: str) -> None:
        """Drop redeliveries from now on: it is queued."""
        key = self._connection.key("seen", delivery_id)
        await self._connection.ask(self._connection.redis.set(key, 1, ex=DAY))

    async def is_seen(self, delivery_id: str) -> bool:
        """Say whether it was queued and acknowledged."""
        return bool(
            await self._connection.ask(self._connection.redis.exists(self._connection.key("seen", delivery_id)))
        )

    async def said(self, kind: type[Said], delivery_id: str) -> Said | None:
        """Return what was recorded for who begins with it, unless a run before has handled it, or it is void."""
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.set(self._connection.key("taken", delivery_id), BEGUN, nx=True, get=True, ex=DAY)
        pipeline.mget([self._connection.key(which, delivery_id) for which in ("done", "said")])
        taken, (done, said) = await self._connection.ask(pipeline.execute())
        if taken == VOID or done or said is None:
            return None
        try:
            return decoded(kind, said)
        except Unreadable:
            return None  # it is in the log; whoever said it says it again

    async def invocation(self, invocation_id: str) -> Invocation | None:
        """Return what was said, handled or not; raises Unreadable for a record of another version."""
        said = await self._connection.ask(self._connection.redis.get(self._connection.key("said", invocation_id)))
        return None if said is None else decoded(Invocation, said)

    async def void(self, delivery_id: str) -> bool:
        """Let nobody carry it out, whenever its task comes; False where a worker has begun with it."""
        key = self._connection.key("taken", delivery_id)
        taken = await self._connection.ask(self._connection.redis.set(key, VOID, nx=True, get=True, ex=DAY))
        return taken != BEGUN

    async def mark_done(self, delivery_id: str) -> None:
        """Let a second run of the same delivery do nothing."""
        key = self._connection.key("done", delivery_id)
        await self._connection.ask(self._connection.redis.set(key, 1, ex=DAY))


def _as_kept(said: Invocation | Click) -> Invocation | Click:
    """Return it without what looks like a credential, whoever let it come so far."""
    typed = "text" if isinstance(said, Invocation) else "value"
    return said.model_copy(update={typed: masked(getattr(said, typed))})
