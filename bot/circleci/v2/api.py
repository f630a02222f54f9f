"""The requests of API v2, and its lists page by page."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from bot.circleci.answers import Answer, items
from bot.circleci.asked import once
from bot.circleci.bodies import decode_all
from bot.circleci.documents import MEGABYTE, MOST_MEGABYTES
from bot.circleci.transport import Transport
from bot.errors import Rejected, TooLarge, Unavailable

API = "/api/v2/"
MOST_PAGES = 20

M = TypeVar("M", bound=BaseModel)


class Page(NamedTuple):
    """One page of a list; `more` says that another follows."""

    items: list[Any]
    more: bool
    date: datetime


class Api:
    """Each request raises a CircleCIError when CircleCI does not do it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """Read something, once for each question."""
        return await once(API + path, params, partial(self._transport.request, "GET", API + path, params=params))

    async def post(self, path: str, body: object = None) -> Answer:
        """Change something."""
        return await self._transport.request("POST", API + path, json=body)

    async def all(
        self,
        model: type[M],
        path: str,
        params: Mapping[str, str] | None = None,
        most: int = MOST_PAGES,
        *,
        may_break_off: bool = False,
    ) -> tuple[M, ...]:
        """Read a list, at most `most` pages of it."""
        found: list[M] = []
        async for page in self.pages(path, params, most, may_break_off=may_break_off):
            found += await decode_all(model, page.items)
        return tuple(found)

    async def pages(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        most: int = MOST_PAGES,
        *,
        may_break_off: bool = False,
    ) -> AsyncIterator[Page]:
        """Yield at most `most` pages of a list; raises Unavailable for an answer that is no list, or breaks off.

        All pages together are as long as one answer may be: a longer list ends before, or raises TooLarge.

        CircleCI has given tokens that repeat, and in long lists of pipelines some that it answers 404 to itself
        (circleci/circleci-docs#6472). A repeated one ends the list, the other only a list that `may_break_off`: the
        last page says then that there are more. Pages repeat too: what came before counts once.
        """
        token, seen, read, fresh = "", set[str](), 0, _Fresh()
        for _ in range(most):
            try:
                answer = await self.get(path, {**(params or {}), **({"page-token": token} if token else {})})
            except Rejected as error:
                if not token or not error.is_gone:
                    raise
                if may_break_off:
                    return
                # Not as the 404 of a thing that is not there: what the first pages held is.
                raise Unavailable("a list that breaks off") from error
            read += answer.size
            if read > MOST_MEGABYTES * MEGABYTE:
                if may_break_off:
                    return
                raise TooLarge(MOST_MEGABYTES)
            listed, token = items(answer)
            found = fresh.of(listed)
            repeats = bool(listed) and not found
            more = bool(token) and token not in seen and not repeats
            yield Page(found, more, answer.date)
            if not more:
                return
            seen.add(token)


class _Fresh:
    """What a list has not shown before, by its id, or by its address; of what has neither, a whole page at a time."""

    def __init__(self) -> None:
        self._seen = set[str]()
        self._page: list[Any] = []

    def of(self, page: list[Any]) -> list[Any]:
        """Return what of a page is new."""
        if page == self._page:
            return []
        self._page = page
        found = [one for one in page if _name(one) not in self._seen]
        self._seen |= {name for one in page if (name := _name(one))}
        return found


def _name(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    return str(item.get("id") or item.get("url") or "")
