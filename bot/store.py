"""What the bot keeps in Redis; nothing else knows its keys.

| key (behind `ci:`)             | value                                     | kept for                  |
| ------------------------------ | ----------------------------------------- | ------------------------- |
| `said:<delivery id>`           | an Invocation or a Click                  | a day                     |
| `seen:<delivery id>`           | it was queued: a redelivery is dropped    | an hour                   |
| `done:<delivery id>`           | it was handled: a second run does nothing | a day                     |
| `acted:<pipeline id>`          | what last reran it, and who               | the retention             |
| `attempt:<invocation id>`      | an Attempt                                | the retention             |
| `claim:<what>`                 | who was first                             | as the caller says        |
| `watches:<pipeline id>`        | watch id -> Watch                         | the retention, when ended |
| `snapshot:<pipeline id>`       | a Snapshot                                | the retention, when ended |
| `watching`                     | pipeline ids that are polled              | until they end            |
| `thread:<channel id>:<ts>`     | the pipeline id that this thread follows  | the retention             |
| `lags`                         | seconds from a build's end to Slack       | a hundred of them         |
| `fence:<pipeline id>`          | whoever compares and tells                | the lease                 |
| `audit`                        | a stream of Entry, oldest first           | as the caller says        |
| `locks`                        | what is locked -> Lock                    | until it is unlocked      |
| `past:<pipeline id>`           | a PastBuild: its attempts, all ended      | the retention             |
| `results:<project>:<job>`      | JobResults: a job's tests                 | the retention             |
| `steps:<project>:<job>`        | how long each step of a job took, seconds | the retention             |
| `ended:<pipeline id>`          | Ended: its end, until it is judged        | a day                     |
| `pause:<far side>`             | it asked us to wait                       | as long as it asked       |
| `budget:…`                     | turns taken, as the library limits counts | two windows               |
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar, cast

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from pydantic import BaseModel, ValidationError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.lock import Lock as RedisLock
from redis.exceptions import LockError, RedisError

from bot.errors import StoreError, Unreadable
from bot.logs import Outage
from bot.models.attempt import Attempt
from bot.models.audit import Entry
from bot.models.build import Ended, Snapshot
from bot.models.checkup import Memory, Pulse
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.history import JobResults, PastBuild
from bot.models.lock import Lock, lock_key
from bot.models.slack import Click, Invocation, Watch, utc_now

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_LAGS, MOST_ACTS = 100, 1000
MILLISECOND = timedelta(milliseconds=1)
Said = TypeVar("Said", Invocation, Click)
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
log = structlog.get_logger(__name__)


class Store:
    """Typed reads and writes; each raises StoreError when Redis does not answer."""

    def __init__(self, url: str, *, retention: timedelta, prefix: str = "ci:") -> None:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=16, timeout=5, socket_timeout=5, socket_connect_timeout=2, decode_responses=True
        )
        self._redis = Redis.from_pool(pool)
        counters = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=f"{prefix}budget",
            connection_pool=pool,  # type: ignore[arg-type]  # documented, but not in its type
        )
        self._limiter = SlidingWindowCounterRateLimiter(counters)
        self._outage = Outage("Redis")
        self._retention = retention
        self._prefix = prefix

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def ping(self) -> None:
        """Return when Redis answers."""
        await self._ask(self._redis.ping())

    async def condition(self) -> Memory:
        """Return how the server stands."""
        info = await self._ask(self._redis.info())
        return Memory(
            version=str(info.get("redis_version") or ""),
            append_only=bool(info.get("aof_enabled")),
            when_full=str(info.get("maxmemory_policy") or "noeviction"),
            pulse=await self._pulse(),
        )

    async def note_lag(self, lag: timedelta) -> None:
        """Remember how late a result was, for the check-up."""
        key = self._prefix + "lags"
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.lpush(key, round(lag.total_seconds(), 2))
        pipeline.ltrim(key, 0, MOST_LAGS - 1)
        pipeline.expire(key, self._retention)
        await self._ask(pipeline.execute())

    async def _pulse(self) -> Pulse:
        begin = self._key("pause", "")
        names = await self._ask(_all(self._redis.scan_iter(match=f"{begin}*", count=1000)))
        paused = {name.removeprefix(begin): await self.paused(name.removeprefix(begin)) for name in names}
        lags = await self._ask(cast("Awaitable[list[str]]", self._redis.lrange(self._prefix + "lags", 0, -1)))
        return Pulse(watching=len(await self.watching()), paused=paused, lags=tuple(map(float, lags)))

    # Turns at the far sides

    async def take(self, what: str, amount: int, seconds: int) -> bool:
        """Take one of the `amount` turns in any `seconds`; False when they are all taken."""
        return await self._ask(self._limiter.hit(RateLimitItemPerSecond(amount, seconds), what))

    async def pause(self, what: str, how_long: timedelta) -> None:
        """Remember that a far side asked to be left alone, unless it asked for longer before."""
        if how_long > await self.paused(what):
            await self._ask(self._redis.set(self._key("pause", what), 1, px=max(how_long, MILLISECOND)))

    async def paused(self, what: str) -> timedelta:
        """Return how long a far side is still to be left alone."""
        left = await self._ask(self._redis.pttl(self._key("pause", what)))
        return max(left, 0) * MILLISECOND

    # What was said

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
            return _decoded(kind, said)
        except Unreadable:
            return None  # it is in the log; whoever said it says it again

    async def invocation(self, invocation_id: str) -> Invocation | None:
        """Return what was said, handled or not."""
        said = await self._ask(self._redis.get(self._key("said", invocation_id)))
        return None if said is None else _decoded(Invocation, said)

    async def mark_done(self, delivery_id: str) -> None:
        """Let a second run of the same delivery do nothing."""
        await self._ask(self._redis.set(self._key("done", delivery_id), 1, ex=DAY))

    # What people did

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
                entries.append(_decoded(Entry, fields["entry"]))
        return entries

    # Who was first

    async def claim(self, what: str, holder: str, keep: timedelta | None = None) -> str:
        """Return who holds `what`: `holder` itself when it was first, or already held it."""
        key = self._key("claim", what)
        await self._ask(self._redis.set(key, holder, nx=True, ex=keep or self._retention))
        first = await self._ask(self._redis.get(key))
        return holder if first is None else str(first)

    async def first(self, what: str, keep: timedelta | None = None) -> bool:
        """Say whether nobody asked this before, ourselves included; from now on somebody has."""
        key = self._key("claim", what)
        return bool(await self._ask(self._redis.set(key, 1, nx=True, ex=keep or self._retention)))

    async def release(self, what: str) -> None:
        """Let somebody else try."""
        await self._ask(self._redis.delete(self._key("claim", what)))

    async def last_act(self, pipeline_id: PipelineId) -> str | None:
        """Return what last reran the pipeline from Slack, and who: `<delivery id>|<user id>`."""
        act = await self._ask(self._redis.get(self._key("acted", pipeline_id)))
        return None if act is None else str(act)

    async def save_last_act(self, pipeline_id: PipelineId, act: str) -> None:
        """Remember what reran the pipeline."""
        await self._ask(self._redis.set(self._key("acted", pipeline_id), act, ex=self._retention))

    # Locks

    async def lock(self, lock: Lock) -> Lock:
        """Lock it, unless it is; returns the lock that holds."""
        await self._ask(self._redis.hsetnx(self._prefix + "locks", lock.key, lock.model_dump_json()))
        return await self.locked(lock.key) or lock

    async def locked(self, key: str) -> Lock | None:
        """Return the lock of this name."""
        data = await self._ask(cast("Awaitable[str | None]", self._redis.hget(self._prefix + "locks", key)))
        return None if data is None else _decoded(Lock, data)

    async def lock_on(self, slug: ProjectSlug, ref: Ref) -> Lock | None:
        """Return what keeps others from deploying a branch or tag: a lock on it, or on its whole project."""
        return await self.locked(lock_key(slug, ref)) or await self.locked(lock_key(slug, None))

    async def unlock(self, key: str) -> Lock | None:
        """Remove a lock; returns it, None when there was none."""
        held = await self.locked(key)
        gone = await self._ask(self._redis.hdel(self._prefix + "locks", key))
        return held if gone else None

    async def take_lock(self, held: Lock, mine: Lock) -> bool:
        """Put `mine` in the place of `held`; False when somebody was faster."""
        if not await self.first(f"lock-taken:{held.key}:{held.holder_id}:{held.since.isoformat()}"):
            return False
        await self._ask(self._redis.hset(self._prefix + "locks", held.key, mine.model_dump_json()))
        return True

    async def locks(self) -> list[Lock]:
        """Return all locks, oldest first."""
        found = await self._ask(cast("Awaitable[list[str]]", self._redis.hvals(self._prefix + "locks")))
        return sorted((_decoded(Lock, data) for data in found), key=lambda lock: lock.since)

    # Attempts

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """Return the recorded deploy, if there is one."""
        data = await self._ask(self._redis.get(self._key("attempt", attempt_id)))
        return None if data is None else _decoded(Attempt, data)

    async def save_attempt(self, attempt: Attempt) -> Attempt:
        """Record the deploy as it stands; returns it."""
        await self._ask(
            self._redis.set(self._key("attempt", attempt.id), attempt.model_dump_json(), ex=self._retention)
        )
        return attempt

    # Earlier builds

    async def past_build(self, pipeline_id: PipelineId) -> PastBuild | None:
        """Return an earlier build as it was last read."""
        return _or_none(PastBuild, await self._ask(self._redis.get(self._key("past", pipeline_id))))

    async def save_past_build(self, build: PastBuild) -> None:
        """Keep an earlier build."""
        key = self._key("past", build.pipeline.id)
        await self._ask(self._redis.set(key, build.model_dump_json(exclude_defaults=True), ex=self._retention))

    async def job_results(self, slug: ProjectSlug, numbers: Sequence[int]) -> dict[int, JobResults]:
        """Return the kept test results of a project's jobs, by number."""
        if not numbers:
            return {}
        kept = await self._ask(self._redis.mget([self._key("results", f"{slug}:{number}") for number in numbers]))
        found = {number: _or_none(JobResults, data) for number, data in zip(numbers, kept, strict=True)}
        return {number: one for number, one in found.items() if one is not None}

    async def save_job_results(self, slug: ProjectSlug, number: int, results: JobResults) -> None:
        """Keep a job's test results."""
        key = self._key("results", f"{slug}:{number}")
        await self._ask(self._redis.set(key, results.model_dump_json(exclude_defaults=True), ex=self._retention))

    async def step_times(self, slug: ProjectSlug, number: int) -> dict[str, float] | None:
        """Return how many seconds each step of a job took, where that is kept."""
        data = await self._ask(self._redis.get(self._key("steps", f"{slug}:{number}")))
        return None if data is None else {str(name): float(seconds) for name, seconds in json.loads(data).items()}

    async def save_step_times(self, slug: ProjectSlug, number: int, times: Mapping[str, float]) -> None:
        """Keep how long each step of a job took."""
        key = self._key("steps", f"{slug}:{number}")
        await self._ask(self._redis.set(key, json.dumps(dict(times)), ex=self._retention))

    async def ended(self, pipeline_id: PipelineId) -> Ended | None:
        """Return a build as it last ended, with what was found out about it."""
        return _or_none(Ended, await self._ask(self._redis.get(self._key("ended", pipeline_id))))

    async def save_ended(self, ended: Ended) -> None:
        """Keep the end of a build until it is judged by earlier ones."""
        key = self._key("ended", ended.build.pipeline.id)
        await self._ask(self._redis.set(key, ended.model_dump_json(), ex=DAY))

    # Watches

    async def add_watch(self, watch: Watch) -> None:
        """Let a thread follow a pipeline, from now or again."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hsetnx(self._key("watches", watch.pipeline_id), watch.id, watch.model_dump_json())
        self._remember_thread(pipeline, watch)
        self._keep_watching(pipeline, watch.pipeline_id)
        await self._ask(pipeline.execute())

    async def watch_again(self, pipeline_id: PipelineId) -> None:
        """Follow an ended pipeline again, for its old threads."""
        pipeline = self._redis.pipeline(transaction=True)
        self._keep_watching(pipeline, pipeline_id)
        await self._ask(pipeline.execute())

    async def save_watch(self, watch: Watch) -> Watch:
        """Record what a thread was told; returns the watch."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(self._key("watches", watch.pipeline_id), watch.id, watch.model_dump_json())
        self._remember_thread(pipeline, watch)
        await self._ask(pipeline.execute())
        return watch

    async def remove_watch(self, watch: Watch) -> None:
        """Let a thread follow its pipeline no more."""
        await self._ask(self._redis.hdel(self._key("watches", watch.pipeline_id), watch.id))

    async def followed(self, channel_id: str, thread_ts: str) -> PipelineId | None:
        """Return the pipeline that a thread follows or followed, the newest of several."""
        found = await self._ask(self._redis.get(self._key("thread", f"{channel_id}:{thread_ts}")))
        return None if found is None else PipelineId(str(found))

    async def watches(self, pipeline_id: PipelineId) -> list[Watch]:
        """Return the threads that follow the pipeline, oldest first."""
        key = self._key("watches", pipeline_id)
        return _watches(await self._ask(cast("Awaitable[list[str]]", self._redis.hvals(key))))

    async def watching(self) -> set[PipelineId]:
        """Return the pipelines that must have a poll."""
        found = await self._ask(cast("Awaitable[set[str]]", self._redis.smembers(self._prefix + "watching")))
        return {PipelineId(pipeline_id) for pipeline_id in found}

    async def known(self, pipeline_id: PipelineId) -> tuple[Snapshot, list[Watch]]:
        """Return what a look begins with, in one round trip: the snapshot and the threads, oldest first."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(self._key("snapshot", pipeline_id))
        pipeline.hvals(self._key("watches", pipeline_id))
        snapshot, watches = await self._ask(pipeline.execute())
        return _snapshot(snapshot), _watches(watches)

    async def save_snapshot(self, pipeline_id: PipelineId, snapshot: Snapshot) -> None:
        """Record what is known after this look."""
        await self._ask(self._redis.set(self._key("snapshot", pipeline_id), snapshot.model_dump_json()))

    async def stop_watching(self, pipeline_id: PipelineId) -> None:
        """Poll it no more; its buttons work until the retention is over."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.srem(self._prefix + "watching", pipeline_id)
        pipeline.expire(self._key("watches", pipeline_id), self._retention)
        pipeline.expire(self._key("snapshot", pipeline_id), self._retention)
        await self._ask(pipeline.execute())

    @asynccontextmanager
    async def fence(
        self, pipeline_id: PipelineId, lease: timedelta, *, wait: timedelta | None = None
    ) -> AsyncIterator[bool]:
        """Yield True when nobody else compares and tells for this pipeline.

        It is held as long as the work takes; `lease` after its holder died, somebody else may have it.
        """
        seconds = wait.total_seconds() if wait else 0
        lock = self._redis.lock(self._key("fence", pipeline_id), timeout=lease.total_seconds(), sleep=0.05)
        if not await self._ask(lock.acquire(blocking=seconds > 0, blocking_timeout=seconds or None)):
            yield False
            return
        renewal = asyncio.create_task(_renew(lock, lease / 3))
        try:
            yield True
        finally:
            renewal.cancel()
            await self._release(lock.release())

    async def _release(self, release: Awaitable[None]) -> None:
        try:
            await release
        except LockError:
            return  # it ran out while we worked: what was told stands in the watch, so nobody tells it again
        except RedisError as error:
            raise StoreError(str(error)) from error

    def _remember_thread(self, pipeline: "Redis", watch: Watch) -> None:
        if watch.reply_ts:
            key = self._key("thread", f"{watch.thread.channel_id}:{watch.reply_ts}")
            pipeline.set(key, watch.pipeline_id, ex=self._retention)

    def _keep_watching(self, pipeline: "Redis", pipeline_id: PipelineId) -> None:
        pipeline.sadd(self._prefix + "watching", pipeline_id)
        pipeline.persist(self._key("watches", pipeline_id))
        pipeline.persist(self._key("snapshot", pipeline_id))

    def _key(self, kind: str, name: str) -> str:
        return f"{self._prefix}{kind}:{name}"

    async def _ask(self, answer: Awaitable[T]) -> T:
        try:
            found = await answer
        except (RedisError, OSError) as error:
            self._outage.failed(f"{type(error).__name__}: {error}")
            raise StoreError(f"Redis: {type(error).__name__}: {error}") from error
        self._outage.worked()
        return found


def _decoded(kind: type[M], data: str | bytes) -> M:
    """Return a record; raises Unreadable for one of another version, once it is in the log."""
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        wrong = sorted({".".join(str(part) for part in item["loc"]) for item in error.errors()})
        log.error("record_unreadable", kind=kind.__name__, fields=wrong)  # noqa: TRY400  # its text would quote the record
        raise Unreadable(kind.__name__) from None


def _or_none(kind: type[M], data: str | bytes | None) -> M | None:
    """Return a record that can be had again elsewhere; None for one that is missing, or of another version."""
    with suppress(Unreadable):
        return None if data is None else _decoded(kind, data)
    return None


def _snapshot(data: str | bytes | None) -> Snapshot:
    return _or_none(Snapshot, data) or Snapshot()  # CircleCI knows all of it


def _watches(found: list[str]) -> list[Watch]:
    readable: list[Watch] = []
    for data in found:
        with suppress(Unreadable):
            readable.append(_decoded(Watch, data))
    return sorted(readable, key=lambda watch: watch.asked_at)


async def _all(found: AsyncIterator[str]) -> list[str]:
    return [one async for one in found]


async def _renew(lock: RedisLock, every: timedelta) -> None:
    """Keep a lock that is being worked under; one that is lost is found out at its release."""
    with suppress(RedisError, OSError):
        while True:
            await asyncio.sleep(every.total_seconds())
            await lock.reacquire()
