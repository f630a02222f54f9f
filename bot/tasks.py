"""What the names of the background tasks mean: one line for each."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import structlog

from bot import metrics
from bot.circleci.reads import Reads
from bot.errors import StoreError
from bot.models.circleci import PipelineId
from bot.models.slack import utc_now
from bot.operations import Operations
from bot.slack.dispatch import Dispatcher
from bot.slack.signs import Signs
from bot.store import Store
from bot.store.questions import Questions
from bot.watching import engine
from bot.watching.engine import END_LOCK, END_MESSAGES, LISTS, NEWS, SAY, Engine, Task, again, every, in_turn, once
from bot.watching.fitting import Fits
from bot.watching.later import Later
from bot.watching.lists import Lists
from bot.watching.news import Newsreader
from bot.watching.operator import Operator
from bot.watching.roots import Roots
from bot.watching.saying import Saying
from bot.watching.triager import Triager

SWEEP_EVERY = timedelta(seconds=60)
STORE_PAUSE, FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=10)
MOST_TRIES = 10
log = structlog.get_logger(__name__)


class Watching(NamedTuple):
    """What judges builds that threads follow, looks at those of branches with subscribers, and at their messages."""

    triager: Triager
    news: Newsreader
    lists: Lists
    roots: Roots
    saying: Saying


def tasks(
    dispatcher: Dispatcher,
    signs: Signs,
    operations: Operations,
    watching: "Watching",
    sweep: "Sweep",
    questions: Questions,
    wake: Callable[[PipelineId], Awaitable[None]],
) -> dict[str, Task]:
    """Return the task behind each name; one of an older version keeps its name, such as its looks, which end here."""
    return {
        engine.HANDLE: once(dispatcher.handle),
        engine.PRESS: once(dispatcher.press),
        engine.READ: in_turn(answered(questions, dispatcher.handle)),
        engine.SHOW: in_turn(answered(questions, dispatcher.press)),
        engine.POLL: once(wake),
        engine.SIGN: again(Steadily(signs.follow, "sign_not_followed")),
        engine.LOOK_FOR: again(Steadily(operations.look_for, "lost_answer_not_looked_for")),
        engine.LOOK_AFTER: again(Steadily(operations.look_after, "lost_act_not_looked_for")),
        engine.EXPIRE: again(Steadily(operations.expire, "expire_failed")),
        engine.END_LOCK: again(Steadily(operations.end_lock, "end_of_lock_not_told")),
        engine.TRIAGE: again(Steadily(watching.triager.triage, "triage_failed")),
        engine.NEWS: again(Steadily(watching.news.look, "news_not_judged", most=None)),
        engine.LISTS: again(Steadily(watching.lists.look, "list_not_read", most=None)),
        engine.END_SNOOZE: again(Steadily(watching.roots.end_snooze, "end_of_snooze_not_told")),
        engine.END_MESSAGES: again(Steadily(watching.roots.forsake_unheard, "messages_not_ended")),
        engine.SAY: again(Steadily(watching.saying.say, "channel_not_told", most=None)),
        engine.RERUN_ONCE: once(operations.rerun_once),
        engine.SWEEP: every(SWEEP_EVERY, sweep),
    }


def answered(questions: Questions, run: Callable[[str], Awaitable[None]]) -> Callable[[str, str], Awaitable[None]]:
    """Return what answers a question, and counts it as open no more."""

    async def answer(person_id: str, delivery_id: str) -> None:
        await run(delivery_id)
        await questions.close(person_id, delivery_id)

    return answer


Again = Callable[..., Awaitable[timedelta | None]]


class Steadily:
    """The same, where an unexpected error costs one run: it is tried again after ever longer pauses, `most` times.

    The log has one traceback when that begins, and a line when it ends.
    """

    def __init__(self, run: Again, event: str, *, most: int | None = MOST_TRIES) -> None:
        self._run = run
        self._event = event
        self._most = most
        self._failed: dict[tuple[str, ...], int] = {}

    async def __call__(self, *ids: str, **given: object) -> timedelta | None:
        """Run it; returns the pause before the next run, None when there is none."""
        try:
            pause = await self._run(*ids, **given)
        except StoreError:
            return STORE_PAUSE  # the log has the outage's beginning, and will have its end
        except Exception as error:  # noqa: BLE001  # it is counted, and logged once
            return self._broke(ids, error)
        if tries := self._failed.pop(ids, 0):
            log.info("works_again", what=self._event, of=":".join(ids), tries=tries)
        return pause

    def _broke(self, ids: tuple[str, ...], error: Exception) -> timedelta | None:
        tries = self._failed[ids] = self._failed.get(ids, 0) + 1
        if tries == 1:
            log.error(self._event, of=":".join(ids), exc_info=error)
        if tries == self._most:
            log.error("given_up", what=self._event, of=":".join(ids), tries=tries)
            del self._failed[ids]
            return None
        return min(FIRST_PAUSE * (1 << min(tries - 1, 10)), LONGEST_PAUSE)


class Sweep:
    """Has pipelines looked at whose looks were lost, and news too; tells late of locks; tries tokens."""

    def __init__(
        self, store: Store, engine: Engine, operator: Operator, circleci: Reads, fits: Fits, later: Later
    ) -> None:
        self._store = store
        self._engine = engine
        self._fits = fits
        self.tokens = Steadily(partial(operator.check_tokens, circleci), "tokens_not_checked", most=None)
        self.locks = Steadily(self._end_locks, "locks_not_swept", most=None)
        looks = Steadily(self._give_looks, "sweep_failed", most=None)
        news = Steadily(self._give_news, "news_not_swept", most=None)
        unsaid = Steadily(self._give_unsaid, "unsaid_not_swept", most=None)
        self._steps = (looks, news, unsaid, self.locks, self.tokens, Steadily(later, "not_told_later", most=None))

    async def __call__(self) -> None:
        """Sweep once; what fails is swept the next time."""
        for step in self._steps:
            await step()

    async def _give_looks(self) -> None:
        await self._store.looks.add(await self._store.watches.watching())

    async def _give_news(self) -> None:
        """Have the lists of all projects with subscribers read, and each build looked at whose end is not known."""
        await self._fits.refresh()
        for slug in await self._store.subscriptions.projects():
            await self._engine.add(LISTS, slug)
        for pipeline_id in await self._store.news.open():
            await self._engine.add(NEWS, pipeline_id)

    async def _give_unsaid(self) -> None:
        """Have said what channels are still to be told, and messages ended that no subscription keeps true any more."""
        for channel_id in await self._store.unsaid.channels():
            await self._engine.add(SAY, channel_id)
        for one in await self._store.subscriptions.orphans.all():
            await self._engine.add(END_MESSAGES, one.state.channel_id, one.state.project_slug, one.title)

    async def _end_locks(self) -> None:
        await self._store.locks.keep_waiting()
        for key in await self._store.locks.due():
            await self._engine.put(END_LOCK, key, when=utc_now())


async def counting(store: Store) -> None:
    """Keep the figure of what is polled right in this process, for as long as it runs."""
    while True:
        await count(store)
        await asyncio.sleep(SWEEP_EVERY.total_seconds())


async def count(store: Store) -> None:
    """Put the figure right, if Redis answers."""
    with suppress(StoreError):
        metrics.WATCHES.set(await store.watches.count())
