"""The boundary: find, parse, authorise, handle, reply; every exception becomes words here and nowhere else."""

import secrets
from collections.abc import Awaitable

import structlog

from bot import metrics
from bot.actions import RunCommand
from bot.auditing import Auditor, begin
from bot.errors import BotError, CircleCIError, SlackError, StoreError, Unauthorized, UsageError, UserError
from bot.grammar import split
from bot.models.slack import Click, Invocation
from bot.routing import Context, subject
from bot.slack.secrecy import REMOVED
from bot.watching.operator import Operator
from formatters import answers, credentials, errors
from formatters.blocks import Message

log = structlog.get_logger(__name__)


class Dispatcher:
    """Carries out what was recorded; nothing it does raises to the worker but a lost Redis."""

    def __init__(self, context: Context, operator: Operator, auditor: Auditor) -> None:
        self._auditor = auditor
        self._context = context
        self._operator = operator

    async def handle(self, invocation_id: str) -> None:
        """Carry out what somebody said, unless an earlier run has."""
        invocation = await self._context.store.deliveries.said(Invocation, invocation_id)
        if invocation is None:
            return
        with structlog.contextvars.bound_contextvars(request=_reference(), user=invocation.user_id):
            answer = await self._in_words(invocation, self._answer_to(invocation))
            if answer is not None:
                await self._reply(invocation, answer)
            if REMOVED in invocation.text:
                await self._reply(invocation, credentials.token_in_link())
        await self._context.store.deliveries.mark_done(invocation_id)

    async def press(self, click_id: str) -> None:
        """Carry out what somebody pressed, unless an earlier run has."""
        click = await self._context.store.deliveries.said(Click, click_id)
        if click is None:
            return
        with structlog.contextvars.bound_contextvars(request=_reference(), user=click.user_id):
            answer = await self._in_words(click, self._answer_to_click(click))
            if answer is not None:
                await self._reply(click, answer)
        await self._context.store.deliveries.mark_done(click_id)

    async def _answer_to(self, invocation: Invocation) -> Message | None:
        command, rest = self._context.router.find(split(invocation.text), typed=invocation.text)
        log.info("command", name=command.name, kind=invocation.kind, channel=invocation.channel_id)
        begin(command.permission, invocation.text)
        await self._context.permissions.check(invocation, command.permission)
        try:
            request = command.parse(rest, self._context.projects)
            await self._context.permissions.check(invocation, command.permission, *subject(request), certain=False)
            return await command.handle(request, invocation, self._context)
        except UsageError as error:
            error.command = error.command or command.name
            raise

    async def _answer_to_click(self, click: Click) -> Message | None:
        if click.action_id.partition(":")[0] == RunCommand.action_id:
            return await self._run_command(click)
        action = self._context.router.action_for(click.action_id)
        if action is None:
            return answers.unknown_button()
        log.info("press", button=action.button.action_id, channel=click.channel_id)
        begin(action.permission, action.button.action_id)
        button = action.button.unpack(click.value)
        await self._context.permissions.check(click, action.permission, *subject(button), certain=False)
        return await action.handle(button, click, self._context)

    async def _run_command(self, click: Click) -> Message | None:
        """Carry out a command offered as a button, as if the presser had typed it; the first press counts."""
        text = RunCommand.unpack(click.value).text
        command, _ = self._context.router.find(split(text), typed=text)
        if command.permission == "read":
            return await self._answer_to(_as_if_typed(click, text))  # may be read as often as anybody likes
        store, claim = self._context.store, f"run:{click.channel_id}:{click.message_ts}:{text}"
        mine = f"{click.id}|{click.user_id}"
        if (holder := await store.claims.claim(claim, mine)) != mine:
            return answers.someone_was_first(holder.rpartition("|")[2], text)
        invocation = _as_if_typed(click, text)
        await store.deliveries.record(invocation)
        try:
            return await self._answer_to(invocation)
        except (UserError, CircleCIError):
            await store.claims.release(claim)
            raise

    async def _in_words(self, said: Invocation | Click, answer: Awaitable[Message | None]) -> Message | None:
        try:
            found = await answer
        except StoreError:
            raise  # only the engine can help: it runs the task again, and each step looks before it acts
        except BotError as error:
            words = await self._words_for(error, said)
            await self._auditor.note(said, words.text)
            return words
        except Exception:  # the one boundary: nobody may see nothing
            metrics.ERRORS.labels("unexpected").inc()
            reference = str(structlog.contextvars.get_contextvars()["request"])
            log.exception("unexpected", reference=reference)
            await self._auditor.note(said, "it broke")
            return errors.unexpected(reference)
        await self._auditor.note(said, found.text if found else "done")
        return found

    async def _words_for(self, error: BotError, said: Invocation | Click) -> Message:
        metrics.ERRORS.labels(type(error).__name__).inc()
        if not isinstance(error, UserError):
            log.warning("refused", error=repr(error))
        if isinstance(error, Unauthorized):
            await self._operator.token_refused(error.token)
        usage = self._context.router.commands.get(error.command or "") if isinstance(error, UsageError) else None
        word = said.command if isinstance(said, Invocation) else "/ci"
        typed = said.text if isinstance(said, Invocation) else ""
        reference = str(structlog.contextvars.get_contextvars()["request"])
        return errors.error(error, command=word, help=usage.help if usage else None, typed=typed, reference=reference)

    async def _reply(self, said: Invocation | Click, message: Message) -> None:
        """Answer the one person, where they asked; by direct message where all else fails."""
        messenger = self._context.messenger
        try:
            if said.response_url:
                await messenger.respond(said.response_url, message)
                return
            if isinstance(said, Invocation) and said.kind in ("message", "opened"):
                # A direct message is private already: an answer there may stay.
                await messenger.post(said.channel_id, message, thread_ts=said.thread_ts)
                return
        except SlackError as error:
            log.info("answer_refused", method=error.method, code=error.code)
        try:
            await messenger.whisper(said.channel_id, said.user_id, message, thread_ts=_thread_of(said))
        except SlackError as error:
            log.warning("answer_not_delivered", method=error.method, code=error.code)


def _thread_of(said: Invocation | Click) -> str | None:
    # An ephemeral in a thread that has no reply yet would be invisible: a mention in the channel is answered there.
    if isinstance(said, Invocation) and said.thread_ts == said.message_ts:
        return None
    return said.thread_ts


def _as_if_typed(click: Click, text: str) -> Invocation:
    return Invocation(
        id=click.id,
        kind="button",
        text=text,
        user_id=click.user_id,
        user_name=click.user_name,
        team_id=click.team_id,
        channel_id=click.channel_id,
        thread_ts=click.thread_ts,
        response_url=click.response_url,
    )


def _reference() -> str:
    return secrets.token_hex(3)
