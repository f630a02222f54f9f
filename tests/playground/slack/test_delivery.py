"""Commands, mentions and acks between the pretend Slack and a real bolt app, in both modes."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp

from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.playground.echo import MODES, Json, another, echo, echo_bot


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


async def test_an_eleventh_connection_pushes_out_the_first() -> None:
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(Slack(default_workspace(), socket_mode=True))
        slack.limits = None
        for _ in range(11):
            await stack.enter_async_context(another(slack))
        assert slack.socket.connections == 10


async def test_a_command_acked_too_late_or_twice_is_a_problem() -> None:
    release = asyncio.Event()

    def configure(app: AsyncApp) -> None:
        @app.command("/ci")
        async def slow(ack: Any) -> None:
            await release.wait()
            await ack()

    async with echo_bot(True, configure) as slack:
        slack.courier.ack_seconds = 0.05
        await slack.person("ada").command("deploys", "/ci", "x")
        release.set()
        await slack.wait_for(lambda: any("acked too late" in problem for problem in slack.problems))


async def test_a_warning_leaves_the_connection_open_and_a_disabled_app_is_hung_up() -> None:
    async with Slack(default_workspace(), socket_mode=True) as slack, another(slack) as got:
        await slack.socket.disconnect("warning")
        assert (await slack.person("ada").command("deploys", "/ci", "x")).acked
        assert got == ["slash_commands"]
    async with Slack(default_workspace(), socket_mode=False) as slack:
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {slack.app_token}"}
            opened = await session.post(f"{slack.url}/api/apps.connections.open", headers=headers)
            url = (await opened.json())["url"]
            async with session.ws_connect(url) as socket:
                assert (await socket.receive_json())["reason"] == "link_disabled"
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)
        assert (await slack.person("ada").command("deploys", "/ci", "x")).error == "dispatch_failed"


async def test_an_ack_that_is_no_message_is_a_problem() -> None:
    def configure(app: AsyncApp) -> None:
        @app.command("/ci")
        async def wrong(ack: Any) -> None:
            await ack(blocks=[{"type": "nothing"}], text="x")

    async with echo_bot(True, configure) as slack:
        await slack.person("ada").command("deploys", "/ci", "x")
        assert slack.problems == [
            "ack of /ci: invalid_blocks [ERROR] unsupported type: nothing [json-pointer:/blocks/0/type]"
        ]


async def test_an_answer_may_be_for_everybody_and_taken_back() -> None:
    async with echo_bot(True, echo) as slack:
        delivery = await slack.person("ada").command("random", "/ci", "whisper")
        url = delivery.payload["response_url"]
        async with aiohttp.ClientSession() as session:
            await session.post(url, json={"text": "all of you", "response_type": "in_channel"})
            assert [one.text for one in slack.workspace.channel("random").messages] == ["all of you"]
            await session.post(url, json={"delete_original": True})
            assert slack.workspace.channel("random").messages == []
            assert (await session.post(url, json={"text": ""})).status == 400
            slack.responses.most_seconds = -1
            assert (await session.post(url, json={"text": "x"})).status == 404
            assert (await session.post(f"{slack.url}/commands/x", json={"text": "x"})).status == 404
        assert slack.problems == [f"response_url: {code}" for code in ("no_text", "expired_url", "invalid_url")]
