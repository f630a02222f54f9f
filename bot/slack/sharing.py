"""*Share here*: an answer that one person was given is put before everybody, once, as it is by then."""

from datetime import timedelta

import structlog

from bot.actions import ShareAnswer
from bot.errors import NothingToDo, SlackError
from bot.models.caller import Place
from bot.models.refusals import CHANNEL_GONE
from bot.models.slack import Click, utc_now
from bot.once import post_once
from bot.routing import Command, Context
from bot.slack.answering import PATIENCE, Answering
from formatters import sharing
from formatters.blocks import Message

UNDER_WAY = timedelta(minutes=10)  # that somebody shares it; that it was shared is kept for the retention
log = structlog.get_logger(__name__)


class Sharing:
    """Whether it may be shared is asked before it is looked up anew, and who shares it may look at it by then."""

    def __init__(self, context: Context, answering: Answering) -> None:
        self._context = context
        self._answering = answering

    async def begin(self, click: Click, share: ShareAnswer, command: Command) -> None:
        """Raise NothingToDo where it is shared already, is none that can be, or nobody would hear of it."""
        if not command.finds:
            raise NothingToDo("unknown_button")
        claims, name = self._context.store.claims, _name(click, share)
        if ts := await claims.holder(f"shared:{name}"):
            url = await self._context.messenger.permalink(click.channel_id, ts)
            raise NothingToDo("shared_already", what=url)
        if not await self._context.whereabouts.is_in(click.channel_id):
            raise NothingToDo("cannot_share")
        if await claims.claim(f"sharing:{name}", click.id, keep=UNDER_WAY) != click.id:
            raise NothingToDo("being_shared")

    async def end(self, click: Click, share: ShareAnswer, message: Message) -> Message:
        """Post an answer where its button was pressed; returns what is left of it for who pressed.

        Raises NothingToDo where nobody may write there, and SlackError.
        """
        messenger, name = self._context.messenger, _name(click, share)
        public = await self._answering.as_all_read_it(message, share.text)
        public = sharing.shared(public, await self._called(click), utc_now())
        place = Place(channel_id=click.channel_id, thread_ts=click.thread_ts)
        once = {"kind": "share", "name": name}
        try:
            ts = await post_once(messenger, self._context.store.claims, place, public, **once, patience=PATIENCE)
        except SlackError as error:
            log.info("not_shared", method=error.method, code=error.code)
            if error.lost:
                raise NothingToDo("share_unsure") from error
            if error.code not in CHANNEL_GONE:
                raise
            raise NothingToDo("cannot_share") from error
        await self._context.store.claims.claim(f"shared:{name}", ts)
        return sharing.was_shared(message, await messenger.permalink(click.channel_id, ts))

    async def give_up(self, click: Click, share: ShareAnswer) -> None:
        """Let it be tried again, whatever kept it from being shared."""
        await self._context.store.claims.release(f"sharing:{_name(click, share)}")

    async def _called(self, click: Click) -> str:
        return click.user_name or await self._context.messenger.user_name(click.user_id) or click.user_id


def _name(click: Click, share: ShareAnswer) -> str:
    return f"{click.channel_id}:{share.asked}"
