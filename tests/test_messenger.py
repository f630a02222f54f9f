"""The sender waits when it must, answers only Slack, and finds another way to a person."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.errors import SlackError
from bot.messenger import Messenger, may_respond_to
from bot.models.caller import Place
from bot.models.refusals import TOKEN_GONE
from bot.policy import Kind
from formatters.blocks import Message, section
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.circleci.conftest import serving

WORDS = Message(text="A sentence.", blocks=(section("A sentence."),))


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        yield slack


@pytest.fixture
async def messenger(slack: Slack) -> AsyncIterator[Messenger]:
    async with Messenger(token=SecretStr(slack.bot_token), api_url=slack.url) as messenger:
        yield messenger


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://hooks.slack.com/actions/1", True),
        ("https://hooks.slack-gov.com/actions/1", True),
        ("http://127.0.0.1:9/response/1", True),
        ("http://hooks.slack.com/actions/1", False),
        ("https://hooks.slack.com.evil.example/1", False),
        ("https://hooks.slack.com:8443/1", False),
        ("http://127.0.0.1:10/response/1", False),
    ],
)
def test_only_slack_is_answered(url: str, may: bool) -> None:
    assert may_respond_to(url, "http://127.0.0.1:9") is may


async def test_a_post_is_found_behind_what_people_have_said_since(messenger: Messenger, slack: Slack) -> None:
    channel = slack.workspace.channel("deploys")
    ts = await messenger.post(channel.id, WORDS, mark="m1")
    began, place = datetime.fromtimestamp(float(ts), UTC), Place(channel_id=channel.id)
    for nth in range(250):
        slack.workspace.post(channel, "U0ADA", f"word {nth}")
    assert await messenger.find(place, "m1", began - timedelta(seconds=1)) == ts
    asked = len(slack.calls_of("conversations.history"))
    assert await messenger.find(place, "m1", began + timedelta(days=1)) is None
    assert await messenger.find(place, "m1") is None
    assert len(slack.calls_of("conversations.history")) == asked + 2  # what came later is not read for ever


async def test_a_foreign_response_url_is_never_called(messenger: Messenger) -> None:
    with pytest.raises(SlackError, match="foreign_host"):
        await messenger.respond("https://evil.example/1", WORDS)


async def test_a_response_url_that_is_used_up_is_an_error(messenger: Messenger, slack: Slack) -> None:
    with pytest.raises(SlackError, match="http_"):
        await messenger.respond(f"{slack.url}/response/unknown", WORDS)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, "{", "http_200"),
        (502, "<html>", "http_502"),
        (404, '{"message": "Not Found"}', "http_404"),
        (200, "[]", "http_"),
    ],
)
async def test_what_answers_in_slacks_place_is_an_error_of_ours(status: int, body: str, code: str) -> None:
    async def answers(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    async with serving(answers) as url, Messenger(token=SecretStr("xoxb-1"), api_url=url) as messenger:
        for asked in (messenger.identity(), messenger.try_app_token(SecretStr("xapp-1")), messenger.post("C1", WORDS)):
            with pytest.raises(SlackError, match=code):
                await asked


async def test_who_is_not_in_the_channel_gets_a_direct_message(messenger: Messenger, slack: Slack) -> None:
    await messenger.whisper(slack.workspace.channel("random").id, "U0ADA", WORDS)
    assert [one.visible for one in slack.person("ada").direct_messages] == ["A sentence."]


async def test_a_message_over_the_limits_goes_out_as_text(messenger: Messenger, slack: Slack) -> None:
    channel = slack.workspace.channel("deploys")
    await messenger.post(channel.id, Message(text="Too long.", blocks=(section("x" * 3001),)))
    assert channel.messages[0].blocks == []
    assert slack.problems == []


async def test_a_home_tab_is_somebodys_own(messenger: Messenger, slack: Slack) -> None:
    await messenger.publish_view("U0ADA", {"type": "home", "blocks": [section("A sentence.")]})
    assert slack.person("ada").home is not None
    assert slack.person("grace").home is None
    assert slack.problems == []


async def test_a_name_is_asked_for_and_may_be_unknown(messenger: Messenger) -> None:
    assert await messenger.user_name("U0ADA")
    assert await messenger.user_name("U0NOBODY") == ""


@pytest.mark.parametrize("code", sorted(TOKEN_GONE))
async def test_a_token_that_slack_refuses_is_tried_no_more_until_a_minute_later(
    messenger: Messenger, slack: Slack, code: str
) -> None:
    # C38
    slack.token_error = code
    for _ in range(2):
        with pytest.raises(SlackError, match=code):
            await messenger.post("C0DEPLOYS", WORDS)
    assert len(slack.calls) == 1
    assert messenger.refused == code
    messenger._calls.probe_at = 0  # a minute has gone by
    slack.token_error = None
    await messenger.post("C0DEPLOYS", WORDS)
    assert messenger.refused == ""
    assert len(slack.workspace.channel("deploys").messages) == 1


async def test_no_network_is_an_error_of_ours() -> None:
    async with Messenger(token=SecretStr("x"), api_url="http://127.0.0.1:9") as messenger:
        with pytest.raises(SlackError):
            await messenger.post("C0", WORDS)


async def test_who_has_left_is_told_from_a_member_one_by_one_and_among_all(messenger: Messenger, slack: Slack) -> None:
    slack.workspace.user("U0ADA").deleted = True
    assert (await messenger.kind_of("U0ADA"), await messenger.kind_of("U0GRACE")) == (Kind.GONE, Kind.MEMBER)
    kinds = await messenger.kinds()
    assert (kinds["U0ADA"], kinds["U0GUEST"]) == (Kind.GONE, Kind.GUEST)
