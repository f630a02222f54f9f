"""A real bolt app that answers in every way there is, before a pretend Slack."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.slack.api import Slack
from playground.slack.workspace import default_workspace

Json = dict[str, Any]


MODES = pytest.mark.parametrize("socket_mode", [True, False], ids=["socket", "http"])


ROW = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "rerun", "text": {"type": "plain_text", "text": "Rerun"}, "value": "p1"}
    ],
}


MODAL = {
    "type": "modal",
    "callback_id": "deploy",
    "title": {"type": "plain_text", "text": "Deploy"},
    "submit": {"type": "plain_text", "text": "Deploy"},
    "blocks": [
        {
            "type": "input",
            "block_id": "ref",
            "label": {"type": "plain_text", "text": "Branch"},
            "element": {"type": "plain_text_input", "action_id": "ref"},
        }
    ],
}


@asynccontextmanager
async def echo_bot(socket_mode: bool, configure: Callable[[AsyncApp], None]) -> AsyncIterator[Slack]:
    """Run a real bolt app against a pretend Slack."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(Slack(default_workspace(), socket_mode=socket_mode))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = AsyncWebClient(slack.bot_token, base_url=f"{slack.url}/api/", session=session)
        app = AsyncApp(client=client, signing_secret=slack.signing_secret)
        configure(app)
        if socket_mode:
            handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.1)
            stack.push_async_callback(handler.close_async)
            await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt has no type for it
            await slack.connected()
        else:
            slack.courier.request_url = await _serve(app, stack)
        yield slack


async def _serve(app: AsyncApp, stack: AsyncExitStack) -> str:
    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    application = web.Application()
    application.router.add_post("/slack/events", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"


def echo(app: AsyncApp) -> None:
    """Answer in every way there is."""
    app.command("/ci")(on_command)
    app.event("app_mention")(on_said)
    app.event("message")(on_said)
    app.action("rerun")(on_rerun)
    app.view("deploy")(on_deploy)
    app.shortcut("again")(on_again)


async def on_command(ack: Any, body: Json, respond: Any, client: AsyncWebClient) -> None:
    match body["text"].split(" ")[0]:
        case "whisper":
            await ack(f"you said {body['text']}")
        case "respond":
            await ack()
            await respond(text="one moment")
            await respond(text="done", replace_original=True)
        case "modal":
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        case "late":
            await asyncio.get_running_loop().create_future()
        case _:
            await ack()
            await client.chat_postMessage(channel=body["channel_id"], text=body["text"], blocks=[ROW])


async def on_said(event: Json, say: Any) -> None:
    await say(text=f"heard {event['text']}", thread_ts=event["ts"])


async def on_rerun(ack: Any, body: Json, client: AsyncWebClient) -> None:
    await ack()
    where = body["container"]
    text = f"{body['actions'][0]['value']} again, for {body['user']['username']}"
    await client.chat_update(channel=where["channel_id"], ts=where["message_ts"], text=text, blocks=[])


async def on_deploy(ack: Any, body: Json, view: Json, client: AsyncWebClient) -> None:
    ref = view["state"]["values"]["ref"]["ref"]["value"]
    if ref == "bad":
        await ack(response_action="errors", errors={"ref": "No such branch"})
        return
    await ack()
    await client.chat_postMessage(channel=body["user"]["id"], text=f"deploying {ref}")


async def on_again(ack: Any, body: Json, respond: Any) -> None:
    await ack()
    await respond(text=f"again: {body['message']['text']}")


@asynccontextmanager
async def another(slack: Slack) -> AsyncIterator[list[str]]:
    """Open a second connection that acks and does nothing else."""
    got: list[str] = []

    async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            envelope = message.json()
            if "envelope_id" in envelope:
                got.append(envelope["type"])
                await socket.send_json({"envelope_id": envelope["envelope_id"]})

    async with aiohttp.ClientSession() as session:
        opened = await session.post(
            f"{slack.url}/api/apps.connections.open", headers={"Authorization": f"Bearer {slack.app_token}"}
        )
        async with session.ws_connect((await opened.json())["url"]) as socket:
            assert (await socket.receive_json())["type"] == "hello"
            reading = asyncio.create_task(read(socket))
            yield got
            reading.cancel()


async def refused(call: Awaitable[Any]) -> str:
    """Return the code Slack refuses a call with."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])
