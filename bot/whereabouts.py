"""Whether we are in a channel: of many who ask at once, Slack is asked once for all channels that we are in."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from bot.errors import SlackError

KEPT_SECONDS = 50


class Rooms(Protocol):
    """What the messenger asks Slack; each method is one request."""

    async def channels(self) -> dict[str, str]:
        """Return the channels we are a member of: id and name, the first thousand."""

    async def is_in(self, channel_id: str) -> bool:
        """Say whether we are a member of a channel; where Slack does not say, what it takes from us will tell."""


class Whereabouts:
    """That we are in a channel is believed for less than a minute; that we are not is asked anew each time."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._known: Collection[str] = ()
        self._good_until = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def is_in(self, channel_id: str) -> bool:
        """Say whether we are a member of a channel; where Slack does not say, what it takes from us will tell."""
        if time.monotonic() < self._good_until and channel_id in self._known:
            return True
        await self._listed()
        return channel_id in self._known or await self._rooms.is_in(channel_id)

    async def _listed(self) -> None:
        """Learn which channels we are in, together with all others who ask meanwhile."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)  # who is cut off does not cut off the others

    async def _ask(self) -> None:
        self._known = ()
        with suppress(SlackError):
            self._known = frozenset(await self._rooms.channels())
        self._good_until = time.monotonic() + KEPT_SECONDS
