"""Tells channels what somebody has changed for them: once, in that order, and again where Slack does not take it."""

from datetime import timedelta

import structlog

from bot.errors import SlackError, SlackLimited
from bot.messenger import Messenger
from bot.models.caller import Place
from bot.once import post_once
from bot.store import Store
from bot.store.unsaid import ToSay
from bot.watching.pausing import COUNTED, again_after

LEASE, WAIT = timedelta(seconds=60), timedelta(seconds=3)
NOW, AT_ONCE, SOON = timedelta(0), timedelta(seconds=1), timedelta(seconds=5)
log = structlog.get_logger(__name__)


class Saying:
    """Whoever says something there says all that is to be said before it."""

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store = store
        self._messenger = messenger

    async def say(self, channel_id: str, until: str = "") -> timedelta | None:
        """Say what is to be said in a channel, or only `until` what has this name: whoever asked for that has waited.

        Returns the pause before what is left, or another try; None where nothing is.
        """
        unsaid = self._store.unsaid
        async with unsaid.speaking(channel_id, LEASE, wait=WAIT) as is_ours:
            if not is_ours:
                return SOON
            while left := await unsaid.of(channel_id):
                if (pause := await self._said(channel_id, left[0])) is not None:
                    return pause
                if left[0].name == until and left[1:]:
                    return NOW
            await unsaid.nothing_left(channel_id)
        return None

    async def _said(self, channel_id: str, one: ToSay) -> timedelta | None:
        """Say it, or give it up; returns the pause before another try."""
        claims, place = self._store.claims, Place(channel_id=channel_id)
        try:
            await post_once(self._messenger, claims, place, one.message, kind="unsaid", name=one.name)
        except SlackLimited as error:
            return error.retry_after
        except SlackError as error:
            log.warning("channel_not_told", channel=channel_id, method=error.method, code=error.code)
            times = await claims.count(f"unsaid-refused:{channel_id}:{one.name}", COUNTED)
            if (pause := again_after(error, times)) is not None:
                return AT_ONCE if times == 1 and error.lost else pause
        else:
            await claims.first(one.name)
        await self._store.unsaid.is_said(channel_id, one)
        return None
