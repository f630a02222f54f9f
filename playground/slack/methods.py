"""The Web API's methods for messages, and how a method is found: plain functions over the workspace, no HTTP.

https://docs.slack.dev/reference/methods
"""

import json
from collections.abc import Callable
from typing import Any

from playground.slack.blockkit.checks import check_blocks, too_long
from playground.slack.conversations import Channel, Json, Message
from playground.slack.modals import Modals
from playground.slack.workspace import Refused, Workspace

MOST_POSTED = 40_000
MOST_UPDATED = 4000
_MOST_METADATA = 8000
_JSON_FIELDS = ("blocks", "metadata", "view", "attachments")


class Call:
    """One call of a method: who serves it, and its arguments as a form or JSON carried them."""

    def __init__(
        self, workspace: Workspace, modals: Modals, arguments: Json, note: Callable[[str], None], url: str = ""
    ) -> None:
        self.workspace = workspace
        self.modals = modals
        self.arguments = {name: self._decoded(name, value) for name, value in arguments.items() if value is not None}
        self.note = note
        self.url = url

    def need(self, name: str) -> str:
        """Return an argument that must be there."""
        value = self.arguments.get(name)
        if value in (None, ""):
            raise Refused("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return str(value)

    def get(self, name: str) -> str:
        """Return an argument, or empty text."""
        value = self.arguments.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Return an argument that is on or off; forms write it in several ways."""
        return self.get(name).lower() in ("1", "true")

    def visible(self) -> Channel:
        """Return the channel asked about."""
        return self.workspace.visible(self._channel_id(), self.workspace.bot_user_id)

    def joined(self) -> Channel:
        """Return the channel asked about, where the bot must be a member."""
        channel = self.visible()
        if self.workspace.bot_user_id not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def writable(self) -> Channel:
        """Return the channel to write in."""
        return self.workspace.writable(self._channel_id(), self.workspace.bot_user_id)

    def own(self, refusal: str) -> Message:
        """Return the bot's own message that is to change."""
        message = self.message("ts")
        if message.user != self.workspace.bot_user_id:
            raise Refused(refusal)
        return message

    def message(self, name: str) -> Message:
        """Return the message an argument names; an ephemeral cannot be found."""
        message = self.joined().find(self.need(name))
        if message is None:
            raise Refused("message_not_found")
        return message

    def _channel_id(self) -> str:
        # Edits and questions take ids alone: a name is the classic mistake that works in tests and fails in Slack.
        channel_id = self.get("channel")
        if channel_id not in self.workspace.channels:
            raise Refused("channel_not_found")
        return channel_id

    @staticmethod
    def _decoded(name: str, value: Any) -> Any:
        if name not in _JSON_FIELDS or not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise Refused(f"invalid_{name}_format" if name == "blocks" else "invalid_arguments") from error


Method = Callable[[Call], Json]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Serve a function as a method of the Web API."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


@method("chat.postMessage")
def _post(call: Call) -> Json:
    workspace, target = call.workspace, call.need("channel")
    # A user id opens their direct messages, and a name is understood, in this one method only.
    if target in workspace.users:
        target = workspace.open_im(target).id
    channel = workspace.writable(target, workspace.bot_user_id)
    text, blocks = content(call, MOST_POSTED)
    thread_ts = _thread(call, channel)
    aloud = call.flag("reply_broadcast") and thread_ts is not None
    message = workspace.post(
        channel,
        workspace.bot_user_id,
        text or "",
        blocks,
        thread_ts=thread_ts,
        metadata=_metadata(call),
        reply_broadcast=aloud,
        **_signature(workspace),
    )
    if root := channel.find(thread_ts or ""):
        root.status = ""  # Slack takes it away when the app says something there
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json(with_metadata=True)}


@method("chat.update")
def _update(call: Call) -> Json:
    channel = call.writable()
    message = call.own("cant_update_message")
    if call.flag("reply_broadcast"):
        return _broadcast(call, message)
    text, blocks = content(call, MOST_UPDATED)
    call.workspace.edit(message, text, blocks, _metadata(call))
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": message.as_json()}


def _broadcast(call: Call, message: Message) -> Json:
    """Send an existing reply to its channel too; its words stay, and an edit without this takes it away nowhere."""
    if call.get("text") or call.arguments.get("blocks"):
        raise Refused("no_dual_broadcast_content_update")
    if not message.thread_ts:
        raise Refused("cant_broadcast_message")
    message.reply_broadcast = True
    call.workspace.changed()
    return {"channel": message.channel.id, "ts": message.ts, "text": message.text, "message": message.as_json()}


@method("chat.delete")
def _delete(call: Call) -> Json:
    message = call.own("cant_delete_message")
    call.workspace.delete(message)
    return {"channel": message.channel.id, "ts": message.ts}


@method("chat.postEphemeral")
def _whisper(call: Call) -> Json:
    workspace, channel, reader = call.workspace, call.writable(), call.need("user")
    if reader not in channel.members:
        raise Refused("user_not_in_channel")
    text, blocks = content(call, MOST_POSTED)
    message = workspace.whisper(
        channel, reader, text or "", blocks, thread_ts=_thread(call, channel), **_signature(workspace)
    )
    return {"message_ts": message.ts}


@method("chat.getPermalink")
def _permalink(call: Call) -> Json:
    message = call.message("message_ts")
    return {"channel": message.channel.id, "permalink": call.workspace.permalink(message)}


@method("files.getUploadURLExternal")
def _upload_url(call: Call) -> Json:
    name, length = call.need("filename"), int(call.need("length"))
    if length < 1:
        raise Refused("invalid_arguments")
    file_id = call.workspace.mint("F")
    call.workspace.files[file_id] = {"id": file_id, "name": name, "size": length, "content": None}
    return {"file_id": file_id, "upload_url": f"{call.url}/upload/{file_id}"}


@method("files.completeUploadExternal")
def _complete_upload(call: Call) -> Json:
    workspace = call.workspace
    listed = call.arguments.get("files")
    wanted = [str(one["id"]) for one in (json.loads(listed) if isinstance(listed, str) else listed or [])]
    found = [workspace.files[file_id] for file_id in wanted if file_id in workspace.files]
    if not found or any(file["content"] is None for file in found):
        raise Refused("file_not_found")
    channel = workspace.writable(call.need("channel_id"), workspace.bot_user_id)
    arguments = {"thread_ts": _thread(call, channel), "files": found, **_signature(workspace)}
    workspace.post(channel, workspace.bot_user_id, call.get("initial_comment"), None, **arguments)
    return {"files": [{"id": file["id"], "title": file["name"]} for file in found]}


@method("reactions.add")
def _react(call: Call) -> Json:
    message, mark = call.message("timestamp"), (call.need("name").strip(":"), call.workspace.bot_user_id)
    if mark in message.reactions:
        raise Refused("already_reacted")
    message.reactions.append(mark)
    call.workspace.changed()
    return {}


@method("reactions.remove")
def _unreact(call: Call) -> Json:
    message, mark = call.message("timestamp"), (call.need("name").strip(":"), call.workspace.bot_user_id)
    if mark not in message.reactions:
        raise Refused("no_reaction")
    message.reactions.remove(mark)
    call.workspace.changed()
    return {}


@method("assistant.threads.setStatus")
def _set_status(call: Call) -> Json:
    channel = call.workspace.writable(call.need("channel_id"), call.workspace.bot_user_id)
    root = channel.find(call.need("thread_ts"))
    if root is None or root.thread_ts:
        raise Refused("invalid_thread_ts")
    root.status = call.get("status")
    call.workspace.changed()
    return {}


def content(call: Call, most: int) -> tuple[str | None, list[Json] | None]:
    """Return the text and blocks of a message, or raise what Slack refuses them with; None is what was not given."""
    text, blocks = call.arguments.get("text"), call.arguments.get("blocks")
    if not text and not blocks and not call.arguments.get("attachments"):
        raise Refused("no_text")
    if text is not None and len(str(text)) > most:
        raise Refused("msg_too_long")
    if blocks is not None:
        _refuse_bad(blocks)
        if blocks and not text:
            call.note("blocks without text: a notification and a screen reader would say nothing")
    return (None if text is None else str(text)), blocks


def _refuse_bad(blocks: object) -> None:
    complaints = [str(complaint) for complaint in check_blocks(blocks)]
    if complaints:
        raise Refused("invalid_blocks", [f"[ERROR] {complaint}" for complaint in complaints], errors=complaints)
    if too_long(blocks):
        raise Refused("msg_blocks_too_long")


def _thread(call: Call, channel: Channel) -> str | None:
    """Return the root's `ts`; a reply's own `ts` is forgiven but noted."""
    thread_ts = call.get("thread_ts")
    if not thread_ts:
        return None
    parent = next((message for message in channel.everything if message.ts == thread_ts), None)
    if parent is None or (parent.deleted and not parent.replies):
        raise Refused("thread_not_found")
    if parent.thread_ts:
        call.note(f"thread_ts {thread_ts} is a reply's, not its root's")
    return parent.thread_ts or thread_ts


def _metadata(call: Call) -> Json | None:
    metadata = call.arguments.get("metadata")
    if metadata in (None, ""):
        return None
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= metadata.keys():
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(metadata)) > _MOST_METADATA:
        raise Refused("metadata_too_large")
    return metadata


def _signature(workspace: Workspace) -> dict[str, str]:
    return {"bot_id": workspace.bot_id, "app_id": workspace.app_id, "team": workspace.team_id}
