"""Bolt's listeners: record what came in, ack, and let nothing out.

Bolt acks an event before it runs its listener, and forgets the ack of anything else where an exception follows it
(both in slack_bolt/listener/asyncio_runner.py). So an event is recorded in a middleware of its listener, and each
listener catches its own exceptions; `@app.error` is a last net for what Bolt itself raises.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse

from bot import metrics
from bot.actions import RunCommand, ShareAnswer
from bot.errors import BotError, MaybeTaken, StoreError, TooMany, UsageError, UserError
from bot.grammar import check_length, split
from bot.models.slack import Click, Invocation
from bot.policy import Word
from bot.routing import Context, Router
from bot.slack.answering import thread_of
from bot.slack.forms import Forms
from bot.slack.payloads import from_action, from_command, from_event
from bot.slack.secrecy import Found, Spoken, has_secret_shape, secret_in
from bot.slack.signs import Line
from bot.slack.understood import line_of, takes_the_default_token
from bot.store.deliveries import LATEST_EDIT
from bot.watching.engine import HANDLE, PRESS, READ, READS_AT_ONCE, SHOW, Engine
from formatters import credentials, errors, signs
from formatters.blocks import Message

Ack = Callable[..., Awaitable[BoltResponse]]
log = structlog.get_logger(__name__)

RECORD_SECONDS = 1.0  # Slack waits three for the ack
MOST_OPEN = 10  # questions of one person that wait or are being answered
_ANY = re.compile(r".*")
_TAKEN = "taken"  # in Bolt's context: the invocation, and why it was refused


class Listeners:
    """What Slack delivers goes into the store and onto the docket before it is acknowledged."""

    def __init__(
        self,
        context: Context,
        engine: Engine,
        forms: Forms,
        *,
        bot_user_id: str,
        record_seconds: float = RECORD_SECONDS,
    ) -> None:
        self._deliveries = context.store.deliveries
        self._questions = context.store.questions
        self._claims = context.store.claims
        self._messenger = context.messenger
        self._router = context.router
        self._projects = context.projects
        self._line = Line(context.store.turns)
        self._spoken = Spoken.of(context.router, context.projects.projects)
        self._engine = engine
        self._forms = forms
        self._bot_user_id = bot_user_id
        self._record_seconds = record_seconds
        self._under_way: set[asyncio.Task[None]] = set()

    def register(self, app: AsyncApp) -> None:
        """Listen to every command, mention, direct message and button."""
        app.command(_ANY)(self.command)
        for kind in ("app_mention", "message", "app_home_opened"):
            app.event(kind, middleware=[self.take_event])(self.event)
        app.action(_ANY)(self.action)
        app.view(_ANY)(self._forms.submitted)
        app.error(self.error)

    async def command(self, body: dict[str, Any], ack: Ack) -> None:
        """Take a slash command; a refusal, or a sign of what was understood, rides on the ack itself.

        That needs neither the Web API nor a turn at it, and a refusal not even Redis.
        """
        invocation = from_command(body)
        line = line_of(invocation.text, self._router, self._projects) if invocation.response_url else ""
        invocation = invocation.model_copy(update={"signed": bool(line)})
        refusal = await self._refused(invocation)
        said = refusal or (signs.understood(line, await self._wait(invocation.text)) if line else None)
        await (ack(response_type="ephemeral", text=said.text, blocks=list(said.blocks)) if said else ack())
        if refusal is None:
            await self._remember(invocation.id)

    async def _wait(self, text: str) -> timedelta:
        """Return how long CircleCI may not be asked with the default token, for a command that needs that one."""
        if not takes_the_default_token(text, self._router, self._projects):
            return signs.NONE  # each token has pauses of its own, and whoever waits is told how long
        return await self._line.left()

    async def take_event(
        self, body: dict[str, Any], context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> None:
        """Take a mention, a direct message, or the opening of direct messages, before Bolt acks it."""
        invocation = from_event(body, bot_user_id=self._bot_user_id)
        context[_TAKEN] = None if invocation is None else (invocation, await self._refused(invocation))
        await next_()

    async def event(self, context: AsyncBoltContext) -> None:
        """Say why an event was not taken, or drop what Slack delivers of it again."""
        if (taken := context[_TAKEN]) is None:
            return
        invocation, refusal = taken
        if refusal is not None:
            await self._whisper(invocation, refusal)
            return
        await self._remember(invocation.id)

    async def action(self, body: dict[str, Any], ack: Ack) -> None:
        """Take a press on a button."""
        click = from_action(body)
        if click is None:
            await ack()
            return
        if self._forms.opens(click.action_id):
            await ack()
            await self._forms.open(click)
            return
        refusal = await self._refused(click)
        await ack()
        if refusal is not None:
            await self._refuse_click(click, refusal)
            return
        await self._remember(click.id)

    async def error(self, error: Exception, body: dict[str, Any]) -> BoltResponse:  # noqa: ARG002  # Bolt's signature
        """Keep Bolt from answering with the exception's text or logging the body."""
        log.error("listener_failed", error=repr(error))
        return BoltResponse(status=500, body="")

    async def _refused(self, said: Invocation | Click) -> Message | None:
        """Record and queue, or return why not: it holds a secret, is too long or one too many, or Redis is away.

        What is refused is kept nowhere.
        """
        if found := self._secret_in(said):
            say = f"{_spoken_to(said)} {found.say}"
            return credentials.typed_value(say, how=_how(said), known_by_shape=found.known_by_shape)
        said = said.heard if isinstance(said, Invocation) else said
        try:
            check_length(_text(said))
            recorded = not _is_late(said) and await self._record(said)
            if not recorded and isinstance(said, Invocation) and said.edited_after is not None:
                return errors.edited() if await self._claims.first(f"edited:{said.id}") else None
        except (UserError, StoreError) as error:
            line = line_of(_text(said), self._router, self._projects) if isinstance(error, StoreError | TooMany) else ""
            return errors.error(error, command=_spoken_to(said), line=line)
        return None

    def _secret_in(self, said: Invocation | Click) -> Found | None:
        """Return the secret that was typed, or stands on a button: an earlier version put there what was typed."""
        if isinstance(said, Invocation) or _is_command(said):
            return secret_in(_text(said), self._spoken)
        return Found(known_by_shape=True) if has_secret_shape(said.value) else None

    async def _record(self, said: Invocation | Click) -> bool:
        """Record and queue; False where a delivery of the same was queued before. Raises TooMany for one too many.

        Raises StoreError where Redis is too slow. What was on its way to the queue then is carried out by nobody, or
        is begun already and taken; or neither is known: that is MaybeTaken.
        """
        only_looks, queued = _only_looks(said, self._router), False
        try:
            async with asyncio.timeout(self._record_seconds):
                if only_looks and not await self._questions.open(said.user_id, said.id, MOST_OPEN):
                    raise TooMany(MOST_OPEN, READS_AT_ONCE)
                if await self._deliveries.record(said):
                    queued = True  # from here on it may be
                    await self._queue(said, only_looks=only_looks)
                    return True
                metrics.DUPLICATES.inc()
                log.info("delivery_dropped", delivery=said.id)
                if only_looks:
                    await self._questions.close(said.user_id, said.id)
        except (TimeoutError, StoreError) as error:
            if only_looks:
                self._beside(self._quietly(self._questions.close(said.user_id, said.id)))
            if queued and not await self._voided(said.id):
                return True
            raise StoreError("Redis does not answer in time") from error
        return False

    async def _voided(self, delivery_id: str) -> bool:
        """Let what is refused be carried out by nobody; False where somebody has begun. Raises MaybeTaken."""
        try:
            async with asyncio.timeout(self._record_seconds):
                return await self._deliveries.void(delivery_id)
        except (TimeoutError, StoreError) as error:
            raise MaybeTaken("Redis does not answer in time") from error

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something be done when Redis is there again: nobody waits for it."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _queue(self, said: Invocation | Click, *, only_looks: bool) -> None:
        if only_looks:
            await self._engine.add(SHOW if isinstance(said, Click) else READ, said.user_id, said.id)
        else:
            await self._engine.add(PRESS if isinstance(said, Click) else HANDLE, said.id)

    async def _remember(self, delivery_id: str) -> None:
        """Drop redeliveries; after queueing, so that a process that dies in between loses nothing."""
        await self._quietly(self._deliveries.mark_seen(delivery_id))

    async def _whisper(self, invocation: Invocation, message: Message) -> None:
        channel_id, thread_ts = invocation.channel_id, thread_of(invocation)
        await self._quietly(self._messenger.whisper(channel_id, invocation.user_id, message, thread_ts=thread_ts))

    async def _refuse_click(self, click: Click, refusal: Message) -> None:
        if click.response_url:
            await self._quietly(self._messenger.respond(click.response_url, refusal, thread_ts=thread_of(click)))

    async def _quietly(self, work: Awaitable[None]) -> None:
        try:
            await work
        except BotError as error:
            log.warning("after_ack_failed", error=repr(error))


def _is_late(said: Invocation | Click) -> bool:
    """Say whether a message was edited so late that nobody knows any more what it was, and what came of it."""
    after = said.edited_after if isinstance(said, Invocation) else None
    return after is not None and after > LATEST_EDIT.total_seconds()


def _spoken_to(said: Invocation | Click) -> str:
    return said.command if isinstance(said, Invocation) else "/ci"


def _how(said: Invocation | Click) -> credentials.How:
    if isinstance(said, Click):
        return "pressed"
    return "typed" if said.kind == "command" else "written"


def _only_looks(said: Invocation | Click, router: Router) -> bool:
    """Say whether it changes nothing for anybody: what nobody understands is answered with how to say it."""
    if isinstance(said, Click) and not _is_command(said):
        action = router.action_for(said.action_id)
        return action is not None and action.permission == Word.READ
    text = _text(said)
    try:
        command, _ = router.find(split(text))
    except UsageError:
        return True
    return command.only_looks


def _is_command(click: Click) -> bool:
    return click.action_id.partition(":")[0] in (RunCommand.action_id, ShareAnswer.action_id)


def _text(said: Invocation | Click) -> str:
    """Return what was typed, or what stands on the button as if it was."""
    if isinstance(said, Invocation):
        return said.text
    try:
        return RunCommand.unpack(said.value).text if _is_command(said) else ""
    except UsageError:
        return ""
