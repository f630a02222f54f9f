"""Who was first: what only one may do, or hold."""

from datetime import timedelta

from bot.store.connection import Connection

# Puts a holder in the place of the one who was seen, for as long as that one had it; 0 where somebody else has it.
_SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
"""


class Claims:
    """Each is kept for the retention where the caller does not say otherwise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._swap = connection.script(_SWAP)

    async def claim(self, what: str, holder: str, keep: timedelta | None = None) -> str:
        """Return who holds `what`: `holder` itself when it was first, or already held it."""
        put = self._connection.redis.set(self._key(what), holder, nx=True, get=True, ex=self._for(keep))
        first = await self._connection.ask(put)
        return holder if first is None else str(first)

    async def first(self, what: str, keep: timedelta | None = None) -> bool:
        """Say whether nobody asked this before, ourselves included; from now on somebody has."""
        put = self._connection.redis.set(self._key(what), 1, nx=True, ex=self._for(keep))
        return bool(await self._connection.ask(put))

    async def age(self, what: str, keep: timedelta) -> timedelta:
        """Return for how long it has been held by who keeps it so long; nothing where nobody holds it."""
        left = timedelta(milliseconds=int(await self._connection.ask(self._connection.redis.pttl(self._key(what)))))
        return keep - left if timedelta(0) < left < keep else timedelta(0)

    async def holder(self, what: str) -> str | None:
        """Return who holds `what`, without asking for it."""
        holder = await self._connection.ask(self._connection.redis.get(self._key(what)))
        return None if holder is None else str(holder)

    async def is_taken(self, what: str) -> bool:
        """Say whether somebody holds it, without asking for it."""
        return await self.holder(what) is not None

    async def swap(self, what: str, holder: str, new_holder: str) -> bool:
        """Hand `what` on from `holder`, for the time that is left of it; False when `holder` does not hold it."""
        return bool(await self._connection.ask(self._swap(keys=[self._key(what)], args=[holder, new_holder])))

    async def count(self, what: str, keep: timedelta | None = None) -> int:
        """Count one more try; returns how many there were by now, since the last `keep` without one."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.incr(self._key(what))
        pipeline.expire(self._key(what), self._for(keep))
        tries, _ = await self._connection.ask(pipeline.execute())
        return int(tries)

    async def release(self, what: str) -> None:
        """Let somebody else try."""
        await self._connection.ask(self._connection.redis.delete(self._key(what)))

    def _key(self, what: str) -> str:
        return self._connection.key("claim", what)

    def _for(self, keep: timedelta | None) -> timedelta:
        return keep or self._connection.retention
