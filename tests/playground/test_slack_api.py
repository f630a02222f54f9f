"""The pretend Slack as a real bolt app and a real client meet it."""

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

from bot.playground.slack_api import Slack
from bot.playground.workspace import Workspace, default_workspace

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


@pytest.fixture
def workspace() -> Workspace:
    return default_workspace()


@pytest.fixture
async def slack(workspace: Workspace) -> AsyncIterator[Slack]:
    async with Slack(workspace, socket_mode=True) as slack:
        yield slack


@pytest.fixture
async def client(slack: Slack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(slack.bot_token, base_url=f"{slack.url}/api/", session=session, retry_handlers=[])


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


@MODES
async def test_a_command_is_answered_in_the_channel(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        delivery = await slack.person("ada").command("deploys", "/ci", "deploy a&b <x>")
        message = await slack.wait_for(lambda: slack.workspace.channel("deploys").messages)
        assert delivery.acked
        assert delivery.shown is None
        assert message[0].text == "deploy a&amp;b &lt;x&gt;"
        assert message[0].buttons == ["Rerun"]
        assert slack.problems == []


@MODES
async def test_an_acks_body_is_shown_to_the_person_alone(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        delivery = await slack.person("ada").command("deploys", "/ci", "whisper")
        assert delivery.shown == "you said whisper"
        assert [one.visible for one in slack.person("ada").sees_only] == ["you said whisper"]
        assert slack.person("grace").sees_only == []


@MODES
async def test_a_response_url_answers_and_replaces(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        ada = slack.person("ada")
        await ada.command("random", "/ci", "respond")
        await slack.wait_for(lambda: [one.visible for one in ada.sees_only] == ["done"])
        assert ada.sees_only[0].earlier == ["one moment"]
        assert slack.problems == []


@MODES
async def test_a_mention_is_answered_in_its_thread(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        delivery = await slack.person("ada").mention("deploys", "see https://circleci.com/a?b=1&c=2")
        root = slack.workspace.channel("deploys").roots[0]
        await slack.wait_for(lambda: root.replies)
        assert delivery.acked
        assert root.text == "<@U0BOT> see <https://circleci.com/a?b=1&amp;c=2>"
        assert root.replies[0].visible == "heard @ci see https://circleci.com/a?b=1&c=2"


@MODES
async def test_a_direct_message_is_answered(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        await slack.person("guest").message_bot("hello")
        said = await slack.wait_for(lambda: slack.person("guest").direct_messages[1:])
        assert said[0].visible == "heard hello"


@MODES
async def test_a_press_edits_the_message(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        await slack.person("ada").command("deploys", "/ci", "deploy")
        (message,) = await slack.wait_for(lambda: slack.workspace.channel("deploys").messages)
        assert (await slack.person("grace").click(message, "Rerun")).acked
        await slack.wait_for(lambda: message.edited_ts)
        assert message.visible == "p1 again, for grace"
        assert message.buttons == []
        assert slack.problems == []


@MODES
async def test_a_modal_is_opened_corrected_and_sent(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        ada = slack.person("ada")
        await ada.command("deploys", "/ci", "modal")
        modal = await slack.wait_for(lambda: ada.modal)
        assert modal is not None
        await ada.submit(modal, {"Branch": "bad"})
        assert "No such branch" in modal.visible
        await ada.submit(modal, {"ref": "main"})
        assert ada.modal is None
        await slack.wait_for(lambda: [one.visible for one in ada.direct_messages] == ["deploying main"])
        assert slack.problems == []


@MODES
async def test_a_message_shortcut_carries_the_message(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        await slack.person("ada").command("deploys", "/ci", "deploy")
        (message,) = await slack.wait_for(lambda: slack.workspace.channel("deploys").messages)
        await slack.person("grace").shortcut("again", message)
        await slack.wait_for(lambda: [one.visible for one in slack.person("grace").sees_only] == ["again: deploy"])


@MODES
async def test_a_late_ack_shows_slacks_own_notice(socket_mode: bool) -> None:
    async with echo_bot(socket_mode, echo) as slack:
        slack.courier.ack_seconds = 0.1
        delivery = await slack.person("ada").command("deploys", "/ci", "late")
        assert not delivery.acked
        assert delivery.shown == '/ci failed with the error "operation_timeout"'
        assert [one.user for one in slack.person("ada").sees_only] == ["USLACKBOT"]
        assert slack.problems == ["/ci: not acked within 0.1 s"]


@MODES
async def test_a_redelivery_carries_the_same_event_and_its_number(socket_mode: bool) -> None:
    seen: list[tuple[str, str]] = []

    def remember(app: AsyncApp) -> None:
        @app.event("app_mention")
        async def mention(body: Json, request: Any = None, req: Any = None) -> None:
            seen.append((body["event_id"], req.headers.get("x-slack-retry-num", ["0"])[0]))

    async with echo_bot(socket_mode, remember) as slack:
        delivery = await slack.person("ada").mention("deploys", "deploy")
        await slack.redeliver(delivery)
        assert seen[0][0] == seen[1][0]
        assert seen[1][1] == "1"


async def test_an_envelope_goes_to_one_connection_alone() -> None:
    async with echo_bot(True, echo) as slack, another(slack) as deaf:
        for _ in range(4):
            assert (await slack.person("ada").command("deploys", "/ci", "whisper")).acked
        assert len(deaf) == 2


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
            reading = asyncio.create_task(read(socket))
            await slack.connected(2)
            yield got
            reading.cancel()


@pytest.mark.parametrize("reason", ["refresh_requested", "too_many_websockets"])
async def test_a_bot_told_to_disconnect_comes_back(reason: str) -> None:
    async with echo_bot(True, echo) as slack:
        await slack.socket.disconnect(reason)
        assert slack.socket.connections == 0
        await slack.connected()
        assert (await slack.person("ada").command("deploys", "/ci", "whisper")).acked


async def test_a_lost_connection_is_opened_anew() -> None:
    async with echo_bot(True, echo) as slack:
        await slack.socket.drop()
        delivery = await slack.person("ada").command("deploys", "/ci", "whisper")
        assert delivery.shown == '/ci failed with the error "dispatch_failed"'
        await slack.connected()
        assert (await slack.person("ada").command("deploys", "/ci", "whisper")).acked


async def test_a_request_url_is_verified() -> None:
    async with echo_bot(False, echo) as slack:
        assert await slack.courier.verify()
        slack.courier.clock_offset_seconds = -400
        assert not await slack.courier.verify()
        assert slack.problems == ["url_verification: answered with HTTP status 401"]


async def refused(call: Awaitable[Any]) -> str:
    """Return the code Slack refuses a call with."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_slack_says_why_a_channel_is_refused(client: AsyncWebClient, workspace: Workspace, slack: Slack) -> None:
    workspace.channel("releases").is_archived = True
    assert await refused(client.chat_postMessage(channel="C0NONE", text="x")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel="C0RANDOM", text="x")) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel="C0RELEASES", text="x")) == "is_archived"
    assert await refused(client.conversations_history(channel="C0RANDOM")) == "not_in_channel"
    assert slack.problems == []


async def test_slack_refuses_what_is_no_message(client: AsyncWebClient, slack: Slack) -> None:
    channel = "C0DEPLOYS"
    assert await refused(client.api_call("chat.postMessage", json={"channel": channel, "text": ""})) == "no_text"
    assert await refused(client.chat_postMessage(channel=channel, text="x" * 40_001)) == "msg_too_long"
    many = [{"type": "divider"}] * 51
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=channel, text="x", blocks=many)
    assert caught.value.response["error"] == "invalid_blocks"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
    ]
    assert len(slack.problems) == 3


async def test_an_edit_needs_a_message_of_the_bots_own(client: AsyncWebClient, workspace: Workspace) -> None:
    channel = workspace.channel("deploys")
    foreign = workspace.post(channel, "U0ADA", "mine")
    posted = await client.chat_postMessage(channel=channel.id, text="first", blocks=[ROW])
    ts = str(posted["ts"])
    assert await refused(client.chat_update(channel=channel.id, ts=foreign.ts, text="x")) == "cant_update_message"
    assert await refused(client.chat_update(channel="deploys", ts=ts, text="x")) == "channel_not_found"
    await client.chat_update(channel=channel.id, ts=ts, text="second")
    message = channel.find(ts)
    assert message is not None
    assert message.buttons == ["Rerun"]
    workspace.delete(message)
    assert await refused(client.chat_update(channel=channel.id, ts=ts, text="x")) == "message_not_found"


async def test_tokens_are_checked(client: AsyncWebClient, slack: Slack) -> None:
    assert await refused(client.auth_test(token="xoxb-other")) == "invalid_auth"
    assert await refused(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    slack.problems.clear()
    slack.token_error = "account_inactive"
    assert await refused(client.auth_test()) == "account_inactive"
    slack.token_error = None
    assert (await client.auth_test())["user_id"] == "U0BOT"
    assert slack.problems == []


async def test_limits_answer_429_until_they_are_lifted(client: AsyncWebClient, slack: Slack) -> None:
    async def post() -> None:
        await client.chat_postMessage(channel="C0DEPLOYS", text="x")

    for _ in range(5):
        await post()
    with pytest.raises(SlackApiError) as caught:
        await post()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    assert slack.problems == ["chat.postMessage: ratelimited"]
    slack.limits = None
    await post()


async def test_a_trigger_opens_one_modal_within_three_seconds(client: AsyncWebClient, slack: Slack) -> None:
    trigger_id = slack.modals.trigger("U0ADA")
    opened = await client.views_open(trigger_id=trigger_id, view=MODAL)
    assert await refused(client.views_open(trigger_id=trigger_id, view=MODAL)) == "exchanged_trigger_id"
    view = opened["view"]
    await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
    assert await refused(client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)) == "hash_conflict"
    slack.modals.trigger_seconds = -1
    late = slack.modals.trigger("U0ADA")
    assert await refused(client.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"


async def test_an_unknown_method_is_a_problem(client: AsyncWebClient, slack: Slack) -> None:
    assert await refused(client.api_call("chat.postMessages")) == "unknown_method"
    assert slack.problems == ["chat.postMessages: unknown_method"]


async def test_the_lookups_answer(client: AsyncWebClient, workspace: Workspace) -> None:
    root = str((await client.chat_postMessage(channel="C0DEPLOYS", text="root", metadata=MARK))["ts"])
    await client.chat_postMessage(channel="C0DEPLOYS", text="reply", thread_ts=root)
    history = await client.conversations_history(channel="C0DEPLOYS", include_all_metadata=True)
    assert [(one["text"], one["metadata"]) for one in history["messages"]] == [("root", MARK)]
    replies = await client.conversations_replies(channel="C0DEPLOYS", ts=root)
    assert [one["text"] for one in replies["messages"]] == ["root", "reply"]
    assert (await client.users_info(user="U0GUEST"))["user"]["is_restricted"]
    assert (await client.usergroups_users_list(usergroup="S0RELEASE"))["users"] == ["U0ADA", "U0ADMIN"]
    assert (await client.conversations_info(channel="C0DEPLOYS"))["channel"]["is_member"]
    assert "U0ADA" in (await client.conversations_members(channel="C0DEPLOYS"))["members"]
    assert len((await client.users_conversations())["channels"]) == 3
    link = await client.chat_getPermalink(channel="C0DEPLOYS", message_ts=root)
    assert str(link["permalink"]).startswith("https://acme.slack.com/archives/C0DEPLOYS/p")
    await client.reactions_add(channel="C0DEPLOYS", timestamp=root, name="eyes")
    again = client.reactions_add(channel="C0DEPLOYS", timestamp=root, name="eyes")
    assert await refused(again) == "already_reacted"
    assert workspace.channel("deploys").roots[0].reactions == [("eyes", "U0BOT")]


MARK = {"event_type": "build", "event_payload": {"pipeline": "p1"}}


async def test_a_response_url_serves_five_times(slack: Slack) -> None:
    slack.courier.ack_seconds = 0.1
    delivery = await slack.person("ada").command("deploys", "/ci", "nobody listens")
    async with aiohttp.ClientSession() as session:
        statuses = [
            (await session.post(delivery.payload["response_url"], json={"text": str(number)})).status
            for number in range(6)
        ]
    assert statuses == [200] * 5 + [404]
    assert slack.problems == ["response_url: used_url"]
