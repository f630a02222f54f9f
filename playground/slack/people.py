"""People at their keyboards: what they type and press reaches the bot as Slack would send it."""

from typing import TYPE_CHECKING, Any

from playground.slack import payloads, terminal, typing_marks
from playground.slack.conversations import Channel, Json, Message, User
from playground.slack.delivery import COMMAND, EVENT, INTERACTIVE, Delivery
from playground.slack.modals import View
from playground.slack.responses import Origin
from playground.slack.workspace import SLACKBOT, Refused

if TYPE_CHECKING:
    from playground.slack.api import Slack

# What Slack's clients show beside a button or in a modal when the app does not answer.
_TROUBLE = {
    "operation_timeout": "Operation timed out. Apps need to respond within 3 seconds.",
    "dispatch_failed": "This app is not responding.",
    "http_service_error": "This app responded with an error.",
}


class Person:
    """Somebody who types, presses and reads."""

    def __init__(self, slack: "Slack", user: User) -> None:
        self.user = user
        self._slack = slack
        self._workspace = slack.workspace
        self._filled: dict[str, Json] = {}

    @property
    def id(self) -> str:
        """Their user id."""
        return self.user.id

    @property
    def sees_only(self) -> list[Message]:
        """What only they can see and has not been taken away, notices of Slackbot included."""
        return [one for one in self._workspace.ephemerals if one.only_for == self.id and not one.deleted]

    @property
    def mark(self) -> int:
        """A moment of the workspace, for `sees_only_since`; the length of `sees_only` is none, for signs go again."""
        return len(self._workspace.ephemerals)

    def sees_only_since(self, mark: int) -> list[Message]:
        """Return what came after a moment, only they can see and has not been taken away."""
        return [one for one in self._workspace.ephemerals[mark:] if one.only_for == self.id and not one.deleted]

    @property
    def direct_messages(self) -> list[Message]:
        """What stands between them and the bot."""
        return self._workspace.open_im(self.id).messages

    @property
    def modal(self) -> View | None:
        """The modal they look at."""
        stack = self._slack.modals.stacks.get(self.id)
        return stack[-1] if stack else None

    @property
    def home(self) -> View | None:
        """The app's home tab, as published for them."""
        return self._slack.modals.homes.get(self.id)

    async def command(self, channel: str | Channel, name: str, text: str = "", *, raw: bool = False) -> Delivery:
        """Type a slash command; `raw` text is already as Slack would send it."""
        where = self._where(channel)
        sent = text if raw else typing_marks.escaped(text)
        origin = Origin(where, self.id)
        form = payloads.command(self._workspace, self.user, where, name, sent)
        form["response_url"] = self._slack.url + self._slack.responses.mint("commands", origin)
        form["trigger_id"] = self._slack.modals.trigger(self.id)
        delivery = await self._slack.courier.deliver(COMMAND, form)
        if delivery.error:
            self._notice(delivery, where, f'{name} failed with the error "{delivery.error}"')
        elif delivery.body:
            self._show_ack(delivery, origin)
        return delivery

    async def mention(
        self, channel: str | Channel, text: str, thread_ts: str | None = None, *, raw: bool = False
    ) -> Delivery:
        """Say something to the bot where others read it."""
        said = text if raw else typing_marks.marked(text, self._workspace)
        return await self._mentioning(self._where(channel), f"{self._bot} {said}", thread_ts)

    async def say(self, channel: str | Channel, text: str, thread_ts: str | None = None) -> Delivery | None:
        """Say something; the bot hears of it where it is named, and in its direct messages."""
        where = self._where(channel)
        if where.is_im:
            return await self.message_bot(text, thread_ts)
        said = typing_marks.marked(text, self._workspace)
        if self._bot in said:
            return await self._mentioning(where, said, thread_ts)
        self._say(where, said, thread_ts)
        return None

    async def message_bot(self, text: str, thread_ts: str | None = None, *, raw: bool = False) -> Delivery:
        """Write the bot a direct message."""
        said = text if raw else typing_marks.marked(text, self._workspace)
        message = self._say(self._workspace.open_im(self.id), said, thread_ts)
        return await self._slack.deliver_event(payloads.said(self._workspace, self.user, message, "message"))

    async def click(self, message: Message | View, button: str | Json) -> Delivery:
        """Press a button, by its label or action_id; an element read earlier is a press on a stale message."""
        return await self._act(message, button, ())

    async def select(self, message: Message | View, menu: str | Json, *choices: Any) -> Delivery:
        """Choose in a menu, found by its placeholder or action_id; options by their label or value."""
        return await self._act(message, menu, choices)

    async def suggest(self, message: Message | View, menu: str, typed: str) -> list[str]:
        """Type into a menu with external options; returns the labels offered."""
        element = self._found(message, menu)
        place = {name: element[name] for name in ("action_id", "block_id")}
        payload = self._interaction("block_suggestion", message, **place, value=typed)
        delivery = await self._slack.courier.deliver(INTERACTIVE, payload)
        body = delivery.body if isinstance(delivery.body, dict) else {}
        groups = body.get("option_groups") or [{"options": body.get("options") or []}]
        return [option["text"]["text"] for group in groups for option in group["options"]]

    async def submit(self, view: View, values: dict[str, Any] | None = None) -> Delivery:
        """Fill in a modal by block_id, action_id or label, and send it."""
        for name, value in (values or {}).items():
            element = self._found(view, name)
            self._fill(view.id, element, tuple(value) if isinstance(value, list) else (value,))
        state = self._state(view)
        payload = payloads.interaction(
            self._workspace,
            self.user,
            "view_submission",
            trigger_id=self._slack.modals.trigger(self.id),
            view=view.as_json(self._workspace, state),
            response_urls=[],
        )
        delivery = await self._slack.courier.deliver(INTERACTIVE, payload)
        if delivery.error:
            delivery.shown = "We had some trouble connecting. Try again?"
            return delivery
        try:
            self._slack.modals.answer(view, delivery.body if isinstance(delivery.body, dict) else {})
        except Refused as refusal:
            self._slack.note(f"view_submission: {' '.join([refusal.code, *refusal.messages])}")
        return delivery

    async def close(self, view: View) -> Delivery | None:
        """Close a modal; the bot hears of it only if it asked to."""
        self._slack.modals.close(view)
        if not view.content.get("notify_on_close"):
            return None
        shown = view.as_json(self._workspace, self._state(view))
        payload = payloads.interaction(self._workspace, self.user, "view_closed", view=shown, is_cleared=False)
        return await self._slack.courier.deliver(INTERACTIVE, payload)

    def dismiss(self, message: Message) -> None:
        """Take away what only they can see."""
        if message in self.sees_only:
            self._workspace.delete(message)

    async def shortcut(self, callback_id: str, message: Message | None = None) -> Delivery:
        """Choose a shortcut, of the workspace or of a message."""
        trigger = {"callback_id": callback_id, "trigger_id": self._slack.modals.trigger(self.id)}
        ts = str(int(self._workspace.now()))
        if message is None:
            payload = payloads.interaction(self._workspace, self.user, "shortcut", action_ts=ts, **trigger)
        else:
            payload = self._interaction("message_action", message, action_ts=ts, **trigger)
            payload |= {"message_ts": message.ts}
        return await self._slack.courier.deliver(INTERACTIVE, payload)

    async def open_home(self) -> Delivery:
        """Open the app's home tab."""
        return await self._open_app("home")

    async def open_messages(self) -> Delivery:
        """Open the direct messages with the app."""
        self._workspace.open_im(self.id)
        return await self._open_app("messages")

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Have Slack send the same once more."""
        return await self._slack.redeliver(delivery)

    async def _open_app(self, tab: str) -> Delivery:
        opened = {"type": "app_home_opened", "user": self.id, "channel": f"D{self.id[1:]}", "tab": tab}
        return await self._slack.deliver_event({**opened, "event_ts": self._workspace.ts()})

    async def _act(self, place: Message | View, what: str | Json, choices: tuple[Any, ...]) -> Delivery:
        element = self._found(place, what)
        chosen = self._fill(place.ts if isinstance(place, Message) else place.id, element, choices)
        identity = {name: element[name] for name in ("type", "action_id", "block_id")}
        action = {**identity, **chosen, "action_ts": self._workspace.ts()}
        trigger_id = self._slack.modals.trigger(self.id)
        payload = self._interaction("block_actions", place, actions=[action], trigger_id=trigger_id)
        delivery = await self._slack.courier.deliver(INTERACTIVE, payload)
        if delivery.error and isinstance(place, Message):
            self._notice(delivery, place.channel, _TROUBLE[delivery.error])
        elif delivery.error:
            delivery.shown = _TROUBLE[delivery.error]
        return delivery

    def _interaction(self, kind: str, place: Message | View, **more: Any) -> Json:
        """Return a payload about a message or a view they have before them."""
        if isinstance(place, View):
            where = payloads.in_view(self._workspace, place, self._filled.get(place.id, {}))
            return payloads.interaction(self._workspace, self.user, kind, **where, **more)
        origin = Origin(place.channel, self.id, place)
        more |= {"response_url": self._slack.url + self._slack.responses.mint("actions", origin)}
        state = {"values": self._filled.get(place.ts, {})}
        return payloads.interaction(self._workspace, self.user, kind, **payloads.on_message(place), state=state, **more)

    def _found(self, place: Message | View, what: str | Json) -> Json:
        if isinstance(what, dict):
            return what
        if isinstance(place, Message) and (place.deleted or place.only_for not in (None, self.id)):
            raise LookupError(f"{self.user.name} does not see this message")
        if isinstance(place, Message):
            self._workspace.visible(place.channel.id, self.id)
        return terminal.element(place.blocks, what)

    def _fill(self, place: str, element: Json, choices: tuple[Any, ...]) -> Json:
        """Remember what they chose, as it comes back in `state.values`."""
        chosen = payloads.chosen(element, choices)
        if element["type"] not in ("button", "overflow"):
            block = self._filled.setdefault(place, {}).setdefault(element["block_id"], {})
            block[element["action_id"]] = {"type": element["type"], **chosen}
        return chosen

    def _state(self, view: View) -> Json:
        """Return all of a view's fields, also those nobody touched; an empty one that is needed stops the client."""
        filled = self._filled.get(view.id, {})
        state: Json = {}
        for block in view.blocks:
            if block["type"] != "input":
                continue
            element = block["element"]
            value = filled.get(block["block_id"], {}).get(element["action_id"]) or payloads.untouched(element)
            if not block.get("optional") and not any(value[name] for name in value if name != "type"):
                raise LookupError(f"Please complete this required field: {block['label']['text']}")
            state[block["block_id"]] = {element["action_id"]: value}
        return filled | state

    def _where(self, channel: str | Channel) -> Channel:
        where = channel if isinstance(channel, Channel) else self._workspace.channel(channel)
        return self._workspace.writable(where.id, self.id)

    async def _mentioning(self, where: Channel, said: str, thread_ts: str | None) -> Delivery:
        message = self._say(where, said, thread_ts)
        if self._workspace.bot_user_id not in where.members:
            delivery = Delivery(EVENT, {}, error="not_in_channel")
            self._notice(delivery, where, "@ci is not in this channel. Invite them?")
            return delivery
        return await self._slack.deliver_event(payloads.said(self._workspace, self.user, message, "app_mention"))

    @property
    def _bot(self) -> str:
        return f"<@{self._workspace.bot_user_id}>"

    def _say(self, where: Channel, text: str, thread_ts: str | None) -> Message:
        blocks = typing_marks.rich_text(text)
        return self._workspace.post(where, self.id, text, blocks, thread_ts=thread_ts, team=self.user.team_id)

    def _notice(self, delivery: Delivery, where: Channel, text: str) -> None:
        delivery.shown = text
        self._workspace.whisper(where, self.id, text, user_id=SLACKBOT)

    def _show_ack(self, delivery: Delivery, origin: Origin) -> None:
        """Show an ack's body, which may be a message; a bad one is the bot's mistake."""
        body = delivery.body if isinstance(delivery.body, dict) else {"text": str(delivery.body)}
        try:
            self._slack.responses.speak(origin, body)
        except Refused as refusal:
            self._slack.note(f"ack of {delivery.what}: {' '.join([refusal.code, *refusal.messages])}")
        else:
            delivery.shown = origin.said.visible if origin.said else None
