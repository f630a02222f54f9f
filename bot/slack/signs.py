"""A sign at once for who speaks to the bot: what it read in the ack of a command, eyes on what else takes a while.

Nothing of it waits for a budget, and an answer waits for the ack alone: where Slack takes no sign, there is none.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import NamedTuple

import structlog

from bot.errors import SlackError, StoreError
from bot.models.circleci import PipelineId
from bot.models.slack import Click, Invocation, Watch, utc_now
from bot.routing import Context
from bot.slack.understood import line_of
from bot.store.turns import CIRCLECI, Turns
from bot.waits import Wait, noted
from formatters import signs

SIGN_SECONDS = 0.5  # what is answered sooner needs no sign
SOON, OFTEN, RARELY = timedelta(seconds=2), timedelta(seconds=0.5), timedelta(seconds=5)
RESPONSE_URL = timedelta(minutes=30)  # so long Slack lets a sign be changed
ACK_SECONDS, ON_ITS_WAY = 0.5, 0.03  # how long an ack may take to be sent, and then to be read
STORE_SECONDS = 0.2
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

    @asynccontextmanager
    async def while_answered(self, said: Invocation | Click) -> AsyncIterator[None]:
        """Show eyes on what was said or pressed, if the block takes a while, and take them away after it.

        A run that is cut off leaves them to the next one.
        """
        mark = _mark(said)
        if mark is None:
            yield
            return
        over = asyncio.Event()
        showing = asyncio.create_task(self._show_until(mark, over))
        try:
            yield
        except asyncio.CancelledError:
            showing.cancel()
            raise
        finally:
            over.set()
            await asyncio.gather(showing, return_exceptions=True)

    async def _show_until(self, mark: _Mark, over: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(SIGN_SECONDS):
                await over.wait()
        if over.is_set():
            return
        shown = await self._shown(mark)
        await over.wait()
        if shown == REACT:
            await self._quietly(self._messenger.unreact(mark.channel_id, mark.ts, signs.REACTION))
        elif shown == STATUS:
            await self._quietly(self._messenger.set_status(mark.channel_id, mark.thread_ts, ""))

    async def _shown(self, mark: _Mark) -> str:
        """Show eyes, or else Slack's status line; returns the method that Slack took, empty text for none."""
        messenger = self._messenger
        if await self._taken(REACT, lambda: messenger.react(mark.channel_id, mark.ts, signs.REACTION)):
            return REACT
        says = await self._taken(
            STATUS, lambda: messenger.set_status(mark.channel_id, mark.thread_ts, signs.STATUS, hurried=True)
        )
        return STATUS if says else ""

    async def _taken(self, method: str, call: Callable[[], Awaitable[None]]) -> bool:
        """Say whether Slack took a sign; for want of a scope it is asked once, and not at each message."""
        if method in self._never:
            return False
        try:
            await call()
        except SlackError as error:
            if error.code in NEVER:
                self._never.add(method)
                log.info("no_signs", method=method, code=error.code)
            return error.lost or error.code == "already_reacted"
        return True

    @asynccontextmanager
    async def while_waiting(self, said: Invocation | Click) -> AsyncIterator[None]:
        """Say below a command that the block waits for CircleCI, if it does; nothing is said any more behind it."""
        url = said.response_url if isinstance(said, Invocation) and said.signed else None
        if url is None or not isinstance(said, Invocation):
            yield
            return
        over = asyncio.Event()
        with noted(CIRCLECI) as wait:
            saying = asyncio.create_task(self._say_wait(url, said.text, wait, over))
            try:
                yield
            finally:
                over.set()
                await asyncio.gather(saying, return_exceptions=True)

    async def _say_wait(self, url: str, text: str, wait: Wait, over: asyncio.Event) -> None:
        """Say once how long it waits, as soon as that is worth saying."""
        while not over.is_set():
            if wait.left >= signs.WORTH_SAYING:
                line = line_of(text, self._router, self._projects)
                await self._quietly(
                    self._messenger.respond(url, signs.waits_for_circleci(line, wait.left), replace=True)
                )
                return
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
        await self._quietly(self._messenger.retract(said.response_url))
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

    async def _quietly(self, work: Awaitable[None]) -> None:
        try:
            await work
        except SlackError as error:
            log.info("sign_left", method=error.method, code=error.code)
