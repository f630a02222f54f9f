"""When a look comes to nothing: the pause before the next, what the threads hear of it, and when it is given up."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from bot.errors import CircleCIError, RateLimited, Rejected, Spent, Unauthorized
from bot.models.build import Build, Snapshot
from bot.models.circleci import PipelineId
from bot.models.slack import Watch, utc_now
from bot.settings import Settings
from bot.store.watches import Watches
from bot.watching.changes import FINAL
from bot.watching.operator import Operator
from bot.watching.schedule import LATE, next_delay
from bot.watching.teller import Teller
from bot.watching.threads import Threads
from formatters import replies
from formatters.blocks import Message

log = structlog.get_logger(__name__)

OUTAGE, LATE_TOLD, BROKEN = "outage", "late", "broken"
OUTAGE_AFTER = 3  # looks in vain in a row before the threads are told
GONE_AFTER = 10  # looks in a row at a pipeline that CircleCI does not know


class Trouble:
    """Keeps the threads of a pipeline through it: the log and they hear of its beginning, and of its end."""

    def __init__(
        self, settings: Settings, watches: Watches, teller: Teller, operator: Operator, threads: Threads
    ) -> None:
        self._settings = settings
        self._watches = watches
        self._teller = teller
        self._operator = operator
        self._threads = threads
        self._keep = timedelta(days=settings.retention_days)

    async def make_room(self, pipeline_id: PipelineId, snapshot: Snapshot, error: Spent) -> timedelta:
        """There was no turn: look again when there may be one, at the same pace as before."""
        since = snapshot.waits_since or utc_now()
        now = snapshot.model_copy(update={"waits_since": since})
        watches = await self._watches.of(pipeline_id)
        if utc_now() - since >= self._settings.poll_interval * LATE:
            log.info("news_late", pipeline=pipeline_id, since=since.isoformat())
            await self._threads.each(watches, self._telling(snapshot.build, LATE_TOLD, replies.late()))
        else:
            await self._threads.each((one for one in watches if one.root_ts is None), self._telling(snapshot.build))
        if now != snapshot:
            await self._watches.save_snapshot(pipeline_id, now)
        return error.retry_after

    async def unread(self, pipeline_id: PipelineId, snapshot: Snapshot, error: CircleCIError) -> timedelta | None:
        """CircleCI could not be read: look again after a longer pause; None where nobody waits for it any more."""
        if not await self._watches.any(pipeline_id) and await self._watches.stop(pipeline_id, ()):
            return None
        if not snapshot.failures:
            log.info("circleci_unreadable", pipeline=pipeline_id, error=repr(error))
        if isinstance(error, Unauthorized):
            error.is_told = await self._operator.token_refused(error.token)
        now = _counted(snapshot, gone=snapshot.gone + 1 if _is_gone(error) else 0)
        watches = await self._watches.of(pipeline_id)
        if word := self._last_word(now):
            await self._threads.let_go(watches, word)
        else:
            await self._tell(watches, now, OUTAGE, replies.outage(error))
        await self._watches.save_snapshot(pipeline_id, now)
        delay = next_delay(now.build, now.failures, self._settings)
        return max(delay, error.retry_after) if isinstance(error, RateLimited) else delay

    async def broke(
        self, pipeline_id: PipelineId, snapshot: Snapshot, error: Exception, watches: Sequence[Watch] | None = None
    ) -> timedelta | None:
        """Something of ours broke, which cost these threads a look, or all of them: as above."""
        if not await self._watches.any(pipeline_id) and await self._watches.stop(pipeline_id, ()):
            return None
        if not snapshot.broken:
            log.error("look_broke", pipeline=pipeline_id, exc_info=error)
        now = _counted(snapshot, broken=snapshot.broken + 1)
        watches = await self._watches.of(pipeline_id) if watches is None else watches
        if word := self._last_word(now):
            await self._threads.let_go(watches, word)
        else:
            await self._tell(watches, now, BROKEN, replies.broken())
        await self._watches.save_snapshot(pipeline_id, now)
        return next_delay(None, now.failures, self._settings)

    async def over(self, pipeline_id: PipelineId, snapshot: Snapshot) -> None:
        """Say that what broke of ours works again, once a whole look has."""
        if not snapshot.broken:
            return
        log.info("look_works_again", pipeline=pipeline_id, broken=snapshot.broken)

        async def tell(watch: Watch) -> None:
            await self._teller.over(watch, BROKEN, replies.broken_over())

        await self._threads.each(await self._watches.of(pipeline_id), tell)

    async def _tell(self, watches: Sequence[Watch], now: Snapshot, key: str, word: Message) -> None:
        if now.failures < OUTAGE_AFTER:  # a root must stand, whatever comes
            watches = [watch for watch in watches if watch.root_ts is None]
            await self._threads.each(watches, self._telling(now.build))
        else:
            await self._threads.each(watches, self._telling(now.build, key, word))

    def _telling(
        self, build: Build | None, key: str = "", word: Message | None = None
    ) -> Callable[[Watch], Awaitable[None]]:
        async def tell(watch: Watch) -> None:
            if watch.root_ts is None:
                watch = await self._teller.root(watch, build)
            if word is not None and not _has_heard_the_end(watch, build):
                await self._teller.once(watch, key, word)

        return tell

    def _last_word(self, now: Snapshot) -> Callable[[Watch], Message] | None:
        """Return what is said where it is looked for no more: it is not there, or could not be read for long."""
        if now.gone >= GONE_AFTER:
            return replies.let_go_of_unknown
        if now.unread_since and utc_now() - now.unread_since > self._keep:
            return lambda watch: replies.let_go_of_unread(watch, self._keep)
        return None


def _has_heard_the_end(watch: Watch, build: Build | None) -> bool:
    """Say whether a thread waits for no news: what has ended is looked at for a while, and may be late unseen."""
    return build is not None and f"{FINAL}{build.fingerprint}" in watch.told


def _counted(snapshot: Snapshot, **more: int) -> Snapshot:
    since = snapshot.unread_since or utc_now()
    return snapshot.model_copy(update={"failures": snapshot.failures + 1, "unread_since": since, **more})


def _is_gone(error: CircleCIError) -> bool:
    return isinstance(error, Rejected) and error.is_gone
