"""The requests of API v2, and its lists page by page."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from bot.circleci.answers import Answer, decode, items
from bot.circleci.transport import Transport
from bot.errors import Rejected

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
        """Read something."""
        return await self._transport.request("GET", API + path, params=params)

    async def post(self, path: str, body: object = None) -> Answer:
        """Change something."""
        return await self._transport.request("POST", API + path, json=body)

    async def all(
        self, model: type[M], path: str, params: Mapping[str, str] | None = None, most: int = MOST_PAGES
    ) -> tuple[M, ...]:
        """Read a list, at most `most` pages of it."""
        found: list[M] = []
        async for page in self.pages(path, params, most):
            found += [decode(model, item) for item in page.items]
        return tuple(found)

    async def pages(
        self, path: str, params: Mapping[str, str] | None = None, most: int = MOST_PAGES
    ) -> AsyncIterator[Page]:
        """Yield at most `most` pages of a list.

        Ends early at a token that repeats or is refused (circleci/circleci-docs#6472); raises Unavailable for an
        answer that is no list.
        """
        token, seen = "", set[str]()
        for number in range(most):
            try:
                answer = await self.get(path, {**(params or {}), **({"page-token": token} if token else {})})
            except Rejected:
                if number == 0:
                    raise
                return
            found, token = items(answer)
            more = bool(token) and token not in seen
            yield Page(found, more, answer.date)
            if not more:
                return
            seen.add(token)
