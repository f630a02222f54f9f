"""A sign at once for who speaks to the bot: what it read in the ack of a command, eyes on what else takes a while.

Nothing of it waits for a budget, and an answer waits for the ack alone: where Slack takes no sign, there is none, and
where it takes long over one, that goes on beside everything else.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import structlog

from bot.errors import SlackError, StoreError
from bot.models.circleci import PipelineId
from bot.models.slack import Click, Invocation, Watch, utc_now
from bot.policy import Word
from bot.routing import Context
from bot.slack.understood import line_of
from bot.store.turns import CIRCLECI, Turns
from bot.waits import Wait, noted
from formatters import signs
from formatters.blocks import Message

SIGN_SECONDS = 0.5  # what is answered sooner needs no sign
SOON, OFTEN, RARELY = timedelta(seconds=2), timedelta(seconds=0.5), timedelta(seconds=5)
RESPONSE_URL = timedelta(minutes=30)  # so long Slack lets a sign be changed
ACK_SECONDS, ON_ITS_WAY = 0.5, 0.03  # how long an ack may take to be sent, and then to be read
STORE_SECONDS = 0.2
WAITS_SAID = 2  # Slack takes five words for a command, and its answer may come with a notice or two
HELD_SECONDS = 1.5  # nobody waits longer for a sign
LOST_SECONDS = 30  # so long Slack may still be about a sign of which it did not say what became of it
MOST_AT_ONCE = 50  # some connections to Slack stay free for answers, however long it is about signs
REACT, STATUS = "reactions.add", "assistant.threads.setStatus"
# It does not depend on what is marked, so it need not be tried again.
NEVER = frozenset({"missing_scope", "not_allowed_token_type", "unknown_method", "not_authorized", "access_denied"})
log = structlog.get_logger(__name__)


class Line:
    """How long whoever asks CircleCI now waits for a turn, as far as this process knows: it looks once a second."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._asked = self._until = -math.inf

    async def left(self) -> timedelta:
        """Return what is left of it; no time where the store does not say at once."""
        now = time.monotonic()
        if now - self._asked > 1:
            self._asked = now
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(STORE_SECONDS):
                    self._until = now + (await self._turns.line(CIRCLECI)).total_seconds()
        return timedelta(seconds=max(self._until - now, 0))


class _Mark(NamedTuple):
    """What is looked at: a message, and the thread it stands in or would begin."""

    channel_id: str
    ts: str
    thread_ts: str


class _Shown(NamedTuple):
    """A sign that Slack took, by its method; one of which it did not say so may still come."""

    method: str
    is_lost: bool = False


def _mark(said: Invocation | Click) -> _Mark | None:
    """Return the message that bears the sign; a command stands nowhere, and its ack has said something."""
    if not said.message_ts or not said.channel_id:
        return None
    return _Mark(said.channel_id, said.message_ts, said.thread_ts or said.message_ts)


class Signs:
    """Shows signs on messages, and takes them away when the answer stands."""

    def __init__(self, context: Context) -> None:
        self._messenger = context.messenger
        self._store = context.store
        self._router = context.router
        self._projects = context.projects
        self._posts_per_second = context.settings.slack_posts_per_second_per_channel
        self._never: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._asked = 0  # signs that Slack is about at this moment

    async def drain(self) -> None:
        """Let what is under way come to its end, for no longer than anybody waits for a sign."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=HELD_SECONDS)
            for task in late:
                task.cancel()

    def _beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._came_to_its_end)
        return task

    def _came_to_its_end(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("sign_failed", error=repr(error))

    @asynccontextmanager
    async def while_answered(self, said: Invocation | Click) -> AsyncIterator[None]:
        """Show eyes on what was said or pressed, if the block takes a while, and take them away after it.

        A run that is cut off, or whose process dies, leaves them to the next one, which finds them in the store and
        takes them away. Eyes that come after the answer go at once.
        """
        mark = _mark(said)
        if mark is None:
            yield
            return
        over = asyncio.Event()
        showing = self._beside(self._show_until(mark, f"eyes:{said.id}", over))
        try:
            yield
        except asyncio.CancelledError:
            showing.cancel()
            raise
        finally:
            over.set()

    async def _show_until(self, mark: _Mark, name: str, over: asyncio.Event) -> None:
        shown = await self._left(name)
        if shown is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(SIGN_SECONDS):
                    await over.wait()
            if over.is_set():
                return
            with suppress(StoreError):
                await self._store.claims.first(name)
            shown = await self._shown(mark)
        await over.wait()
        if shown is not None:
            await self._quietly(self._remove(mark, shown.method))
        with suppress(StoreError):
            await self._store.claims.release(name)
        if shown is None:
            return
        if shown.is_lost and shown.method == REACT:  # the status line goes by itself
            await asyncio.sleep(LOST_SECONDS)
            await self._quietly(self._remove(mark, shown.method))

    async def _left(self, name: str) -> "_Shown | None":
        """Return the eyes that a run before this one may have left; the status line goes by itself."""
        with suppress(StoreError):
            return _Shown(REACT) if await self._store.claims.is_taken(name) else None
        return None

    async def _shown(self, mark: _Mark) -> "_Shown | None":
        """Show eyes, or else Slack's status line; returns what Slack took, if anything."""
        messenger = self._messenger
        return await self._taken(
            REACT, lambda: messenger.react(mark.channel_id, mark.ts, signs.REACTION)
        ) or await self._taken(
            STATUS, lambda: messenger.set_status(mark.channel_id, mark.thread_ts, signs.STATUS, hurried=True)
        )

    async def _remove(self, mark: _Mark, method: str) -> None:
        if method == REACT:
            await self._messenger.unreact(mark.channel_id, mark.ts, signs.REACTION)
        else:
            await self._messenger.set_status(mark.channel_id, mark.thread_ts, "")

    async def _taken(self, method: str, call: Callable[[], Awaitable[None]]) -> "_Shown | None":
        """Return a sign that Slack took; for want of a scope it is asked once, and not at each message."""
        if method in self._never or self._asked >= MOST_AT_ONCE:
            return None
        self._asked += 1
        try:
            await call()
        except SlackError as error:
            if error.code in NEVER:
                self._never.add(method)
                log.info("no_signs", method=method, code=error.code)
            stands = error.lost or error.code == "already_reacted"
            return _Shown(method, is_lost=error.lost) if stands else None
        finally:
            self._asked -= 1
        return _Shown(method)

    @asynccontextmanager
    async def while_waiting(self, said: Invocation | Click) -> AsyncIterator[asyncio.Task[None] | None]:
        """Say below a command that the block waits for CircleCI, if it does; yields who says so.

        Nothing is said any more behind it, unless Slack takes longer over it than anybody waits for.
        """
        url = said.response_url if isinstance(said, Invocation) and said.signed else None
        if url is None or not isinstance(said, Invocation):
            yield None
            return
        over = asyncio.Event()
        with noted(CIRCLECI) as wait:
            saying = self._beside(self._say_wait(url, said, wait, over))
            try:
                yield saying
            finally:
                over.set()
                await asyncio.wait({saying}, timeout=HELD_SECONDS)

    def answer_last(self, said: Invocation, message: Message, saying: asyncio.Task[None] | None) -> None:
        """Let an answer stand last, where Slack is still about the sign that it takes the place of."""
        if saying is not None and not saying.done() and said.response_url:
            self._beside(self._behind(saying, said.response_url, message))

    async def _behind(self, saying: asyncio.Task[None], url: str, message: Message) -> None:
        await asyncio.wait({saying})
        await self._quietly(self._messenger.respond(url, message, replace=True))

    async def _say_wait(self, url: str, said: Invocation, wait: Wait, over: asyncio.Event) -> None:
        """Say how long it waits, as soon as that is worth saying, and once more where it took longer than that."""
        said_until, left = 0.0, WAITS_SAID
        while not over.is_set() and left:
            if wait.left >= signs.WORTH_SAYING and time.monotonic() >= said_until:
                said_until, left = time.monotonic() + wait.left.total_seconds(), left - 1
                line = line_of(said.text, self._router, self._projects)
                is_deploy = line.partition(" ")[0] == Word.DEPLOY
                word = partial(signs.deploy_waits, delivery_id=said.id) if is_deploy else signs.waits_for_circleci
                await self._quietly(self._messenger.respond(url, word(line, wait.left), replace=True))
            with suppress(TimeoutError):
                async with asyncio.timeout(SIGN_SECONDS):
                    await over.wait()

    async def ack_stands(self, said: Invocation, began: float) -> None:
        """Wait until the ack of a command is out, which may take as long as an answer that asks nobody.

        One that overtook it would leave the sign standing below it.
        """
        if not said.signed or time.monotonic() - began > ACK_SECONDS:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(ACK_SECONDS):
                while not await self._store.deliveries.is_seen(said.id):  # noqa: ASYNC110  # by another process
                    await asyncio.sleep(ON_ITS_WAY)
        await asyncio.sleep(ON_ITS_WAY)

    async def taken_away(self, said: Invocation, pipeline_id: PipelineId | None = None) -> bool:
        """Take the sign of a command away whose answer stands; False where that is a message still to come.

        Slack may keep it until whoever sees it loads the channel anew: what it says stays true.
        """
        if not said.signed or said.response_url is None:
            return True
        if pipeline_id is not None and await self._awaited(said, pipeline_id):
            return False
        await self._quietly(self._messenger.retract(said.response_url), HELD_SECONDS)
        return True

    async def follow(self, delivery_id: str, pipeline_id: str) -> timedelta | None:
        """Take a sign away once the message of its build stands, and say how long that waits for its turn, if long."""
        said = await self._store.deliveries.invocation(delivery_id)
        if said is None:
            return None
        watch = await self._awaited(said, PipelineId(pipeline_id))
        awaited = self._store.awaited
        if watch is None:
            await awaited.came(said.channel_id, said.id)
            await self.taken_away(said)
            return None
        since = utc_now() - watch.asked_at
        if since > RESPONSE_URL:
            await awaited.came(said.channel_id, said.id)
            return None
        before = await awaited.waits(said.channel_id, said.id, watch.asked_at)
        if since < SOON:
            return OFTEN
        if said.response_url and await self._store.claims.first(f"waits:{said.id}"):
            wait = timedelta(seconds=before / self._posts_per_second) if self._posts_per_second else timedelta(0)
            message = signs.waits_for_slack(watch.pipeline_number, wait)
            await self._quietly(self._messenger.respond(said.response_url, message, replace=True))
        return RARELY if since > 10 * SOON else OFTEN

    async def _awaited(self, said: Invocation, pipeline_id: PipelineId) -> Watch | None:
        """Return the watch that a command began, as long as its message does not stand."""
        watches = await self._store.watches.of(pipeline_id)
        return next((one for one in watches if one.id == said.id and one.root_ts is None), None)

    async def _quietly(self, work: Awaitable[None], seconds: float | None = None) -> None:
        """Do it, or leave it: what takes longer than these seconds is left to Slack."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except SlackError as error:
            log.info("sign_left", method=error.method, code=error.code)
        except TimeoutError:
            log.info("sign_left", code="no_answer_in_time")
