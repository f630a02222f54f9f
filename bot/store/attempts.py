"""Deploys as they stand, each recorded before CircleCI is asked."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import cast

from bot.models.attempt import Attempt
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.slugs import spelled_alike
from bot.store.connection import Connection, decoded, or_none
from bot.store.own import ASKED, Own

MOST_LATELY = 20  # of one branch, to know which of them still runs; of one person, to know which are not sent
ON_ITS_WAY = timedelta(minutes=10)  # so long a deploy may wait for its turns at CircleCI

# Records a deploy of a branch, unless one is there that was not seen, or another run has sent this one: 0 then.
_BEGIN = """
local kept = redis.call('GET', KEYS[1])
local sent = kept and cjson.decode(kept) or {}
if type(sent.sent_at) == 'string' and not sent.over then return 0 end
local seen = {[ARGV[1]] = true}
for nth = 6, #ARGV do seen[ARGV[nth]] = true end
for _, other in ipairs(redis.call('ZREVRANGE', KEYS[2], 0, ARGV[4] - 1)) do
  if not seen[other] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -ARGV[4] - 1)
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -ARGV[4] - 1)
redis.call('EXPIRE', KEYS[3], ARGV[5])
return 1
"""

# Writes down that a recorded deploy is sent; 0 where another run of it has, or where it was taken back.
_SEND = """
local kept = redis.call('GET', KEYS[1])
local one = kept and cjson.decode(kept) or {}
if type(one.sent_at) == 'string' or one.over then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""

# Takes back that one is sent, where this run of it has written that down and no other one.
_PUT_OFF = """
local kept = redis.call('GET', KEYS[1])
if not kept or cjson.decode(kept).sent_at ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""

# Writes down that one was refused, and not sent but maybe by this run; 0 where another run of it has, or it is over.
_REFUSE = """
local kept = redis.call('GET', KEYS[1])
local one = kept and cjson.decode(kept) or {}
if one.over or (type(one.sent_at) == 'string' and one.sent_at ~= ARGV[4]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[3])
return 1
"""


class Attempts:
    """Recorded deploys, by the id of the invocation that asked for them."""

    def __init__(self, connection: Connection, own: Own) -> None:
        self._connection = connection
        self._own = own
        self._begin = connection.script(_BEGIN)
        self._send = connection.script(_SEND)
        self._put_off = connection.script(_PUT_OFF)
        self._refuse = connection.script(_REFUSE)

    async def get(self, attempt_id: str) -> Attempt | None:
        """Return the recorded deploy, if there is one; raises Unreadable for one of another version."""
        data = await self._connection.ask(self._connection.redis.get(self._connection.key("attempt", attempt_id)))
        return None if data is None else decoded(Attempt, data)

    async def begin(self, attempt: Attempt, seen: Iterable[str]) -> bool:
        """Record a deploy that is to be sent; False where there is one of its branch by now that was not `seen`.

        Of two that begin at the same moment the second one sees the first. False too for one that is sent already.
        """
        keys = [self._connection.key("attempt", attempt.id), self._of_ref(attempt.project_slug, attempt.ref)]
        keys.append(self._connection.key("unsent", attempt.asker_id))
        keep = int(self._connection.retention.total_seconds())
        record = (attempt.id, attempt.model_dump_json(), attempt.asked_at.timestamp())
        return bool(await self._connection.ask(self._begin(keys=keys, args=[*record, MOST_LATELY, keep, *seen])))

    async def send(self, attempt: Attempt) -> bool:
        """Write down that it is sent now; False where another run of it has, which lives on, or it was taken back."""
        keep = int(self._connection.retention.total_seconds())
        sent = self._send(keys=[self._connection.key("attempt", attempt.id)], args=[attempt.model_dump_json(), keep])
        return bool(await self._connection.ask(sent))

    async def put_off(self, attempt: Attempt) -> Attempt:
        """Take back that it is sent, which surely did nothing; returns it as one that is still to be sent."""
        unsent = attempt.model_copy(update={"sent_at": None})
        keep, at = int(self._connection.retention.total_seconds()), _sent_at(attempt)
        keys = [self._connection.key("attempt", attempt.id)]
        await self._connection.ask(self._put_off(keys=keys, args=[unsent.model_dump_json(), keep, at]))
        return unsent

    async def refuse(self, attempt: Attempt) -> bool:
        """Write down that it came to nothing: what is `sent_at` then, it was, or never.

        False where another run of the same delivery has sent it, or it is over.
        """
        keys = [self._connection.key("attempt", attempt.id), self._of_ref(attempt.project_slug, attempt.ref)]
        keep = int(self._connection.retention.total_seconds())
        args = (attempt.model_dump_json(), keep, attempt.id, _sent_at(attempt))
        return bool(await self._connection.ask(self._refuse(keys=keys, args=args)))

    async def save(self, attempt: Attempt) -> Attempt:
        """Record the deploy as it stands; returns it."""
        key, data = self._connection.key("attempt", attempt.id), attempt.model_dump_json()
        of_ref, keep = self._of_ref(attempt.project_slug, attempt.ref), self._connection.retention
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.set(key, data, ex=keep)
        if attempt.over:  # what was refused is no deploy that could still run, and pushes none off the list
            pipeline.zrem(of_ref, attempt.id)
        else:
            pipeline.zadd(of_ref, {attempt.id: attempt.asked_at.timestamp()})
        pipeline.zremrangebyrank(of_ref, 0, -MOST_LATELY - 1)
        pipeline.expire(of_ref, keep)
        if attempt.pipeline_id:
            of_pipeline = self._of_pipeline(attempt.pipeline_id)
            pipeline.zadd(of_pipeline, {attempt.id: attempt.asked_at.timestamp()})
            pipeline.zremrangebyrank(of_pipeline, 0, -MOST_LATELY - 1)
            pipeline.expire(of_pipeline, keep)
        if attempt.pipeline_id and (attempt.sent_at or not attempt.reran):
            self._own.note(pipeline, attempt.asker_id, attempt.pipeline_id, ASKED, attempt.asked_at, anew=True)
        await self._connection.ask(pipeline.execute())
        return attempt

    async def lately_of(self, slug: ProjectSlug, ref: Ref) -> list[str]:
        """Return the ids of the newest deploys of a branch or tag, newest first."""
        newest = self._connection.redis.zrevrange(self._of_ref(slug, ref), 0, MOST_LATELY - 1)
        return cast("list[str]", await self._connection.ask(newest))

    async def of_pipelines(self, pipeline_ids: Collection[PipelineId]) -> list[str]:
        """Return the ids of the newest deploys that led to these pipelines, and of reruns of them, by whatever name."""
        pipeline = self._connection.redis.pipeline(transaction=False)
        for one in pipeline_ids:
            pipeline.zrevrange(self._of_pipeline(one), 0, MOST_LATELY - 1)
        found = await self._connection.ask(pipeline.execute()) if pipeline_ids else []
        return [attempt_id for ids in cast("list[list[str]]", found) for attempt_id in ids]

    async def unsent_of(self, person_id: str, now: datetime) -> list[Attempt]:
        """Return the deploys of a person that wait for their turn at CircleCI, newest first."""
        key, since = self._connection.key("unsent", person_id), (now - ON_ITS_WAY).timestamp()
        newest = self._connection.redis.zrange(key, "+inf", since, desc=True, byscore=True)
        found = await self.those(cast("list[str]", await self._connection.ask(newest)))
        return [one for one in found if one.is_unsent]

    async def those(self, ids: Collection[str]) -> list[Attempt]:
        """Return the recorded deploys of these ids; those of another version are left out."""
        if not ids:
            return []
        found = await self._connection.ask(
            self._connection.redis.mget([self._connection.key("attempt", one) for one in ids])
        )
        return [attempt for attempt in (or_none(Attempt, data) for data in found) if attempt is not None]

    def _of_pipeline(self, pipeline_id: PipelineId) -> str:
        return self._connection.key("deploys-of", pipeline_id)

    def _of_ref(self, slug: ProjectSlug, ref: Ref) -> str:
        return self._connection.key("deploys", f"{spelled_alike(slug)}:{ref.code}")


def _sent_at(attempt: Attempt) -> str:
    """Return since when one is sent, as its record has it; empty text where it is not."""
    return str(attempt.model_dump(mode="json")["sent_at"] or "")
