"""The record of what people did, and of what they were refused."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple, cast

from bot.errors import Unreadable
from bot.models.audit import Entry
from bot.store.connection import Connection, decoded

PAGE = 500

# Redis' own clock alone says what is too old: an act in a process whose clock is wrong must not empty the record.
_ADD = """
local oldest = (redis.call('TIME')[1] - ARGV[2]) * 1000
redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%.0f', math.max(oldest, 0)), '*', 'entry', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""

Page = list[tuple[str, dict[str, str]]]


class _Kept(NamedTuple):
    """An entry, and the millisecond in which Redis took it in."""

    at: int
    entry: Entry


class Audit:
    """Two streams that are read as one: however much is refused, it pushes nothing out of what was done."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._done, self._refused = connection.key("audit"), connection.key("audit", "refused")
        self._add = connection.script(_ADD)

    async def add(self, entry: Entry, keep: timedelta, *, refused: bool = False) -> None:
        """Add an act to the record, and drop what is older than `keep`."""
        stream = self._refused if refused else self._done
        kept = self._add(keys=[stream], args=[entry.model_dump_json(), int(keep.total_seconds())])
        await self._connection.ask(kept)

    async def lately(self, since: timedelta, fits: Callable[[Entry], bool], most: int) -> list[Entry]:
        """Return the newest acts of a period that fit, newest first, at the most so many."""
        seconds, _ = await self._connection.ask(self._connection.redis.time())
        oldest = max(seconds - int(since.total_seconds()), 0) * 1000
        found = [one for key in (self._done, self._refused) for one in await self._newest(key, oldest, fits, most)]
        found.sort(key=lambda one: (one.at, one.entry.at), reverse=True)
        return [one.entry for one in found[:most]]

    async def _newest(self, key: str, oldest: int, fits: Callable[[Entry], bool], most: int) -> list[_Kept]:
        found: list[_Kept] = []
        newest = "+"
        while len(found) < most:
            asked = self._connection.redis.xrevrange(key, newest, str(oldest), count=PAGE)
            page = cast("Page", await self._connection.ask(cast("Awaitable[object]", asked)))
            found += [one for one in _entries(page) if fits(one.entry)]
            if len(page) < PAGE:
                break
            newest = f"({page[-1][0]}"
        return found[:most]


def _entries(page: Page) -> list[_Kept]:
    found: list[_Kept] = []
    for name, fields in page:
        with suppress(Unreadable):
            found.append(_Kept(int(name.partition("-")[0]), decoded(Entry, fields["entry"])))
    return found
