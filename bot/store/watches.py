"""Builds under watch: their threads, their last look, and who looks at them."""

import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar, cast

from pydantic import BaseModel
from redis.asyncio import Redis

from bot.errors import StoreError, Unreadable
from bot.models.build import Build, Snapshot
from bot.models.circleci import PipelineId
from bot.models.lately import Lately
from bot.models.slack import Watch
from bot.store.connection import Connection, decoded, or_none
from bot.store.fence import held
from bot.store.own import ASKED, FOLLOWED, Own

M = TypeVar("M", bound=BaseModel)
WATCHING = "watching"
MOST_TRIES = 20
MOST_NUMBERED = 500  # builds of a channel, known by their numbers alone
_SETS = {"told", "also_told"}
MOST_READ = 4_000_000  # characters of records that are kept as they were read: some two thousand builds
HOUR, MILLISECOND, NO_PACE = timedelta(hours=1), timedelta(milliseconds=1), timedelta(0)

# Ends the polling, unless somebody follows who was not seen, or asked for a look since the last began.
_STOP = """
local watching, asked, watches, snapshot = unpack(KEYS)
if redis.call('EXISTS', asked) == 1 then return 0 end
local seen = {}
for number = 3, #ARGV do seen[ARGV[number]] = true end
for _, id in ipairs(redis.call('HKEYS', watches)) do
  if not seen[id] then return 0 end
end
redis.call('SREM', watching, ARGV[1])
redis.call('EXPIRE', watches, ARGV[2])
redis.call('EXPIRE', snapshot, ARGV[2])
return 1
"""


# Begins looks: what each finds, and after one that was asked for the time in which no other is. What is told right
# after one that nobody asked for is looked at at once. An earlier version let records live until the end of the build,
# which may never come.
_BEGIN = """
local prefix, pace, keep, found = ARGV[1], tonumber(ARGV[2]), ARGV[3], {}
local others, notices = redis.call('EXISTS', KEYS[1]), redis.call('EXISTS', KEYS[2])
for number = 4, #ARGV do
  local function key(kind) return prefix .. kind .. ':' .. ARGV[number] end
  local asked = redis.call('GETDEL', key('asked'))
  if pace > 0 and asked then redis.call('SET', key('looked'), 1, 'PX', pace) end
  redis.call('EXPIRE', key('watches'), keep, 'NX')
  redis.call('EXPIRE', key('snapshot'), keep, 'NX')
  found[#found + 1] = {
    asked, others, redis.call('EXISTS', key('young')), redis.call('PTTL', key('due')),
    notices, redis.call('GET', key('snapshot')), redis.call('HGETALL', key('watches')),
  }
end
return found
"""


class Known(NamedTuple):
    """What a look begins with: the snapshot, the threads, oldest first, and those another version alone can read.

    `asked` are the words of who asked for it since the last one began, a line each, `others_wait` says that somebody
    stands in line for a turn, `is_young` that somebody acted on it just now, `due` when it would have been time, and
    `is_noticed` that somebody wants to be told of their own builds.
    """

    snapshot: Snapshot
    watches: list[Watch]
    unread: frozenset[str]
    asked: tuple[str, ...] = ()
    others_wait: bool = False
    is_young: bool = False
    due: timedelta = timedelta(0)
    is_noticed: bool = False


class Seen(NamedTuple):
    """A build as it was at the last look, and its threads, oldest first."""

    build: Build | None
    watches: tuple[Watch, ...]


class Watches:
    """Watches, snapshots, and the fence around both.

    A fence saves work. What keeps the records right is that they are saved by field: each writer changes what it
    changed, in the record as it stands by then.
    """

    def __init__(self, connection: Connection, own: Own) -> None:
        self._connection = connection
        self._own = own
        self._stop = connection.script(_STOP)
        self._begin = connection.script(_BEGIN)
        # Most looks find what the one before found, and need not read it anew.
        self._read = Lately[tuple[type[BaseModel], str], BaseModel](MOST_READ)
        # The end of what is polled, even where nobody comes to it: from the last time that a thread heard anything.
        self._keep = 2 * connection.retention

    async def add(self, watch: Watch) -> None:
        """Let a thread follow a pipeline, from now or again."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.hsetnx(self._key(watch.pipeline_id), watch.id, watch.model_dump_json())
        self._remember_thread(pipeline, watch)
        self._remember_number(pipeline, watch)
        self._remember_whose(pipeline, watch)
        self._keep_watching(pipeline, watch.pipeline_id)
        await self._connection.ask(pipeline.execute())

    async def again(self, pipeline_id: PipelineId, young: timedelta) -> None:
        """Follow a pipeline that was acted on, ended or not, for its threads, and as a young one for a while."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        self._keep_watching(pipeline, pipeline_id)
        pipeline.set(self._connection.key("young", pipeline_id), 1, px=young)
        await self._connection.ask(pipeline.execute())

    async def announce(self, pipeline_id: PipelineId, words: str) -> None:
        """Note in a line that there is news of a pipeline, for the look that is about to be asked for."""
        key = self._connection.key("asked", pipeline_id)
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.append(key, f"\n{words}")
        pipeline.expire(key, HOUR)
        await self._connection.ask(pipeline.execute())

    async def save(self, before: Watch, after: Watch) -> Watch:
        """Record what differs between the two; returns the watch with what others recorded meanwhile.

        A watch that was removed stays removed, and `after` is returned. Raises Unreadable where another version has
        written it since.
        """
        for _ in range(MOST_TRIES):
            kept = await self._kept(after, longer=_is_news(before, after))
            if kept is None:
                return after
            record = merged(json.loads(kept), before, after)
            data = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            watch = decoded(Watch, data)
            if await self._connection.swap_field(self._key(watch.pipeline_id), watch.id, kept, data):
                return watch
        raise StoreError(f"{after.id} changes faster than it can be saved")

    async def remove(self, watch: Watch) -> None:
        """Let a thread follow its pipeline no more."""
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.hdel(self._key(watch.pipeline_id), watch.id)
        self._own.forget(pipeline, watch.watcher_id, watch.pipeline_id)
        await self._connection.ask(pipeline.execute())

    async def leave(self, watch: Watch, person_id: str) -> Watch | None:
        """Let a thread tell somebody no more; returns the watch of who is left, None where it follows for nobody."""
        left = watch.without(person_id)
        if left is None:
            await self.remove(watch)
            return None
        saved = await self.save(watch, left)
        pipeline = self._connection.redis.pipeline(transaction=True)
        self._own.forget(pipeline, person_id, watch.pipeline_id)
        await self._connection.ask(pipeline.execute())
        return saved

    async def leave_thread(self, watch: Watch) -> None:
        """Let its thread mean the others that it follows, or followed, where nothing is named; the last it means still.

        What was removed is not remembered anew by anybody: this comes last.
        """
        if not watch.reply_ts:
            return
        newest, followed = self._of_thread(f"{watch.thread.channel_id}:{watch.reply_ts}")
        others = await self.of_thread(watch.thread.channel_id, watch.reply_ts) - {watch.pipeline_id}
        if not others:
            return
        pipeline = self._connection.redis.pipeline(transaction=True)
        pipeline.set(newest, max(others), ex=self._connection.retention)  # which an earlier version goes by
        pipeline.srem(followed, watch.pipeline_id)
        await self._connection.ask(pipeline.execute())

    async def of_thread(self, channel_id: str, thread_ts: str) -> frozenset[PipelineId]:
        """Return the pipelines that a thread follows or followed."""
        # An earlier version wrote the newest alone; one may be running beside us, or come back.
        newest, followed = self._of_thread(f"{channel_id}:{thread_ts}")
        pipeline = self._connection.redis.pipeline(transaction=False)
        pipeline.get(newest)
        pipeline.smembers(followed)
        one, several = await self._connection.ask(pipeline.execute())
        return frozenset(PipelineId(str(found)) for found in (one, *several) if found is not None)

    async def numbered(self, channel_id: str, number: int) -> frozenset[PipelineId]:
        """Return the pipelines of this number, of the newest that a channel follows or followed."""
        found = self._connection.redis.zrange(self._connection.key("numbered", channel_id), 0, -1)
        names = [str(one).split(" ") for one in await self._connection.ask(found)]
        return frozenset(PipelineId(pipeline_id) for of, pipeline_id in names if of == str(number))

    async def of(self, pipeline_id: PipelineId) -> list[Watch]:
        """Return the threads that follow the pipeline, oldest first."""
        found = self._connection.redis.hvals(self._key(pipeline_id))
        return _readable(await self._connection.ask(cast("Awaitable[list[str]]", found)))

    async def any(self, pipeline_id: PipelineId) -> bool:
        """Say whether a thread follows the pipeline, be it one that another version alone can read."""
        found = self._connection.redis.hlen(self._key(pipeline_id))
        return await self._connection.ask(found) > 0

    async def unread(self, pipeline_id: PipelineId) -> bool:
        """Say whether a thread follows the pipeline that another version alone can read."""
        found = self._connection.redis.hvals(self._key(pipeline_id))
        records = await self._connection.ask(cast("Awaitable[list[str]]", found))
        return len(_readable(records)) < len(records)

    async def watching(self) -> set[PipelineId]:
        """Return the pipelines that must have a poll."""
        found = self._connection.redis.smembers(self._connection.key(WATCHING))
        return {PipelineId(one) for one in await self._connection.ask(cast("Awaitable[set[str]]", found))}

    async def watched(self, pipeline_ids: Iterable[PipelineId]) -> set[PipelineId]:
        """Return those of them that are polled."""
        asked = list(pipeline_ids)
        pipeline = self._connection.redis.pipeline(transaction=False)
        for pipeline_id in asked:
            pipeline.sismember(self._connection.key(WATCHING), pipeline_id)
        found = await self._connection.ask(pipeline.execute())
        return {one for one, is_watched in zip(asked, found, strict=True) if is_watched}

    async def count(self) -> int:
        """Return how many pipelines are polled."""
        return await self._connection.ask(self._connection.redis.scard(self._connection.key(WATCHING)))

    async def seen(self, pipeline_ids: Sequence[PipelineId]) -> list[Seen]:
        """Return how each of them stood at its last look, with the threads that follow or followed it, in one trip."""
        pipeline = self._connection.redis.pipeline(transaction=False)
        for pipeline_id in pipeline_ids:
            pipeline.get(self._snapshot(pipeline_id))
            pipeline.hvals(self._key(pipeline_id))
        found = await self._connection.ask(pipeline.execute()) if pipeline_ids else []
        each = zip(found[::2], found[1::2], strict=True)
        return [Seen((or_none(Snapshot, look) or Snapshot()).build, tuple(_readable(of))) for look, of in each]

    async def known(self, pipeline_id: PipelineId) -> Known:
        """Return what a look begins with."""
        return (await self.begin([pipeline_id]))[0]

    async def begin(self, pipeline_ids: Sequence[PipelineId], pace: timedelta = NO_PACE) -> list[Known]:
        """Return what each look begins with, in one step; after one that was asked for, others wait for the `pace`."""
        pause, keep = max(round(pace / MILLISECOND), 0), int(self._keep.total_seconds())
        asked: list[str | int] = [self._connection.prefix, pause, keep, *pipeline_ids]
        keys = [self._connection.key("line"), self._connection.key("notices")]
        found = await self._connection.ask(self._begin(keys=keys, args=asked))
        return [self._known(*one) for one in found]

    def _known(self, asked: str | None, *found: Any) -> Known:
        """Return what the server tells."""
        others, young, left, notices, look, threads = found
        by_id = dict(zip(threads[::2], threads[1::2], strict=True))
        watches = [watch for data in by_id.values() if (watch := self._decoded(Watch, data))]
        unread = frozenset(by_id) - {one.id for one in watches}
        # CircleCI knows all of a snapshot.
        before = (look and self._decoded(Snapshot, look)) or Snapshot()
        words, due = tuple(filter(None, (asked or "").split("\n"))), max(left, 0) * MILLISECOND
        seen = Known(before, _oldest_first(watches), unread, words, due=due)
        return seen._replace(others_wait=bool(others), is_young=bool(young), is_noticed=bool(notices))

    def _decoded(self, kind: type[M], data: str) -> M | None:
        """Return a record, or None for one of another version; as it was read before where it is the same."""
        if (found := self._read.get((kind, data))) is None and (found := or_none(kind, data)) is not None:
            self._read.put((kind, data), found, len(data))
        return cast("M | None", found)

    async def last_look(self, pipeline_id: PipelineId) -> Snapshot:
        """Return what is known after the last look."""
        snapshot = await self._connection.ask(self._connection.redis.get(self._snapshot(pipeline_id)))
        return or_none(Snapshot, snapshot) or Snapshot()

    async def save_snapshot(self, pipeline_id: PipelineId, snapshot: Snapshot) -> None:
        """Record what is known after this look."""
        put = self._connection.redis.set(self._snapshot(pipeline_id), snapshot.model_dump_json(), ex=self._keep)
        await self._connection.ask(put)

    async def stop(self, pipeline_id: PipelineId, seen: Iterable[str]) -> bool:
        """Poll it no more; its buttons work until the retention is over.

        Nothing is stopped, and False returned, when another thread follows than the watches of `seen`, or when
        somebody asked for a look since the last one began.
        """
        keys = [self._connection.key(WATCHING), self._connection.key("asked", pipeline_id)]
        keys += [self._key(pipeline_id), self._snapshot(pipeline_id)]
        seconds = int(self._connection.retention.total_seconds())
        return bool(await self._connection.ask(self._stop(keys=keys, args=[pipeline_id, seconds, *seen])))

    def try_fence(self, pipeline_id: PipelineId, lease: timedelta) -> AbstractAsyncContextManager[bool]:
        """Yield at once whether nobody else compares and tells for this pipeline; then nobody does while it is held."""
        return held(self._connection, self._connection.key("fence", pipeline_id), lease)

    @asynccontextmanager
    async def fence(self, pipeline_id: PipelineId, lease: timedelta, *, wait: timedelta) -> AsyncIterator[None]:
        """Wait until nobody else compares and tells for this pipeline; raises StoreError when that takes too long."""
        async with held(self._connection, self._connection.key("fence", pipeline_id), lease, wait=wait) as alone:
            if not alone:
                raise StoreError(f"somebody else has told about {pipeline_id} for longer than {wait}")
            yield

    async def _kept(self, watch: Watch, *, longer: bool) -> str | None:
        pipeline = self._connection.redis.pipeline(transaction=False)
        self._remember_thread(pipeline, watch)
        self._remember_whose(pipeline, watch)  # which an earlier version did not
        if longer:
            pipeline.expire(self._key(watch.pipeline_id), self._keep, gt=True)
        pipeline.hget(self._key(watch.pipeline_id), watch.id)
        *_, kept = await self._connection.ask(pipeline.execute())
        return None if kept is None else str(kept)

    def _remember_thread(self, pipeline: "Redis", watch: Watch) -> None:
        if watch.reply_ts:
            newest, followed = self._of_thread(f"{watch.thread.channel_id}:{watch.reply_ts}")
            pipeline.set(newest, watch.pipeline_id, ex=self._connection.retention)
            pipeline.sadd(followed, watch.pipeline_id)
            pipeline.expire(followed, self._connection.retention)

    def _remember_whose(self, pipeline: "Redis", watch: Watch) -> None:
        self._own.note(pipeline, watch.asker_id, watch.pipeline_id, ASKED, watch.asked_at)
        if watch.watcher_id != watch.asker_id:
            self._own.note(pipeline, watch.watcher_id, watch.pipeline_id, FOLLOWED, watch.asked_at)
        for person_id in watch.also_told:
            self._own.note(pipeline, person_id, watch.pipeline_id, FOLLOWED, watch.asked_at)

    def _remember_number(self, pipeline: "Redis", watch: Watch) -> None:
        name = f"{watch.pipeline_number} {watch.pipeline_id}"
        key = self._connection.key("numbered", watch.thread.channel_id)
        pipeline.zadd(key, {name: watch.asked_at.timestamp()})
        pipeline.zremrangebyrank(key, 0, -MOST_NUMBERED - 1)
        pipeline.expire(key, self._connection.retention)

    def _of_thread(self, thread: str) -> tuple[str, str]:
        return self._connection.key("thread", thread), self._connection.key("followed-in", thread)

    def _keep_watching(self, pipeline: "Redis", pipeline_id: PipelineId) -> None:
        pipeline.sadd(self._connection.key(WATCHING), pipeline_id)
        pipeline.set(self._connection.key("asked", pipeline_id), 1, ex=HOUR)
        pipeline.expire(self._key(pipeline_id), self._keep)
        pipeline.expire(self._snapshot(pipeline_id), self._keep)

    def _key(self, pipeline_id: PipelineId) -> str:
        return self._connection.key("watches", pipeline_id)

    def _snapshot(self, pipeline_id: PipelineId) -> str:
        return self._connection.key("snapshot", pipeline_id)


def merged(kept: Mapping[str, Any], before: Watch, after: Watch) -> dict[str, Any]:
    """Return the record that is kept with what changed between two watches; what it says beyond that stays.

    What a thread was told is a set, as is who hears of the end: each is added to and taken from. A post on its way is
    ended by who sent it.
    """
    changed = {name for name in Watch.model_fields if getattr(before, name) != getattr(after, name)}
    if after.saying is None and _mark(kept.get("saying")) != (before.saying and before.saying.mark):
        changed.discard("saying")
    record = {**kept, **after.model_dump(mode="json", include=changed)}
    for name in _SETS & changed:
        was, now = getattr(before, name), getattr(after, name)
        left = [one for one in kept.get(name, ()) if one in now or one not in was]
        record[name] = [*left, *(one for one in now if one not in was and one not in left)]
    return record


def _is_news(before: Watch, after: Watch) -> bool:
    """Say whether a thread was told anything; what Slack would not take is no reason to keep a watch longer."""
    tries = {"saying": None, "refusals": 0}
    return before.model_copy(update=tries) != after.model_copy(update=tries)


def _mark(saying: Mapping[str, Any] | None) -> str | None:
    return None if saying is None else str(saying.get("mark"))


def _readable(found: Iterable[str]) -> list[Watch]:
    watches: list[Watch] = []
    for data in found:
        with suppress(Unreadable):
            watches.append(decoded(Watch, data))
    return _oldest_first(watches)


def _oldest_first(watches: Iterable[Watch]) -> list[Watch]:
    return sorted(watches, key=lambda watch: watch.asked_at)
