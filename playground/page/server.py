"""The playground's page: the pretend Slack in a browser, over the same people who act in the stories."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from playground.circleci.api import CircleCI
from playground.page.state import snapshot
from playground.slack import terminal
from playground.slack.api import Slack
from playground.slack.conversations import Json, Message
from playground.slack.modals import View
from playground.slack.people import Person
from playground.slack.workspace import Refused

FOLDER = Path(__file__).parent / "web"
LOOPBACK = ("127.0.0.1", "localhost")
# CircleCI's clock moves by itself; Slack's changes are shown at once.
PAUSE_SECONDS = 0.5
# Nothing may be fetched from elsewhere: what a message shows is foreign text.
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Page:
    """`async with Page(slack, circleci) as page:` serves it at `page.url`, to this machine alone."""

    def __init__(self, slack: Slack, circleci: CircleCI, port: int = 0) -> None:
        self.url = ""
        self._slack = slack
        self._circleci = circleci
        self._port = port
        self._leaving = asyncio.Event()
        self._acts: dict[str, Callable[[Person, Json], Awaitable[str | None]]] = {
            "say": self._say,
            "press": self._press,
            "submit": self._submit,
            "close": self._close,
            "dismiss": self._dismiss,
            "open_messages": self._open_messages,
            "time": self._time,
        }
        application = web.Application(middlewares=[_guard])
        application.add_routes([web.get("/", _index), web.get("/events", self._events), web.post("/act", self._act)])
        application.router.add_static("/page/", FOLDER)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        except OSError:
            await web.TCPSite(self._runner, "127.0.0.1", 0).start()  # the usual port is taken: any other will do
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving.set()
        await self._runner.cleanup()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Stream the whole state anew whenever it changed."""
        user = self._slack.workspace.user(request.query.get("as", "ada"))
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await stream.prepare(request)
        sent = ""
        with suppress(ConnectionResetError):  # the page was closed
            while not self._leaving.is_set():
                self._circleci.world.tick()
                state = json.dumps(snapshot(self._slack, self._circleci, user))
                if state != sent:
                    await stream.write(f"data: {state}\n\n".encode())
                    sent = state
                await self._slack.pause(PAUSE_SECONDS)
        return stream

    async def _act(self, request: web.Request) -> web.Response:
        """Do what the person at the page does; `error` is what Slack's client would show them."""
        asked: Json = await request.json()
        try:
            person = self._slack.person(str(asked["as"]))
            shown = await self._acts[str(asked["do"])](person, asked)
        except Refused as refusal:
            shown = f"Slack refuses: {refusal.code}"
        except LookupError as error:
            shown = str(error.args[0] if error.args else error)
        return web.json_response({"error": shown})

    async def _say(self, person: Person, asked: Json) -> str | None:
        channel, text, thread_ts = (asked.get(name) for name in ("channel", "text", "thread_ts"))
        where, said = self._slack.workspace.visible(str(channel), person.id), str(text or "").strip()
        if not said.startswith("/"):
            await person.say(where, said, thread_ts)
            return None
        name, _, rest = said.partition(" ")
        if name != "/ci":
            return f"{name} is not a valid command."
        if thread_ts:
            return "/ci is not supported in threads. Say @ci instead, or use the field below the channel."
        await person.command(where, name, rest.strip())
        return None

    async def _press(self, person: Person, asked: Json) -> str | None:
        place = self._place(person, asked)
        # An edit gives new block_ids, so a press on what was there a moment ago is known by its action_id alone.
        found = terminal.elements(place.blocks)
        element = next((one for one in found if one["action_id"] == asked.get("action_id")), None)
        if element is None:
            return "This has changed in the meantime."
        choices = asked.get("choices") or []
        delivery = await (person.select(place, element, *choices) if choices else person.click(place, element))
        return delivery.shown if isinstance(place, View) else None

    async def _submit(self, person: Person, asked: Json) -> str | None:
        view = self._view(person, asked)
        return (await person.submit(view, dict(asked.get("values") or {}))).shown

    async def _close(self, person: Person, asked: Json) -> None:
        await person.close(self._view(person, asked))

    async def _dismiss(self, person: Person, asked: Json) -> None:
        person.dismiss(self._message(person, asked))

    async def _open_messages(self, person: Person, asked: Json) -> None:  # noqa: ARG002  # an act's signature
        await person.open_messages()

    async def _time(self, person: Person, asked: Json) -> None:  # noqa: ARG002  # an act's signature
        clock = self._circleci.world.clock
        if "speed" in asked:
            clock.speed = min(max(float(asked["speed"]), 0), 1000)
        clock.advance(timedelta(seconds=min(max(float(asked.get("advance") or 0), 0), 86_400)))

    def _place(self, person: Person, asked: Json) -> Message | View:
        return self._view(person, asked) if asked.get("view_id") else self._message(person, asked)

    def _view(self, person: Person, asked: Json) -> View:
        """Return the modal somebody acts on."""
        view = person.modal
        if view is None or view.id != asked.get("view_id"):
            raise LookupError("This window is closed.")
        return view

    def _message(self, person: Person, asked: Json) -> Message:
        """Return the message somebody acts on, one that only they see included."""
        channel = self._slack.workspace.visible(str(asked.get("channel")), person.id)
        for message in (*channel.messages, *person.sees_only):
            if message.channel is channel and message.ts == asked.get("ts"):
                return message
        raise LookupError("This message is gone.")


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer this machine's own browser alone: no other site may reach the page through it."""
    if request.url.host not in LOOPBACK:
        return web.Response(status=403, text="The playground is for this machine alone.")
    if request.method == "POST" and request.content_type != "application/json":
        return web.Response(status=415)
    response = await handler(request)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = POLICY
    return response


async def _index(request: web.Request) -> web.FileResponse:  # noqa: ARG001  # aiohttp's signature
    return web.FileResponse(FOLDER / "index.html", headers={"Cache-Control": "no-store"})
