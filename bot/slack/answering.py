"""Where an answer stands: with who asked alone, or for everybody in the thread where they asked by name."""

import asyncio
from datetime import timedelta

import structlog

from bot.errors import SlackError
from bot.models.caller import Place
from bot.models.slack import Click, Invocation
from bot.once import post_once
from bot.routing import Context
from formatters import sharing
from formatters.blocks import Message

PATIENCE = timedelta(seconds=20)  # for a turn in a channel where many ask at once
MOST_NAMED = 20  # people of whom Slack is asked what they are called: of a screenful there are hardly more
log = structlog.get_logger(__name__)


class Answering:
    """Says what is answered, wherever that can be said: nobody who asked sees nothing."""

    def __init__(self, context: Context) -> None:
        self._messenger = context.messenger
        self._claims = context.store.claims

    async def for_all(self, said: Invocation, message: Message, line: str) -> None:
        """Answer in the thread, once; who asked is told alone where it takes nothing. `line` asks for the same."""
        place = Place(channel_id=said.channel_id, thread_ts=said.thread_ts)
        try:
            public = await self.as_all_read_it(message, line)
            name = {"kind": "answered", "name": said.id}
            await post_once(self._messenger, self._claims, place, public, **name, patience=PATIENCE)
        except SlackError as error:
            log.info("not_answered_for_all", method=error.method, code=error.code)
            await self.alone(said, message)

    async def as_all_read_it(self, message: Message, line: str) -> Message:
        """Return an answer as it stands before everybody: as long as that is bearable, and without a ping."""
        short = sharing.shortened(message, line)
        people = sorted(sharing.mentions(short))[:MOST_NAMED]
        names = await asyncio.gather(*(self._messenger.user_name(one) for one in people))
        return sharing.quiet(short, dict(zip(people, names, strict=True)))

    async def alone(self, said: Invocation | Click, message: Message, *, replace: bool = False) -> None:
        """Answer the one person, where they asked; by direct message where all else fails.

        With `replace` in the place of the sign that stands there, or of what was pressed.
        """
        messenger = self._messenger
        try:
            if said.response_url:
                await messenger.respond(said.response_url, message, replace=replace, thread_ts=thread_of(said))
                return
            if isinstance(said, Invocation) and said.kind in ("message", "opened"):
                # A direct message is private already: an answer there may stay.
                await messenger.post(said.channel_id, message, thread_ts=said.thread_ts)
                return
        except SlackError as error:
            log.info("answer_refused", method=error.method, code=error.code)
        try:
            await messenger.whisper(said.channel_id, said.user_id, message, thread_ts=thread_of(said))
        except SlackError as error:
            log.warning("answer_not_delivered", method=error.method, code=error.code)


def thread_of(said: Invocation | Click) -> str | None:
    """Return the thread in which one person can be told something, if it is one."""
    # An ephemeral in a thread that has no reply yet would be invisible: a mention in the channel is answered there. So
    # is a press on the message that a thread hangs on, which is pressed where it stands.
    return said.thread_ts if said.thread_ts != said.message_ts else None
