"""Modals that take a secret: opened and carried out by the process that received them, and never recorded or queued."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from slack_bolt.response import BoltResponse

from bot.actions import ButtonAction
from bot.answers import Answer
from bot.answers.questions import Waits
from bot.errors import BotError, StoreError
from bot.models.caller import Caller
from bot.models.slack import Click
from bot.record import Record
from bot.routing import Context, Form
from bot.slack.dispatch import at_the_door
from formatters import errors, forms, gate
from formatters.blocks import Message
from formatters.links import Links
from formatters.show import show

Ack = Callable[..., Awaitable[BoltResponse]]
KEPT = timedelta(hours=1)
DRAIN_SECONDS = 2
ACK_SECONDS, SETTLE_SECONDS = 2, 0.5  # Slack waits three seconds for the ack
log = structlog.get_logger(__name__)


class Forms:
    """Opens a form when its button is pressed, and hands what was filled in to the form's handler."""

    def __init__(self, context: Context, record: Record, links: Links) -> None:
        self._context = context
        self._record = record
        self._links = links
        self._under_way: set[asyncio.Task[Message]] = set()

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
            view = form.view(button, click.value, form.button.action_id)
            await self._context.messenger.open_view(click.trigger_id, view)
        except BotError as error:
            log.info("form_not_opened", form=form.button.action_id, error=repr(error))
            await self._say(click, errors.error(error))

    async def submitted(self, body: dict[str, Any], ack: Ack) -> None:
        """Carry out what was filled in, and say in the modal what CircleCI made of it."""
        view, caller = body["view"], _presser(body).caller
        form = self._form(str(view.get("callback_id") or ""))
        if form is None:
            await ack()
            return
        try:
            button = form.button.unpack(str(view["private_metadata"]))
            await self._permitted(form, button, caller)
            first = await self._context.store.claims.first(f"form:{view['id']}", KEPT)
        except BotError as error:
            await ack(response_action="update", view=forms.told(errors.error(error)))
            return
        if not first:
            await ack()
            return
        work = asyncio.create_task(self._carried_out(form, button, _filled(view), caller))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        await asyncio.wait({work}, timeout=ACK_SECONDS)
        if work.done():
            await ack(response_action="update", view=forms.told(work.result()))
            return
        await ack(response_action="update", view=forms.working())
        await self._show_later(str(view["id"]), work)

    async def drain(self) -> None:
        """Let what was submitted come to its end: it is in no queue that another process would take over."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)

    async def _show_later(self, view_id: str, work: "asyncio.Task[Message]") -> None:
        """Show an outcome that took longer than the ack may; after a moment, or the ack's own view would cover it."""
        told, _ = await asyncio.gather(work, asyncio.sleep(SETTLE_SECONDS))
        try:
            await self._context.messenger.update_view(view_id, forms.told(told))
        except BotError as error:
            log.warning("form_answer_not_shown", error=repr(error))

    async def _permitted(self, form: Form, button: ButtonAction, caller: Caller) -> None:
        """Ask at the door; what is refused there is in the record as well."""
        try:
            await at_the_door(self._context.permissions, caller, button.takes(form.permission), button.project)
        except BotError as error:
            await self._record.at_the_door(caller, button.takes(form.permission), button, error)
            raise

    async def _carried_out(
        self, form: Form, button: ButtonAction, filled: Mapping[str, str], caller: Caller
    ) -> Message:
        """Carry it out; what was typed is never part of what is said or kept."""
        try:
            answer = await form.submit(button, filled, caller, self._context)
            log.info("answered", what=form.button.action_id, answer=type(answer).__name__)
            return self._shown(answer)
        except Waits as waits:
            return self._shown(waits.question)
        except StoreError as error:
            return errors.error(error)
        except BotError as error:
            log.warning("form_refused", form=form.button.action_id, error=type(error).__name__)
            await self._record.at_the_door(caller, button.takes(form.permission), button, error)
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
            await self._context.messenger.respond(click.response_url, message)
        except BotError as error:
            log.warning("form_answer_not_shown", error=repr(error))

    def _form(self, action_id: str) -> Form | None:
        return self._context.router.forms.get(action_id.partition(":")[0])


def _presser(body: Mapping[str, Any]) -> Click:
    user, view = body.get("user") or {}, body["view"]
    return Click(
        id=str(view["id"]),
        action_id=str(view.get("callback_id") or ""),
        value="",
        user_id=str(user.get("id") or ""),
        user_name=str(user.get("username") or user.get("name") or ""),
        team_id=str(user.get("team_id") or (body.get("team") or {}).get("id") or ""),
        channel_id="",
        message_ts="",
    )


def _filled(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what was typed, by the block's id."""
    values = (view.get("state") or {}).get("values") or {}
    return {block: str(next(iter(fields.values())).get("value") or "") for block, fields in values.items() if fields}
