"""Acts that wait for somebody."""

from collections.abc import Callable

from bot.errors import StoreError
from bot.models.attempt import Attempt
from bot.models.pending import Pending
from bot.store.attempts import Attempts
from bot.store.connection import Connection, decoded, or_none

MOST_TRIES = 5
WAITING, OF_ONE, MOST_WAITING = "waiting", "waiting-of", 200

# Keeps a record in the place of the version that was seen; 0 where somebody else has written since.
_SAVE = """
local kept = redis.call('GET', KEYS[1])
local version = kept and (cjson.decode(kept)['version'] or -1) or 0  -- one of another version is not none
if version ~= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
for number = 2, 3 do
  local listed = KEYS[number]
  redis.call(unpack(ARGV[6] == '1' and {'ZADD', listed, ARGV[5], ARGV[4]} or {'ZREM', listed, ARGV[4]}))
  redis.call('ZREMRANGEBYRANK', listed, 0, -ARGV[7] - 1)
  redis.call('EXPIRE', listed, ARGV[3])
end
return 1
"""


class Pendings:
    """By the id of the delivery that asked; those that an earlier version kept as attempts are read as well."""

    def __init__(self, connection: Connection, attempts: Attempts) -> None:
        self._connection = connection
        self._attempts = attempts
        self._save = connection.script(_SAVE)

    async def get(self, pending_id: str) -> Pending | None:
        """Return an act that waits or waited, if there is one; raises Unreadable for one of another version."""
        data = await self._connection.ask(self._connection.redis.get(self._key(pending_id)))
        if data is not None:
            return decoded(Pending, data)
        attempt = await self._attempts.get(pending_id)
        return Pending.of(attempt) if attempt is not None and _waits(attempt) else None

    async def save(self, pending: Pending) -> Pending | None:
        """Record it as it stands, and return it; None where somebody else has written since it was read."""
        new = pending.model_copy(update={"version": pending.version + 1})
        keep = int(self._connection.retention.total_seconds())
        record = (new.model_dump_json(), pending.version, keep)
        listed = (new.id, new.asked_at.timestamp(), int(not new.over), MOST_WAITING)
        lists = [self._connection.key(WAITING), self._connection.key(OF_ONE, pending.asker.person_id)]
        saved = self._save(keys=[self._key(pending.id), *lists], args=[*record, *listed])
        return new if await self._connection.ask(saved) else None

    async def waiting(self) -> list[Pending]:
        """Return the acts that wait, the newest first; those that an earlier version kept are not among them."""
        return await self._listed(self._connection.key(WAITING))

    async def waiting_of(self, person_id: str) -> list[Pending]:
        """Return those that somebody or their agents asked for, the newest first: however many others wait."""
        return await self._listed(self._connection.key(OF_ONE, person_id))

    async def _listed(self, listed: str) -> list[Pending]:
        redis = self._connection.redis
        ids = await self._connection.ask(redis.zrevrange(listed, 0, MOST_WAITING - 1))
        found = await self._connection.ask(redis.mget([self._key(str(one)) for one in ids])) if ids else []
        kept = (or_none(Pending, data) for data in found)
        return [one for one in kept if one is not None and one.waits]

    async def change(
        self, pending_id: str, change: Callable[[Pending], Pending], *, though_over: bool = False
    ) -> Pending | None:
        """Change it as it stands by now, and return it; None for one that is gone, or over unless it may be."""
        for _ in range(MOST_TRIES):
            kept = await self.get(pending_id)
            if kept is None or (kept.over and not though_over):
                return None
            if saved := await self.save(change(kept)):
                return saved
        raise StoreError(f"{pending_id} changes all the time")

    def _key(self, pending_id: str) -> str:
        return self._connection.key("pending", pending_id)


def _waits(attempt: Attempt) -> bool:
    """Say whether an earlier version's attempt waits; all may be met, and its press be cut off before it was sent."""
    cut_off = not attempt.sent_by and attempt.pipeline_id is None and not attempt.over
    return bool(attempt.demands) or cut_off
