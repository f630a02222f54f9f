"""Modals, home tabs, and the `trigger_id` that opens them: short-lived and good for one use."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playground.slack import terminal
from playground.slack.blockkit.checks import MOST_VIEW_CHARACTERS, check_view
from playground.slack.conversations import Json
from playground.slack.workspace import Refused, Workspace

MOST_STACKED = 3


@dataclass(eq=False)
class View:
    """One modal or home tab as somebody has it before them."""

    id: str
    user_id: str
    content: Json = field(repr=False)
    hash: str = ""
    root: "View | None" = field(default=None, repr=False)
    previous: "View | None" = field(default=None, repr=False)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        """What it is made of."""
        return list(self.content.get("blocks") or [])

    @property
    def title(self) -> str:
        """What stands at its top."""
        return str((self.content.get("title") or {}).get("text") or "")

    @property
    def visible(self) -> str:
        """All a person reads in it, with what they did wrong."""
        body = terminal.render({"blocks": self.blocks})
        return "\n".join(filter(None, [self.title, body, *self.errors.values()]))

    def as_json(self, workspace: Workspace, values: Json | None = None) -> Json:
        """Return the object the Web API answers with and payloads carry."""
        defaults = {"private_metadata": "", "callback_id": "", "clear_on_close": False, "notify_on_close": False}
        root, previous = self.root or self, self.previous
        return {
            **defaults,
            **self.content,
            "id": self.id,
            "hash": self.hash,
            "team_id": workspace.team_id,
            "app_id": workspace.app_id,
            "bot_id": workspace.bot_id,
            "root_view_id": root.id,
            "previous_view_id": previous.id if previous else None,
            "state": {"values": values or {}},
        }


class Modals:
    """Who has which views open, and which triggers are still good."""

    def __init__(self, workspace: Workspace, *, now: Callable[[], float] = time.monotonic) -> None:
        self.trigger_seconds = 3.0
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self._workspace = workspace
        self._triggers: dict[str, tuple[str, float]] = {}
        self._exchanged: set[str] = set()
        self._now = now

    def trigger(self, user_id: str) -> str:
        """Return a `trigger_id` for something a person just did."""
        made = self._workspace.mint("1795168800.0000001.")
        self._triggers[made] = (user_id, self._now())
        return made

    def open(self, trigger_id: str, view: Json) -> View:
        """Show a first modal."""
        made = self._made(self._exchange(trigger_id), view, "modal")
        self.stacks[made.user_id] = [made]
        self._workspace.changed()
        return made

    def push(self, trigger_id: str, view: Json) -> View:
        """Lay a modal over another."""
        return self.stack(self._exchange(trigger_id), view)

    def stack(self, user_id: str, view: Json) -> View:
        """Lay a modal over what somebody has open."""
        stack = self.stacks.get(user_id) or []
        if not stack:
            raise Refused("not_found")
        if len(stack) >= MOST_STACKED:
            raise Refused("push_limit_reached")
        made = self._made(user_id, view, "modal")
        made.root, made.previous = stack[0], stack[-1]
        stack.append(made)
        self._workspace.changed()
        return made

    def update(self, view: Json, *, view_id: str = "", external_id: str = "", hash: str = "") -> View:  # noqa: A002  # Slack's noun
        """Change an open modal; a stale `hash` is a conflict."""
        everything = [one for stack in self.stacks.values() for one in stack]
        for known in everything:
            if known.id == view_id or (external_id and known.content.get("external_id") == external_id):
                if hash and hash != known.hash:
                    raise Refused("hash_conflict")
                return self.change(known, view)
        raise Refused("not_found")

    def change(self, known: View, view: Json) -> View:
        """Put other content into an open modal."""
        made = self._made(known.user_id, view, "modal")
        known.content, known.hash, known.errors = made.content, made.hash, {}
        self._workspace.changed()
        return known

    def publish(self, user_id: str, view: Json, hash: str = "") -> View:  # noqa: A002  # Slack's noun
        """Show somebody their home tab."""
        self._workspace.user(user_id)
        known = self.homes.get(user_id)
        if hash and known and hash != known.hash:
            raise Refused("hash_conflict")
        self.homes[user_id] = self._made(user_id, view, "home")
        self._workspace.changed()
        return self.homes[user_id]

    def answer(self, view: View, body: Json) -> None:
        """Do what the ack of a submission asks for; without an action the modal closes."""
        match body.get("response_action"):
            case "errors":
                view.errors = {str(block): str(text) for block, text in (body.get("errors") or {}).items()}
            case "update":
                self.change(view, body["view"])
            case "push":
                self.stack(view.user_id, body["view"])
            case "clear":
                self.stacks.pop(view.user_id, None)
            case _:
                self.close(view)
        self._workspace.changed()

    def close(self, view: View) -> None:
        """Take away the modal on top."""
        stack = self.stacks.get(view.user_id) or []
        if view in stack:
            del stack[stack.index(view) :]
        self._workspace.changed()

    def _exchange(self, trigger_id: str) -> str:
        if trigger_id in self._exchanged:
            raise Refused("exchanged_trigger_id")
        user_id, born = self._triggers.get(trigger_id, ("", 0.0))
        if not user_id:
            raise Refused("invalid_trigger_id")
        if self._now() - born > self.trigger_seconds:
            raise Refused("expired_trigger_id")
        self._exchanged.add(trigger_id)
        return user_id

    def _made(self, user_id: str, view: Any, kind: str) -> View:
        complaints = [f"[ERROR] {complaint}" for complaint in check_view(view)]
        if isinstance(view, dict) and view.get("type") != kind:
            complaints.append(f"[ERROR] must be a {kind} [json-pointer:/view/type]")
        if complaints:
            raise Refused("invalid_arguments", complaints)
        if len(str(view)) > MOST_VIEW_CHARACTERS:
            raise Refused("view_too_large")
        content = copy.deepcopy(view)
        for block in content["blocks"]:
            block.setdefault("block_id", self._workspace.mint("b"))
        return View(self._workspace.mint("V"), user_id, content, hash=self._workspace.mint("1795168800."))
