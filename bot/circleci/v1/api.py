"""The requests of API v1.1."""

from functools import partial
from typing import TypeVar

from pydantic import BaseModel

from bot.circleci.answers import Answer
from bot.circleci.asked import once
from bot.circleci.bodies import decode_all
from bot.circleci.transport import Transport
from bot.models.classic import as_list

API = "/api/v1.1/"

M = TypeVar("M", bound=BaseModel)


class Api:
    """Each request raises a CircleCIError when CircleCI does not do it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, path: str, **params: str) -> Answer:
        """Read something, once for each question."""
        ask = partial(self._transport.request, "GET", API + path, params=params or None)
        return await once(API + path, params, ask)

    async def all(self, model: type[M], path: str, **params: str) -> tuple[M, ...]:
        """Read a list; what should be one and is none is empty."""
        return tuple(await decode_all(model, as_list((await self.get(path, **params)).data)))

    async def send(self, method: str, path: str, body: object = None) -> Answer:
        """Change something."""
        return await self._transport.request(method, API + path, json=body)
