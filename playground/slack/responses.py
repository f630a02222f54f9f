"""What an app says through an ack's body or a `response_url`: five times within thirty minutes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.slack.conversations import Channel, Json, Message
from playground.slack.methods import MOST_POSTED, Call, content
from playground.slack.modals import Modals
from playground.slack.workspace import Refused, Workspace


@dataclass
class Origin:
    """What is being answered: a command in a channel, or a press on a message."""

    channel: Channel
    user_id: str
    message: Message | None = None
    born: float = 0
    uses: int = 0
    # Through a response_url the app may replace what it said there before.
    said: Message | None = field(default=None, repr=False)


class Responses:
    """The response_urls given out, and what was said through them."""

    def __init__(self, workspace: Workspace, modals: Modals, note: Callable[[str], None]) -> None:
        self.most_uses = 5
        self.most_seconds = 1800.0
        # What was said through a command's ack and URL: replaced, or left where it is with the next below it. People
        # have seen both of Slack (slackapi/bolt-python#1268).
        self.replaces = True
        self.now = time.monotonic
        self._workspace = workspace
        self._modals = modals
        self._note = note
        self._origins: dict[str, Origin] = {}

    def mint(self, kind: str, origin: Origin) -> str:
        """Return the path of a new response_url."""
        origin.born = self.now()
        path = f"/{kind}/{self._workspace.team_id}/{self._workspace.mint()}/pretend"
        self._origins[path] = origin
        return path

    def use(self, path: str, body: Json) -> None:
        """Say something through a response_url; raises Refused with the code Slack answers 404 or 400 with."""
        origin = self._origins.get(path)
        if origin is None:
            raise Refused("invalid_url")
        if self.now() - origin.born > self.most_seconds:
            raise Refused("expired_url")
        if origin.uses >= self.most_uses:
            raise Refused("used_url")
        origin.uses += 1
        self.speak(origin, body)

    def speak(self, origin: Origin, body: Json) -> None:
        """Show a body where it was asked for: to the person alone, unless it says otherwise."""
        original = origin.message or (origin.said if self.replaces else None)
        if body.get("delete_original"):
            if original:
                self._workspace.delete(original)
            return
        text, blocks = content(Call(self._workspace, self._modals, body, self._note), MOST_POSTED)
        if body.get("replace_original") and original:
            self._workspace.edit(original, text or "", blocks or [])
            return
        bot = {"bot_id": self._workspace.bot_id, "app_id": self._workspace.app_id}
        thread_ts, bot_user_id = body.get("thread_ts"), self._workspace.bot_user_id
        if body.get("response_type") == "in_channel":
            origin.said = self._workspace.post(
                origin.channel, bot_user_id, text or "", blocks, thread_ts=thread_ts, **bot
            )
            return
        origin.said = self._workspace.whisper(
            origin.channel, origin.user_id, text or "", blocks, thread_ts=thread_ts, **bot
        )
