"""`POST /mcp` and `POST /mcp/readonly`: lets in who shows the token of an agent, and hands over to the library.

The library speaks ASGI and takes each request for itself: nothing is kept between two of them.
"""

import asyncio
import ipaddress
from collections.abc import Coroutine, MutableMapping
from typing import Any, Self
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from bot.agents.crowd import Crowd, TooMany
from bot.agents.face import ASKER, Asker, Face
from bot.errors import StoreError, Unreadable
from bot.models.agent import TOKEN, Agent, digest_of
from bot.models.slack import utc_now
from bot.server import MAX_BODY_BYTES, READONLY, only_header
from bot.store.agents import Agents

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5  # how long it may take until it is seen that a client has gone
LONGEST_TOKEN = 200
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
UNKNOWN = "Show the token of an agent, as `Authorization: Bearer cia_…`: `/ci agent add laptop` in Slack makes one. "
UNKNOWN += "One that was removed is good no more."
EXPIRED = "This agent's token has expired: `/ci agent add laptop` in Slack makes a new one."
IN_QUERY = "A token does not belong into an address, which others keep: remove this agent, and send that of a new one "
IN_QUERY += "as `Authorization: Bearer cia_…`."
WRONG_HOST = "I am not known by this name: set PUBLIC_URL to the address that agents use."
WRONG_ORIGIN = "Pages in a browser are not let in."
ELSEWHERE = "Without PUBLIC_URL agents are let in from this machine alone."
TOO_MANY = "That is more than one agent, or those of one person, may send or keep open here: come back in {} s."


class Refused(Exception):
    """Why a request goes no further, in words and as a status."""

    def __init__(self, status: int, why: str, *, after: int = 5) -> None:
        super().__init__(why)
        self.status, self.why, self.after = status, why, after


class Bridge:
    """`async with Bridge(…) as bridge:` answers; leaving lets acts end that are under way."""

    def __init__(self, face: Face, agents: Agents, crowd: Crowd, *, public_url: str | None) -> None:
        self._face = face
        self._agents = agents
        self._crowd = crowd
        self._public_url = public_url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._face.drain()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request of an agent."""
        try:
            check(request, self._public_url)
            agent = await self._agent(request)
            with self._crowd.let_in(agent):
                asked = _asked(request, Asker(agent, readonly=request.path == READONLY), await request.read())
                return await _unless_gone(request, self._answered(asked))
        except Refused as refused:
            return _refusal(refused)
        except TooMany as error:
            return _refusal(Refused(429, TOO_MANY.format(error.seconds), after=error.seconds))

    async def _agent(self, request: web.BaseRequest) -> Agent:
        """Return whose token is shown; raises Refused, and TooMany."""
        scheme, _, token = only_header(request.headers, "authorization").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token.startswith(TOKEN) or len(token) > LONGEST_TOKEN:
            raise Refused(401, UNKNOWN)
        digest = digest_of(token)
        self._crowd.refuse_if_over(digest)
        try:
            agent = await self._agents.of_token(digest)
        except (StoreError, Unreadable) as error:
            raise Refused(503, "I cannot look up who you are for the moment: try again soon.") from error
        if agent is None:
            raise Refused(401, UNKNOWN)
        if not agent.is_good(utc_now()):
            raise Refused(401, EXPIRED)
        return agent

    async def _answered(self, asked: "_Asked") -> web.Response:
        answer = _Answer()
        # One for each request: what goes wrong in the library's tasks would end those of all others.
        manager = StreamableHTTPSessionManager(
            self._face.server, json_response=True, stateless=True, max_request_body_size=MAX_BODY_BYTES
        )
        try:
            async with manager.run():
                await manager.handle_request(asked.scope, asked.receive, answer.send)
        except Exception:
            log.exception("unexpected", of="the protocol of agents")
            return web.Response(status=500)
        return answer.response


def check(request: web.BaseRequest, public_url: str | None) -> None:
    """Raise Refused for what a page in a browser could send, or somebody whom nobody told the address.

    A page can be told that our name is that of its own host, but not send another name than that.
    """
    ours = {*HERE, urlsplit(public_url).hostname} if public_url else HERE
    if _hostname(only_header(request.headers, "host")) not in ours:
        raise Refused(421, WRONG_HOST)
    if not all(_is_ours(origin, public_url) for origin in request.headers.getall("Origin", [])):
        raise Refused(403, WRONG_ORIGIN)
    if public_url is None and not _is_from_here(request):
        raise Refused(403, ELSEWHERE)
    if TOKEN in request.rel_url.query_string:
        raise Refused(400, IN_QUERY)


def _hostname(netloc: str) -> str:
    """Return a host without its port; nothing for what is none."""
    try:
        return "" if "@" in netloc else urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _is_ours(origin: str, public_url: str | None) -> bool:
    scheme, _, netloc = origin.lower().partition("://")
    return origin.lower() == (public_url or "").lower() or (scheme in ("http", "https") and _hostname(netloc) in HERE)


def _is_from_here(request: web.BaseRequest) -> bool:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    address = ipaddress.ip_address(peer[0]) if isinstance(peer, tuple) else None
    return address is not None and (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _refusal(refused: Refused) -> web.Response:
    later = {"Retry-After": str(refused.after)}
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: later, 503: later}.get(refused.status, {})
    log.debug("agent_refused", status=refused.status)
    return web.Response(status=refused.status, text=refused.why, headers=headers)


async def _unless_gone(request: web.BaseRequest, answering: Coroutine[Any, Any, web.Response]) -> web.Response:
    """Return the answer; take back what is asked for when nobody waits for it any more."""
    task = asyncio.create_task(answering)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
            if request.transport is None or request.transport.is_closing():
                return web.Response(status=499)  # which nobody reads
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


class _Asked:
    """A request, as ASGI has it."""

    def __init__(self, scope: MutableMapping[str, Any], body: bytes) -> None:
        self.scope = scope
        self._body: bytes | None = body

    async def receive(self) -> MutableMapping[str, Any]:
        """Return the body, which is all here; and nothing after it: that a client goes away is seen elsewhere."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _asked(request: web.BaseRequest, asker: Asker, body: bytes) -> _Asked:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "root_path": "",
        # Nobody behind here has to know the token.
        "headers": [(name.lower(), value) for name, value in request.raw_headers if name.lower() != b"authorization"],
        "client": None,
        "server": None,
        ASKER: asker,
    }
    return _Asked(scope, body)


class _Answer:
    """Gathers what the library sends: one body, never a stream."""

    def __init__(self) -> None:
        self._status, self._headers, self._body = 500, dict[str, str](), bytearray()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self._body += message.get("body", b"")

    @property
    def response(self) -> web.Response:
        """What the client is answered."""
        headers = {name: value for name, value in self._headers.items() if name.lower() == "content-type"}
        return web.Response(status=self._status, headers=headers, body=bytes(self._body))
