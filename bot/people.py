"""Who people are, as Slack says; of a crowd it is asked once for all, and whoever asks waits while it is busy."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from bot.errors import SlackError, SlackLimited
from bot.policy import Kind
from bot.speaking import Directory

# So many in so many seconds are asked about one by one: a list of everybody is longer, and Slack gives it less often.
A_FEW, LATELY = 12, 10
GOOD_SECONDS = 5  # of a list, for the tail of a crowd; with what `Permissions` keeps it is less than a minute
PATIENCE = timedelta(seconds=20)  # rather late than refused: nobody is to blame for who else asks


class Says(Directory, Protocol):
    """What the messenger asks Slack; each method raises SlackError where Slack does not say."""

    async def kinds(self) -> dict[str, Kind]:
        """Return what the first thousand people of the workspace are, who may be all."""


class People:
    """The `Directory` of permissions: each answer is about the one person, whomever else Slack told of beside."""

    def __init__(self, says: Says) -> None:
        self._says = says
        self._asked = deque[float](maxlen=A_FEW)
        self._listing: asyncio.Task[Mapping[str, Kind]] | None = None
        self._good_until = 0.0
        self.members_of = says.members_of
        self.channels_of = says.channels_of
        self.user_name = says.user_name

    async def kind_of(self, user_id: str) -> Kind:
        """Return whether somebody is a member, a guest or from another workspace; raises SlackError."""
        listed = await self._listed() if self._is_a_crowd() else {}
        return listed.get(user_id) or await self._patiently(user_id)

    def _is_a_crowd(self) -> bool:
        now = time.monotonic()
        is_one = len(self._asked) == A_FEW and now - self._asked[0] < LATELY
        self._asked.append(now)
        return is_one

    async def _listed(self) -> Mapping[str, Kind]:
        """Return everybody whom one list names, together with all others who ask meanwhile or a moment later."""
        if self._listing is None or (self._listing.done() and time.monotonic() > self._good_until):
            self._listing = asyncio.create_task(self._list())
        return await asyncio.shield(self._listing)  # who is cut off does not cut off the others

    async def _list(self) -> Mapping[str, Kind]:
        self._good_until = time.monotonic() + GOOD_SECONDS
        with suppress(SlackError):
            return await self._says.kinds()
        return {}

    async def _patiently(self, user_id: str) -> Kind:
        until = time.monotonic() + PATIENCE.total_seconds()
        while True:
            try:
                return await self._says.kind_of(user_id)
            except SlackLimited as error:
                wait = error.retry_after.total_seconds() + random.uniform(0, 0.3)  # noqa: S311  # spreads, hides nothing
                if time.monotonic() + wait > until:
                    raise
            await asyncio.sleep(wait)
