"""What can go wrong on the wire, switched on by a story: wrong answers, broken connections; every request is noted."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


@dataclass
class SeenRequest:
    """One request as it came in, `path` raw with its query, and what was answered; `spoiled` by a fault or not."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int = 0
    answer: Any = None
    spoiled: bool = False


@dataclass
class _Fault:
    method: str
    path_glob: str
    status: int | None
    headers: Mapping[str, str]
    body: object
    drop: str | None
    delay: float
    until: asyncio.Event | None
    times: int | None
    spare: int

    def takes(self, request: web.Request) -> bool:
        """Say whether this request meets the fault, and count it."""
        known = self.method in ("*", request.method) and fnmatchcase(request.path, self.path_glob)
        if not known or self.times == 0:
            return False
        if self.spare:
            self.spare -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The switches of one server; `requests` is what it received, oldest first."""

    def __init__(self) -> None:
        self.requests: list[SeenRequest] = []
        self._faults: list[_Fault] = []

    def add(  # noqa: PLR0913  # each switch is one word
        self,
        method: str,
        path_glob: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        drop: str | None = None,
        delay: float = 0,
        until: asyncio.Event | None = None,
        times: int | None = 1,
        spare: int = 0,
    ) -> None:
        """Answer the next `times` such requests with `status`, or `drop` their connection; the first are spared.

        `drop` is "before" (the request is not processed) or "after" (it is, and its answer is lost; whoever asked waits
        `until` that is set). With `delay` alone the answer is right, but comes so many seconds later, and with `until`
        alone when that is set.
        """
        self._faults.append(_Fault(method, path_glob, status, headers or {}, body, drop, delay, until, times, spare))

    def clear(self) -> None:
        """Let all be well again."""
        self._faults.clear()

    @property
    def middleware(self) -> Middleware:
        """The aiohttp middleware that notes and spoils."""

        @web.middleware
        async def spoil(request: web.Request, handler: Handler) -> web.StreamResponse:
            seen = SeenRequest(request.method, request.raw_path, dict(request.headers), await _body(request))
            self.requests.append(seen)
            fault = next((fault for fault in self._faults if fault.takes(request)), None)
            seen.spoiled = fault is not None
            response = await (handler(request) if fault is None else _spoiled(fault, request, handler))
            seen.status, seen.answer = response.status, _said(response)
            return response

        return spoil


async def _spoiled(fault: _Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if fault.drop is None and (fault.delay or fault.until):
        await asyncio.sleep(fault.delay)
        await (fault.until.wait() if fault.until else asyncio.sleep(0))
        return await handler(request)
    if fault.drop == "after":
        await handler(request)
        await (fault.until.wait() if fault.until else asyncio.sleep(0))
    if fault.drop is not None:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499)
    status, headers = fault.status or 500, fault.headers
    if isinstance(fault.body, str):
        return web.Response(status=status, text=fault.body, content_type="text/html", headers=headers)
    return web.json_response(fault.body or {}, status=status, headers=headers)


def _said(response: web.StreamResponse) -> Any:
    if not isinstance(response, web.Response) or response.content_type != "application/json":
        return None
    return json.loads(response.text or "null")


async def _body(request: web.Request) -> Any:
    text = await request.text()
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
