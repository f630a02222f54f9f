"""All threads of a pipeline, each on its own: what one of them does not take is no loss to the others."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import NamedTuple

import structlog

from bot.errors import SlackError, SlackLimited, StoreError, Unreachable, Unreadable
from bot.models.slack import Watch
from bot.store.watches import Watches
from bot.watching.operator import Operator
from bot.watching.teller import Teller
from formatters.blocks import Message

log = structlog.get_logger(__name__)

REFUSED_INTERVALS = 60  # poll intervals until what Slack refused is tried again
LET_GO = "let_go"


class Told(NamedTuple):
    """What came of it: `late` is the pause before another try, if any is needed.

    `broke` are the threads that an error kept from hearing it which nobody foresaw, `error` the first of those.
    """

    late: timedelta | None = None
    broke: tuple[Watch, ...] = ()
    error: Exception | None = None


class Threads:
    """Tells them; a thread that nobody can be told in follows no more, and the operator hears of it."""

    def __init__(self, watches: Watches, teller: Teller, operator: Operator, interval: timedelta) -> None:
        self._watches = watches
        self._teller = teller
        self._operator = operator
        self._interval = interval

    async def each(self, watches: Iterable[Watch], tell: Callable[[Watch], Awaitable[object]]) -> Told:
        """Tell each of them."""
        told = Told()
        for watch in watches:
            try:
                await tell(watch)
            except StoreError:
                raise
            except Unreachable as error:
                await self._give_up(watch, error)
            except (SlackError, Unreadable) as error:
                told = told._replace(late=max(told.late or timedelta(0), self._pause(watch, error)))
            except Exception as error:  # noqa: BLE001  # it is counted and logged by who asked
                told = told._replace(broke=(*told.broke, watch), error=told.error or error)
        return told

    async def let_go(self, watches: Iterable[Watch], word: Callable[[Watch], Message]) -> Told:
        """Say in each that it is followed no more, and why; then it is so."""

        async def leave(watch: Watch) -> None:
            watch = await self._teller.leave(await self._teller.once(watch, LET_GO, word(watch)))
            await self._watches.remove(watch)
            log.info("let_go", pipeline=watch.pipeline_id, watch=watch.id)

        return await self.each(watches, leave)

    async def _give_up(self, watch: Watch, error: Unreachable) -> None:
        await self._operator.unreachable(watch, error.code)
        await self._watches.remove(watch)

    def _pause(self, watch: Watch, error: SlackError | Unreadable) -> timedelta:
        """Return when to try again; a record that another version has written meanwhile is that one's to tell."""
        if isinstance(error, Unreadable):
            return self._interval * REFUSED_INTERVALS
        log.warning("thread_not_told", pipeline=watch.pipeline_id, method=error.method, code=error.code)
        if isinstance(error, SlackLimited):
            return error.retry_after
        return self._interval * (1 if error.lost else REFUSED_INTERVALS)
