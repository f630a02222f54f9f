"""The pretend Slack over HTTP: the Web API, Socket Mode, response_urls, and deliveries to the bot."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Self, TypeVar

from aiohttp import web

from playground.faults import Faults, SeenRequest
from playground.slack import (
    lookups,  # noqa: F401  # its methods register themselves
    payloads,
)
from playground.slack.conversations import Json
from playground.slack.delivery import EVENT, Courier, Delivery
from playground.slack.limits import Limits
from playground.slack.methods import METHODS, Call
from playground.slack.modals import Modals
from playground.slack.people import Person
from playground.slack.responses import Responses
from playground.slack.rules import DEAF_TO_JSON, GRANTED, HISTORY_SCOPES, SCOPES, WEATHER
from playground.slack.socket import SocketHub
from playground.slack.workspace import Refused, Workspace

T = TypeVar("T")


@dataclass(frozen=True)
class ApiCall:
    """One call of the Web API, and what was answered."""

    method: str
    arguments: Json
    answer: Json = field(repr=False)


class Slack:
    """`async with Slack(workspace, socket_mode=True) as slack:` serves a workspace on loopback.

    `problems` lists what the bot did wrong: a story ends by asserting that it is empty.
    """

    def __init__(
        self,
        workspace: Workspace,
        port: int = 0,
        *,
        socket_mode: bool,
        request_url: str | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.workspace = workspace
        self.bot_token, self.app_token = "xoxb-pretend-bot", "xapp-pretend-app"
        self.signing_secret = "pretend-signing-secret"
        self.token_error: str | None = None
        self.scopes: frozenset[str] | None = None
        # For a bot whose host's clock is wrong.
        self.clock_offset_seconds = 0
        self.limits: Limits | None = Limits()
        self.faults = faults or Faults()
        self.problems: list[str] = []
        self.calls: list[ApiCall] = []
        self.url = ""
        self.modals = Modals(workspace)
        self.responses = Responses(workspace, self.modals, self.note)
        self.socket = SocketHub(workspace.app_id, self.note, workspace.changed)
        self.socket.enabled = socket_mode
        self.courier = Courier(self.socket if socket_mode else None, self.signing_secret, self.note)
        self.courier.request_url = request_url
        self._port = port
        self._refusals: dict[str, list[Refused]] = {}
        self._people: dict[str, Person] = {}
        self._waiting = asyncio.Event()
        self._runner: web.AppRunner | None = None
        workspace.on_change.append(self._wake)

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self.faults.middleware], client_max_size=2**22)
        application.router.add_route("*", "/api/{method}", self._serve_method)
        application.router.add_get("/link/", self.socket.serve)
        application.router.add_post("/upload/{file}", self._serve_upload)
        application.router.add_post("/{kind:commands|actions}/{rest:.*}", self._serve_response_url)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.workspace.on_change.remove(self._wake)
        await self.socket.close()
        await self.courier.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def requests(self) -> list[SeenRequest]:
        """Everything the bot asked for, also what a fault swallowed."""
        return self.faults.requests

    def calls_of(self, method: str) -> list[ApiCall]:
        """Return the calls of one method."""
        return [call for call in self.calls if call.method == method]

    def person(self, name: str) -> Person:
        """Return somebody of the workspace, who can act."""
        user = self.workspace.user(name)
        return self._people.setdefault(user.id, Person(self, user))

    def refuse(self, method: str, code: str, *, times: int = 1, **more: Any) -> None:
        """Have the next calls of a method answered with an error; `retry_after` makes it a 429."""
        self._refusals.setdefault(method, []).extend([Refused(code, ordered=True, **more)] * times)

    def note(self, problem: str) -> None:
        """Write down what the bot did wrong."""
        self.problems.append(problem)
        self._wake()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 15) -> T:  # noqa: ASYNC109  # a story's patience
        """Return the predicate's first true value, asked after each change; raises TimeoutError with a transcript."""
        try:
            async with asyncio.timeout(timeout):
                while not (seen := predicate()):
                    await self._waiting.wait()
                return seen
        except TimeoutError:
            transcript, problems = self.workspace.transcript(), "\n".join(self.problems)
            raise TimeoutError(f"not seen within {timeout} s. {problems}\n{transcript}") from None

    async def pause(self, seconds: float) -> None:
        """Return at the next change, or after `seconds` without one."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.wait(), seconds)

    async def connected(self, connections: int = 1) -> None:
        """Wait until the bot listens over Socket Mode; as a process of its own it needs a while to start."""
        await self.wait_for(lambda: self.socket.connections >= connections, timeout=60)

    async def deliver_event(self, inner: Json) -> Delivery:
        """Deliver an event of any type."""
        event_id = self.workspace.mint("Ev")
        return await self.courier.deliver(EVENT, payloads.event(self.workspace, inner, event_id=event_id))

    async def redeliver(self, delivery: Delivery, *, attempt: int | None = None, reason: str = "timeout") -> Delivery:
        """Send the same once more, as Slack does with events that were not acked."""
        again = delivery.attempt + 1 if attempt is None else attempt
        return await self.courier.deliver(delivery.kind, delivery.payload, attempt=again, reason=reason)

    def _wake(self) -> None:
        self._waiting.set()
        self._waiting = asyncio.Event()

    async def _serve_method(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        headers = {
            "Date": formatdate(time.time() + self.clock_offset_seconds, usegmt=True),
            "X-OAuth-Scopes": ",".join(sorted(GRANTED if self.scopes is None else self.scopes)),
        }
        arguments: Json = {}
        try:
            arguments = await _arguments(name, request)
            self._check_token(name, request.headers.get("Authorization", ""), arguments)
            if self._refusals.get(name):
                raise self._refusals[name].pop(0)  # told as any other refusal
            answer = self._answer(name, arguments)
        except Refused as refusal:
            answer = _refusal(refusal)
            if refusal.code not in WEATHER and refusal.code != self.token_error and not refusal.ordered:
                self.note(f"{name}: {' '.join([refusal.code, *refusal.messages])}")
            if seconds := refusal.more.get("retry_after"):
                headers["Retry-After"] = str(seconds)
        self.calls.append(ApiCall(name, arguments, answer))
        self._wake()
        return web.json_response(answer, headers=headers, status=429 if "Retry-After" in headers else 200)

    def _check_token(self, name: str, authorization: str, arguments: Json) -> None:
        token = authorization.removeprefix("Bearer ") or str(arguments.pop("token", ""))
        if self.token_error:
            raise Refused(self.token_error)
        if not token:
            raise Refused("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise Refused("invalid_auth")
        if (token == self.app_token) != (name == "apps.connections.open"):
            raise Refused("not_allowed_token_type")

    def _answer(self, name: str, arguments: Json) -> Json:
        if name != "apps.connections.open" and name not in METHODS:
            raise Refused("unknown_method")
        if self.limits and (seconds := self.limits.retry_after(name, str(arguments.get("channel")))):
            raise Refused("ratelimited", retry_after=seconds)
        if name == "apps.connections.open":
            ticket = self.socket.ticket()
            return {"ok": True, "url": f"{self.url.replace('http', 'ws')}/link/?ticket={ticket}&app_id=pretend"}
        needed = self._scope(name, arguments)
        if needed and self.scopes is not None and needed not in self.scopes:
            raise Refused("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))
        call = Call(self.workspace, self.modals, arguments, lambda problem: self.note(f"{name}: {problem}"), self.url)
        return {"ok": True, **METHODS[name](call)}

    def _scope(self, name: str, arguments: Json) -> str | None:
        if name in ("conversations.history", "conversations.replies"):
            channel = self.workspace.channels.get(str(arguments.get("channel")))
            return HISTORY_SCOPES[channel.kind if channel else "public"]
        return SCOPES.get(name)

    async def _serve_upload(self, request: web.Request) -> web.Response:
        file = self.workspace.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404)
        file["content"] = await request.read()
        return web.Response(text="OK")

    async def _serve_response_url(self, request: web.Request) -> web.Response:
        try:
            self.responses.use(request.path, await request.json())
        except Refused as refusal:
            self.note(f"response_url: {' '.join([refusal.code, *refusal.messages])}")
            gone = refusal.code in ("used_url", "expired_url", "invalid_url")
            return web.json_response({"ok": False, "error": refusal.code}, status=404 if gone else 400)
        return web.Response(text="ok")


async def _arguments(name: str, request: web.Request) -> Json:
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        if name in DEAF_TO_JSON:
            return arguments
        try:
            body = await request.json()
        except ValueError as error:
            raise Refused("invalid_json") from error
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return arguments | body
    return arguments | {name: str(value) for name, value in (await request.post()).items()}


def _refusal(refusal: Refused) -> Json:
    more = {name: value for name, value in refusal.more.items() if name != "retry_after"}
    messages = {"response_metadata": {"messages": refusal.messages}} if refusal.messages else {}
    return {"ok": False, "error": refusal.code, **more, **messages}
