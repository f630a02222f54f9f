"""Prints a workspace in the terminal as it grows: new messages, edits that can be seen, whispers."""

import asyncio
import re
import textwrap
from typing import TextIO

from playground.slack.api import Slack
from playground.slack.conversations import Message
from playground.slack.workspace import Workspace

_CODE = re.compile(r"(`[^`\n]*`)")
_MARKED = re.compile(r"(?<!\w)([*_~])(?!\s)([^*_~\n]+?)(?<!\s)\1(?!\w)")


class Screen:
    """Remembers what each message showed, and prints what is new."""

    def __init__(self, workspace: Workspace, out: TextIO) -> None:
        self._workspace = workspace
        self._out = out
        self._shown: dict[int, str] = {}

    def say(self, words: str) -> None:
        """Print what a person does, below what they have seen."""
        self.show()
        self._print(f"\n» {words}\n")

    async def follow(self, slack: Slack) -> None:
        """Print until cancelled."""
        while True:
            await slack.wait_for(self._news, timeout=10**6)
            self.show()
            await asyncio.sleep(0)

    def show(self) -> None:
        """Print what changed since the last time."""
        for message in self._messages():
            visible = message.visible
            if self._shown.get(id(message)) != visible:
                self._print(self._lines(message, edited=id(message) in self._shown))
                self._shown[id(message)] = visible

    def _news(self) -> bool:
        return any(self._shown.get(id(message)) != message.visible for message in self._messages())

    def _messages(self) -> list[Message]:
        channel = self._workspace.channel("deploys")
        people = [self._workspace.open_im(user) for user in ("U0ADA",)]
        told = [*channel.messages, *(message for im in people for message in im.messages), *self._workspace.ephemerals]
        return [message for message in told if not message.deleted]

    def _lines(self, message: Message, *, edited: bool) -> str:
        aloud = ", and in #deploys" if message.reply_broadcast else ""
        place = "only you" if message.only_for else f"in the thread{aloud}" if message.thread_ts else "#deploys"
        note = ", edited" if edited else ""
        author = self._workspace.user(message.user).name
        return f"{author} ({place}{note})\n" + textwrap.indent(unmarked(message.visible), "  │ ") + "\n"

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)


def unmarked(text: str) -> str:
    """Return mrkdwn without the marks of bold, italic and struck text; code keeps its own, and what is in it."""
    parts = _CODE.split(text)
    return "".join(part if place % 2 else _MARKED.sub(r"\2", part) for place, part in enumerate(parts))
