"""Windows: opened and carried out by the process that received them; what is typed is never recorded or queued.

A submission does not say where its window was opened, and what the window carries may be altered: both are kept when
it is opened (`bot/store/windows.py`), under an id that the window bears behind its callback id.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from slack_bolt.response import BoltResponse

from bot.actions import ButtonAction
from bot.answers import Answer
from bot.answers.questions import Waits
from bot.errors import BotError, Slip, StoreError, as_told_to
from bot.models.caller import Caller
from bot.models.slack import Click
from bot.models.window import Window
from bot.record import Record
from bot.routing import Context, Form
from bot.slack.answering import thread_of
from bot.slack.dispatch import at_the_door
from bot.slack.payloads import Submission, from_submission
from bot.slack.secrecy import brings_secret
from bot.store.windows import KEPT
from formatters import errors, forms, gate
from formatters.blocks import Message
from formatters.links import Links
from formatters.show import show

Ack = Callable[..., Awaitable[BoltResponse]]
DRAIN_SECONDS = 2
ACK_SECONDS, SETTLE_SECONDS = 2, 0.5  # Slack waits three seconds for the ack
log = structlog.get_logger(__name__)


class Forms:
    """Opens a form when its button is pressed, and hands what was filled in to the form's handler."""

    def __init__(self, context: Context, record: Record, links: Links) -> None:
        self._context = context
        self._record = record
        self._links = links
        self._under_way: set[asyncio.Task[Message | Slip]] = set()

    def opens(self, action_id: str) -> bool:
        """Say whether a button opens a form."""
        return self._form(action_id) is not None

    async def open(self, click: Click) -> None:
        """Show the form at once: the `trigger_id` dies after three seconds."""
        form = self._form(click.action_id)
        if form is None or click.trigger_id is None:
            return
        try:
            button = form.button.unpack(click.value)
            await self._permitted(form, button, click.caller)
            about = (await form.ready(button, click.caller, self._context),) if form.ready else ()
            view = form.view(button, click.value, await self._opened(form, click), *about)
            await self._context.messenger.open_view(click.trigger_id, view)
        except BotError as error:
            log.info("form_not_opened", form=form.button.action_id, error=repr(error))
            await self._say(click, errors.error(error))

    async def submitted(self, body: dict[str, Any], ack: Ack) -> None:
        """Carry out what was filled in, and say in the modal what CircleCI made of it."""
        sent = from_submission(body)
        form = self._form(sent.callback_id)
        if form is None:
            await ack()
            return
        try:
            window = await self._window(form, sent)
            button, caller = form.button.unpack(window.value), sent.by(window.place)
            await self._permitted(form, button, caller)
            _refuse_secrets(form, sent)
            first = await self._context.store.claims.first(_claim(sent.callback_id), KEPT)
        except BotError as error:
            await _acknowledge(ack, error if isinstance(error, Slip) else errors.error(error))
            return
        if not first:
            await ack()
            return
        work = asyncio.create_task(self._carried_out(form, button, sent, caller))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        await asyncio.wait({work}, timeout=ACK_SECONDS)
        if work.done():
            await _acknowledge(ack, work.result())
            return
        await ack(response_action="update", view=forms.working())
        await self._show_later(sent.view_id, work)

    async def drain(self) -> None:
        """Let what was submitted come to its end: it is in no queue that another process would take over."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)

    async def _opened(self, form: Form, click: Click) -> str:
        """Keep who opens a window, where and with what, and return the callback id that it bears."""
        action_id = form.button.action_id
        window = Window(person_id=click.user_id, action_id=action_id, value=click.value, place=click.caller.place)
        return f"{action_id}:{await self._context.store.windows.add(window)}"

    async def _window(self, form: Form, sent: Submission) -> Window:
        """Return the window that was sent; raises Slip for one that stood open for too long, or is another person's.

        What was typed stays before them.
        """
        window = await self._context.store.windows.get(sent.callback_id.partition(":")[2])
        if window is None or (window.person_id, window.action_id) != (sent.person_id, form.button.action_id):
            slip = Slip(next(iter(sent.filled), ""), "window_unknown", what=form.opened_by)
            await self._record.at_the_door(sent.by(None), form.permission, form.button.action_id, slip)
            raise slip
        return window

    async def _show_later(self, view_id: str, work: "asyncio.Task[Message | Slip]") -> None:
        """Show an outcome that took longer than the ack may; after a moment, or the ack's own view would cover it."""
        told, _ = await asyncio.gather(work, asyncio.sleep(SETTLE_SECONDS))
        try:
            shown = errors.error(told) if isinstance(told, Slip) else told
            await self._context.messenger.update_view(view_id, forms.told(shown))
        except BotError as error:
            log.warning("form_answer_not_shown", error=repr(error))

    async def _permitted(self, form: Form, button: ButtonAction, caller: Caller) -> None:
        """Ask at the door; what is refused there is in the record as well."""
        if button.asks_itself:
            return
        try:
            await at_the_door(self._context.permissions, caller, button.takes(form.permission), button.project)
        except BotError as error:
            await self._record.at_the_door(caller, button.takes(form.permission), button, error)
            raise

    async def _carried_out(self, form: Form, button: ButtonAction, sent: Submission, caller: Caller) -> Message | Slip:
        """Carry it out, or return why what was typed cannot be taken; it is never part of what is said or kept."""
        try:
            answer = await form.submit(button, sent.filled, caller, self._context)
            log.info("answered", what=form.button.action_id, answer=type(answer).__name__)
            return self._shown(answer)
        except Waits as waits:
            return self._shown(waits.question)
        except Slip as slip:
            with suppress(StoreError):
                await self._context.store.claims.release(_claim(sent.callback_id))  # the same window is sent again
            return slip
        except StoreError as error:
            return errors.error(error)
        except BotError as error:
            log.warning("form_refused", form=form.button.action_id, error=type(error).__name__)
            await self._record.at_the_door(caller, button.takes(form.permission), button, error)
            as_told_to(error, caller.person_id)
            await self._context.permissions.as_told_to(error, caller)
            return errors.error(error)
        except Exception as error:  # noqa: BLE001  # its text may hold what was typed: the kind of it must do
            log.error("form_failed", form=form.button.action_id, error=type(error).__name__)  # noqa: TRY400
            return errors.unexpected(form.button.action_id)

    def _shown(self, answer: Answer) -> Message:
        """Return what the window says in the end; what a thread tells is told there."""
        return show(answer, self._links) or gate.typed_right()

    async def _say(self, click: Click, message: Message) -> None:
        if not click.response_url:
            return
        try:
            await self._context.messenger.respond(click.response_url, message, thread_ts=thread_of(click))
        except BotError as error:
            log.warning("form_answer_not_shown", error=repr(error))

    def _form(self, action_id: str) -> Form | None:
        return self._context.router.forms.get(action_id.partition(":")[0])


def _refuse_secrets(form: Form, sent: Submission) -> None:
    """Raise Slip for a secret in what others would read; the window stays open, and nothing of it is kept."""
    for name in form.shared:
        if brings_secret(sent.filled.get(name, "")):
            raise Slip(name, "holds_secret")


def _claim(callback_id: str) -> str:
    return f"form:{callback_id}"


async def _acknowledge(ack: Ack, outcome: Message | Slip) -> None:
    """Show what came of it; a slip beside its field, where the window stays open with what was typed."""
    if isinstance(outcome, Slip) and outcome.field:
        await ack(response_action="errors", errors={outcome.field: forms.slip(outcome)})
        return
    message = errors.error(outcome) if isinstance(outcome, Slip) else outcome
    await ack(response_action="update", view=forms.told(message))
