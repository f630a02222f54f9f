"""Who is in a channel: whether we are, which a crowd asks Slack once for all channels, and whether somebody is."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol

from bot.errors import SlackError

KEPT_SECONDS = 50
DIRECT = "D"  # how the ids of direct messages begin


class Rooms(Protocol):
    """What the messenger asks Slack; each method is one request."""

    async def channels(self) -> dict[str, str]:
        """Return the channels we are a member of: id and name, the first thousand."""

    async def is_in(self, channel_id: str) -> bool:
        """Say whether we are a member of a channel; where Slack does not say, what it takes from us will tell."""

    async def channels_of(self, user_id: str) -> frozenset[str]:
        """Return the channels that somebody is in, of those that we may see."""

    async def direct_channel(self, user_id: str) -> str:
        """Return the channel of our direct messages with somebody."""


class Whereabouts:
    """That we are in a channel is believed for less than a minute; that we are not is asked anew each time.

    Our direct messages with somebody are always the same. Where somebody is, is asked anew each time, but for whom a
    message is to mention: of a hundred branches that one push breaks it is asked once.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._known_until: dict[str, float] = {}
        self._alone = 0  # how many are asking for one channel
        self._list: asyncio.Task[None] | None = None
        self._direct: dict[str, str] = {}
        self._theirs: dict[str, tuple[float, frozenset[str]]] = {}

    async def is_in(self, channel_id: str) -> bool:
        """Say whether we are a member of a channel; where Slack does not say, what it takes from us will tell."""
        if self._is_known(channel_id):
            return True
        if self._alone or (self._list is not None and not self._list.done()):
            await self._listed()
        return self._is_known(channel_id) or await self._is_in_one(channel_id)

    async def is_with(self, person_id: str, channel_id: str) -> bool:
        """Say whether these direct messages are ours with somebody, and not those of two people, or if nobody says."""
        return await self.direct_with(person_id) in ("", channel_id)

    async def direct_with(self, person_id: str) -> str:
        """Return the channel of our direct messages with somebody, empty text where Slack does not say."""
        if person_id not in self._direct:
            try:
                self._direct[person_id] = await self._rooms.direct_channel(person_id)
            except SlackError:
                return ""
        return self._direct[person_id]

    async def shared_with(self, person_id: str) -> frozenset[str]:
        """Return the channels that somebody reads, of those that we may see; none where Slack does not say."""
        try:
            return await self._rooms.channels_of(person_id)
        except SlackError:
            return frozenset()

    async def reads(self, person_id: str, channel_id: str) -> bool | None:
        """Say whether somebody is in a channel that we are in, or these direct messages are theirs with us.

        None where Slack does not say it of a channel; direct messages are nobody else's then.
        """
        if channel_id.startswith(DIRECT):
            return await self.direct_with(person_id) == channel_id
        now = time.monotonic()
        until, theirs = self._theirs.get(person_id, (0.0, frozenset[str]()))
        if now >= until:
            try:
                theirs = await self._rooms.channels_of(person_id)
            except SlackError:
                return None
            left = {one: kept for one, kept in self._theirs.items() if kept[0] > now}
            self._theirs = {**left, person_id: (now + KEPT_SECONDS, theirs)}
        return channel_id in theirs

    def _is_known(self, channel_id: str) -> bool:
        return time.monotonic() < self._known_until.get(channel_id, 0.0)

    async def _is_in_one(self, channel_id: str) -> bool:
        self._alone += 1
        try:
            is_in = await self._rooms.is_in(channel_id)
        finally:
            self._alone -= 1
        if is_in:
            self._remember([channel_id])
        return is_in

    async def _listed(self) -> None:
        """Learn which channels we are in, together with all others who ask meanwhile."""
        if self._list is None or self._list.done():
            self._list = asyncio.create_task(self._ask())
        await asyncio.shield(self._list)  # who is cut off does not cut off the others

    async def _ask(self) -> None:
        with suppress(SlackError):
            self._remember(await self._rooms.channels())

    def _remember(self, channels: Collection[str]) -> None:
        now = time.monotonic()
        left = {one: until for one, until in self._known_until.items() if until > now}
        self._known_until = {**left, **dict.fromkeys(channels, now + KEPT_SECONDS)}
