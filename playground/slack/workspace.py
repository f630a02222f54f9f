"""A Slack workspace: its people and channels, and Slack's rules for what may be said where. No HTTP."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from playground.slack.conversations import Channel, Json, Message, User

# 2026-11-20T10:00:00Z: every run of a story sees the same `ts`.
OPENING = 1_795_168_800.0
SLACKBOT = "USLACKBOT"


class Refused(Exception):
    """Slack says no: its own error code, and what goes beside it in the answer; `ordered` by a story or earned."""

    def __init__(self, code: str, messages: list[str] | None = None, *, ordered: bool = False, **more: object) -> None:
        super().__init__(code, *(messages or []))
        self.code = code
        self.messages = messages or []
        self.ordered = ordered
        self.more = more


@dataclass
class UserGroup:
    """A group people mention as `@handle`."""

    id: str
    handle: str
    users: list[str] = field(default_factory=list)


class Workspace:
    """The single source of truth; each change calls `on_change`."""

    def __init__(
        self, team_id: str = "T0ACME", domain: str = "acme", *, now: Callable[[], float] | None = None
    ) -> None:
        self.team_id = team_id
        self.domain = domain
        self.enterprise_id: str | None = None
        self.bot_user_id, self.bot_id, self.app_id = "U0BOT", "B0BOT", "A0CI"
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, UserGroup] = {}
        self.ephemerals: list[Message] = []
        self.names: dict[str, str] = {}
        self.files: dict[str, Json] = {}
        self.on_change: list[Callable[[], None]] = []
        self._now = now or (lambda: OPENING)
        self._count = count(1)
        self.add_user(SLACKBOT, "slackbot", is_bot=True)
        self.add_user(self.bot_user_id, "ci", is_bot=True)

    def changed(self) -> None:
        """Tell whoever waits that something happened."""
        for listener in self.on_change:
            listener()

    def mint(self, prefix: str = "") -> str:
        """Return an id nobody had before, the same in every run."""
        return f"{prefix}{next(self._count):06}"

    def now(self) -> float:
        """Return the workspace's time in seconds."""
        return self._now()

    def ts(self) -> str:
        """Return a new message's `ts`: unique and increasing."""
        return f"{int(self._now())}.{self.mint()}"

    def add_user(self, user_id: str, name: str, *, team_id: str | None = None, **more: Any) -> User:
        """Let somebody in; a user of another `team_id` is a Slack Connect stranger."""
        profile = {"real_name": name.title(), "display_name": name, "email": f"{name}@{self.domain}.example"}
        more.setdefault("profile", {"real_name": name} if more.get("is_bot") else profile)
        user = self.users[user_id] = User(user_id, name, team_id or self.team_id, **more)
        self.names[user_id] = name
        return user

    def add_channel(self, channel_id: str, name: str, *members: str, kind: str = "public") -> Channel:
        """Open a channel: `public`, `private` or `im`."""
        channel = self.channels[channel_id] = Channel(channel_id, name, kind, list(members), self.names)
        self.names[channel_id] = name
        return channel

    def add_usergroup(self, group_id: str, handle: str, *users: str) -> UserGroup:
        """Open a group that can be mentioned."""
        self.names[group_id] = handle
        group = self.usergroups[group_id] = UserGroup(group_id, handle, list(users))
        return group

    def channel(self, ref: str) -> Channel:
        """Return a channel by id or name; raises Refused like Slack."""
        name = ref.removeprefix("#")
        for channel in self.channels.values():
            if ref == channel.id or (name == channel.name and not channel.is_im):
                return channel
        raise Refused("channel_not_found")

    def user(self, ref: str) -> User:
        """Return somebody by id or name; raises Refused like Slack."""
        for user in self.users.values():
            if ref in (user.id, user.name):
                return user
        raise Refused("user_not_found")

    def open_im(self, user_id: str) -> Channel:
        """Return the direct messages between the bot and somebody."""
        user = self.user(user_id)
        channel_id = f"D{user.id[1:]}"
        known = self.channels.get(channel_id)
        return known or self.add_channel(channel_id, user.name, user.id, self.bot_user_id, kind="im")

    def channels_of(self, user_id: str) -> Iterator[Channel]:
        """Yield where somebody is a member."""
        return (channel for channel in self.channels.values() if user_id in channel.members)

    def writable(self, ref: str, user_id: str) -> Channel:
        """Return a channel somebody may write in; raises Refused with Slack's code."""
        channel = self.visible(ref, user_id)
        if user_id not in channel.members:
            raise Refused("not_in_channel")
        if channel.is_archived:
            raise Refused("is_archived")
        return channel

    def visible(self, ref: str, user_id: str) -> Channel:
        """Return a channel somebody may know of: a private one does not exist for the others."""
        channel = self.channel(ref)
        if channel.kind != "public" and user_id not in channel.members:
            raise Refused("channel_not_found")
        return channel

    def post(self, channel: Channel, user_id: str, text: str, blocks: list[Json] | None = None, **more: Any) -> Message:
        """Say something; `more` are the other fields of a Message."""
        message = Message(channel, self.ts(), user_id, text, self._settled(blocks), **more)
        channel.everything.append(message)
        self.changed()
        return message

    def whisper(
        self, channel: Channel, to: str, text: str, blocks: list[Json] | None = None, *, user_id: str = "", **more: Any
    ) -> Message:
        """Show something to one person alone."""
        author = user_id or self.bot_user_id
        message = Message(channel, self.ts(), author, text, self._settled(blocks), only_for=to, **more)
        self.ephemerals.append(message)
        self.changed()
        return message

    def edit(self, message: Message, text: str | None, blocks: list[Json] | None, metadata: Json | None = None) -> None:
        """Change a message in place; what is None stays, as in Slack (python-slack-sdk#523)."""
        message.history.append((message.text, message.blocks))
        message.text = message.text if text is None else text
        message.blocks = message.blocks if blocks is None else self._settled(blocks)
        message.metadata = message.metadata if metadata is None else metadata
        if message.only_for is None:  # what one person alone sees bears no "(edited)"
            message.edited_ts = self.ts()
        self.changed()

    def delete(self, message: Message) -> None:
        """Take a message away for everybody."""
        message.deleted = True
        self.changed()

    def permalink(self, message: Message) -> str:
        """Return the address of a message."""
        root = f"?thread_ts={message.thread_ts}&cid={message.channel.id}" if message.thread_ts else ""
        return f"https://{self.domain}.slack.com/archives/{message.channel.id}/p{message.ts.replace('.', '')}{root}"

    def transcript(self) -> str:
        """Return everything anybody can read, for a failed story's report."""
        said = [message for channel in self.channels.values() for message in channel.messages]
        alone = [message for message in self.ephemerals if not message.deleted]
        return "\n".join(message.line() for message in [*said, *alone]) or "(nothing was said)"

    def _settled(self, blocks: list[Json] | None) -> list[Json]:
        """Return blocks as Slack keeps them: each with a `block_id`, each button with an `action_id`."""
        kept = copy.deepcopy(blocks or [])
        for block in kept:
            if not block.get("block_id"):
                block["block_id"] = self.mint("b")
            for element in block.get("elements", []) if block.get("type") == "actions" else []:
                element.setdefault("action_id", self.mint("a"))
        return kept


def default_workspace(*, now: Callable[[], float] | None = None) -> Workspace:
    """Return ACME: ada who asks, grace her colleague, a guest, a stranger of another company, an admin, the bot."""
    acme = Workspace(now=now)
    acme.add_user("U0ADA", "ada")
    acme.add_user("U0GRACE", "grace")
    acme.add_user("U0GUEST", "guest", is_restricted=True)
    acme.add_user("U0STRANGER", "stranger", team_id="T0OTHER")
    acme.add_user("U0ADMIN", "admin", is_admin=True)
    own, bot = ("U0ADA", "U0GRACE", "U0ADMIN"), acme.bot_user_id
    acme.add_channel("C0DEPLOYS", "deploys", *own, "U0GUEST", "U0STRANGER", bot)
    acme.add_channel("C0RELEASES", "releases", *own, bot)
    acme.add_channel("C0GENERAL", "general", *own, "U0GUEST", bot)
    acme.add_channel("C0WARROOM", "war-room", "U0ADA", "U0ADMIN", bot, kind="private")
    acme.add_channel("C0RANDOM", "random", *own)
    acme.add_usergroup("S0RELEASE", "release-team", "U0ADA", "U0ADMIN")
    return acme
