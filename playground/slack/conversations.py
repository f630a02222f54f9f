"""What is in a workspace: people, channels and the messages said in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.slack import terminal

Json = dict[str, Any]


@dataclass
class User:
    """Somebody, or a bot; `is_restricted` is a guest."""

    id: str
    name: str
    team_id: str
    is_bot: bool = False
    is_restricted: bool = False
    is_admin: bool = False
    deleted: bool = False
    tz: str = "Etc/UTC"
    profile: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        """Return the object users.info answers with."""
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "real_name": self.profile.get("real_name"),
            "tz": self.tz,
            "profile": self.profile,
            "is_admin": self.is_admin,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_stranger": False,
        }


@dataclass
class Channel:
    """A conversation; `kind` is public, private or im."""

    id: str
    name: str
    kind: str
    members: list[str]
    names: Mapping[str, str] = field(repr=False)
    is_archived: bool = False
    everything: list["Message"] = field(default_factory=list, repr=False)

    @property
    def is_im(self) -> bool:
        """Say whether these are the direct messages of one person."""
        return self.kind == "im"

    @property
    def messages(self) -> list["Message"]:
        """What can be read here, replies included, in the order it was said."""
        return [message for message in self.everything if not message.deleted]

    @property
    def roots(self) -> list["Message"]:
        """What was said outside of threads."""
        return [message for message in self.messages if not message.thread_ts]

    @property
    def in_sight(self) -> list["Message"]:
        """What can be read without opening a thread: replies that were sent to the channel too stand there as well."""
        return [message for message in self.messages if not message.thread_ts or message.reply_broadcast]

    def thread(self, root_ts: str) -> list["Message"]:
        """Return the replies under a root."""
        return [message for message in self.messages if message.thread_ts == root_ts]

    def find(self, ts: str) -> "Message | None":
        """Return a message that can still be read."""
        return next((message for message in self.messages if message.ts == ts), None)

    def as_json(self) -> Json:
        """Return the object conversations.info answers with."""
        kinds = {"is_channel": "public", "is_group": "private", "is_im": "im"}
        return {
            "id": self.id,
            "name": self.name,
            **{flag: self.kind == kind for flag, kind in kinds.items()},
            "is_private": self.kind != "public",
            "is_archived": self.is_archived,
            "num_members": len(self.members),
        }


@dataclass(eq=False)
class Message:
    """What was said, by whom; `only_for` makes it an ephemeral, `status` is what the app says it does in its thread."""

    channel: Channel = field(repr=False)
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list, repr=False)
    thread_ts: str | None = None
    metadata: Json | None = None
    reply_broadcast: bool = False
    only_for: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    team: str | None = None
    edited_ts: str | None = None
    deleted: bool = False
    history: list[tuple[str, list[Json]]] = field(default_factory=list, repr=False)
    reactions: list[tuple[str, str]] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    status: str = ""

    @property
    def visible(self) -> str:
        """All a person reads."""
        said = terminal.render({"text": self.text, "blocks": self.blocks}, self.channel.names)
        return "\n".join([*([said] if said else []), *(f"[file: {file['name']}]" for file in self.files)])

    @property
    def earlier(self) -> list[str]:
        """What it read before each edit, oldest first."""
        shown = ({"text": text, "blocks": blocks} for text, blocks in self.history)
        return [terminal.render(message, self.channel.names) for message in shown]

    @property
    def notification(self) -> str:
        """What the phone's lock screen and a screen reader say."""
        return terminal.render({"text": self.text}, self.channel.names)

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons."""
        return terminal.buttons({"blocks": self.blocks})

    def element(self, name: str) -> Json:
        """Return a button or menu by its label or action_id, to press it later however the message changes."""
        return terminal.element(self.blocks, name)

    @property
    def replies(self) -> list["Message"]:
        """What stands in its thread."""
        return self.channel.thread(self.ts)

    def line(self) -> str:
        """Return it as one entry of a transcript."""
        who = self.channel.names.get(self.user, self.user)
        place = f"DM {self.channel.name}" if self.channel.is_im else f"#{self.channel.name}"
        where = place + (f" > {self.thread_ts}" if self.thread_ts else "")
        where += f" and {place}" if self.reply_broadcast else ""
        alone = f" (only for {self.channel.names.get(self.only_for, '?')})" if self.only_for else ""
        return f"{self.ts} {where} {who}{alone}: {self.visible}"

    def as_json(self, *, with_metadata: bool = False) -> Json:
        """Return the object conversations.history answers with and payloads carry."""
        root = self.channel.thread(self.ts)
        data: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": self.team}
        data |= {"bot_id": self.bot_id, "app_id": self.app_id} if self.bot_id else {}
        data |= {"blocks": self.blocks} if self.blocks else {}
        data |= {"thread_ts": self.thread_ts or self.ts} if self.thread_ts or root else {}
        data |= {"reply_count": len(root)} if root else {}
        if self.reply_broadcast and (began := self.channel.find(self.thread_ts or "")):
            data |= {"subtype": "thread_broadcast", "root": began.as_json()}
        data |= {"edited": {"user": self.user, "ts": self.edited_ts}} if self.edited_ts else {}
        data |= {"metadata": self.metadata} if self.metadata and with_metadata else {}
        return data
