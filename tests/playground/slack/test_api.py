"""The Web API as the real client meets it."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.slack.api import Slack
from playground.slack.workspace import Workspace, default_workspace
from tests.playground.echo import MODAL, ROW, refused


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


async def test_a_reply_is_sent_to_the_channel_too_at_once_or_later(
    client: AsyncWebClient, workspace: Workspace, slack: Slack
) -> None:
    channel = workspace.channel("deploys")
    root = await client.chat_postMessage(channel=channel.id, text="root", reply_broadcast=True)  # it is there anyway
    more = {"channel": channel.id, "thread_ts": root["ts"]}
    aloud = await client.chat_postMessage(text="aloud", reply_broadcast=True, **more)
    quiet = await client.chat_postMessage(text="quiet", **more)
    assert [one.text for one in channel.in_sight] == ["root", "aloud"]
    await client.chat_update(channel=channel.id, ts=aloud["ts"], text="edited")
    history = (await client.conversations_history(channel=channel.id))["messages"]
    assert [(one["text"], one.get("subtype")) for one in history] == [("edited", "thread_broadcast"), ("root", None)]
    assert history[0]["root"]["text"] == "root"
    late = {"channel": channel.id, "ts": quiet["ts"], "reply_broadcast": True}
    for wrong, code in (
        ({"text": "x"}, "no_dual_broadcast_content_update"),
        ({"ts": root["ts"]}, "cant_broadcast_message"),
    ):
        assert await refused(client.api_call("chat.update", json=late | wrong)) == code
    await client.api_call("chat.update", json=late)
    assert [one.text for one in channel.in_sight] == ["root", "edited", "quiet"]
    assert f"#deploys > {root['ts']} and #deploys ci: quiet" in workspace.transcript()
    slack.problems.clear()


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


async def test_edits_are_limited_for_the_whole_workspace(client: AsyncWebClient, slack: Slack) -> None:
    posted = await client.chat_postMessage(channel="C0DEPLOYS", text="x")
    edits = [await _status(client, str(posted["ts"]), number) for number in range(16)]
    assert edits == [200] * 15 + [429]


async def _status(client: AsyncWebClient, ts: str, number: int) -> int:
    try:
        answer = await client.chat_update(channel="C0DEPLOYS", ts=ts, text=str(number))
    except SlackApiError as error:
        answer = error.response
    return int(answer.status_code)


async def test_a_missing_scope_is_named(client: AsyncWebClient, slack: Slack) -> None:
    slack.scopes = frozenset({"chat:write"})
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user="U0ADA")
    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "users:read")


async def test_only_members_can_be_whispered_to(client: AsyncWebClient, slack: Slack) -> None:
    await client.chat_postEphemeral(channel="C0RELEASES", user="U0ADA", text="psst")
    assert [one.visible for one in slack.person("ada").sees_only] == ["psst"]
    stranger = client.chat_postEphemeral(channel="C0RELEASES", user="U0STRANGER", text="psst")
    assert await refused(stranger) == "user_not_in_channel"


async def test_a_replys_ts_is_no_root(client: AsyncWebClient, slack: Slack, workspace: Workspace) -> None:
    deploys = workspace.channel("deploys")
    root = workspace.post(deploys, "U0BOT", "root")
    reply = workspace.post(deploys, "U0BOT", "reply", thread_ts=root.ts)
    await client.chat_postMessage(channel=deploys.id, text="third", thread_ts=reply.ts)
    assert [one.text for one in root.replies] == ["reply", "third"]
    assert slack.problems == [f"chat.postMessage: thread_ts {reply.ts} is a reply's, not its root's"]
    gone = client.chat_postMessage(channel=deploys.id, text="x", thread_ts="1.0")
    assert await refused(gone) == "thread_not_found"


async def test_messages_are_taken_away_and_unknown_channels_are_opened(
    client: AsyncWebClient, slack: Slack, workspace: Workspace
) -> None:
    opened = await client.conversations_open(users="U0GRACE")
    posted = await client.chat_postMessage(channel=opened["channel"]["id"], text="hello")
    assert [one.text for one in slack.person("grace").direct_messages] == ["hello"]
    await client.chat_delete(channel=posted["channel"], ts=str(posted["ts"]))
    assert slack.person("grace").direct_messages == []
    assert (await client.bots_info(bot="B0BOT"))["bot"]["app_id"] == workspace.app_id
    assert (await client.team_info())["team"]["domain"] == "acme"
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["handle"] == "release-team"


async def test_a_modals_needed_field_stops_the_client(client: AsyncWebClient, slack: Slack) -> None:
    ada = slack.person("ada")
    await client.views_open(trigger_id=slack.modals.trigger(ada.id), view=MODAL)
    assert ada.modal is not None
    with pytest.raises(LookupError, match="Branch"):
        await ada.submit(ada.modal)
    await client.views_push(trigger_id=slack.modals.trigger(ada.id), view=MODAL)
    await client.views_push(trigger_id=slack.modals.trigger(ada.id), view=MODAL)
    fourth = client.views_push(trigger_id=slack.modals.trigger(ada.id), view=MODAL)
    assert await refused(fourth) == "push_limit_reached"
    assert await ada.close(ada.modal) is None
    assert ada.modal is not None
    bad = MODAL | {"title": {"type": "plain_text", "text": "x" * 25}}
    assert await refused(client.views_open(trigger_id=slack.modals.trigger(ada.id), view=bad)) == "invalid_arguments"


async def test_waiting_in_vain_shows_what_was_said(slack: Slack, workspace: Workspace) -> None:
    workspace.post(workspace.channel("deploys"), "U0ADA", "all I ever said")
    with pytest.raises(TimeoutError, match="all I ever said"):
        await slack.wait_for(lambda: False, timeout=0.01)


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


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("chat.postMessage", "{", "invalid_json"),
        ("chat.postMessage", "[]", "json_not_object"),
        ("chat.postMessage", '{"text": "x"}', "invalid_arguments"),
        ("chat.postMessage", '{"channel": "C0DEPLOYS", "text": "x", "blocks": "["}', "invalid_blocks_format"),
        ("chat.postMessage", '{"channel": "C0DEPLOYS", "text": "x", "metadata": {}}', "invalid_metadata_schema"),
        ("chat.update", '{"channel": "C0DEPLOYS", "ts": "1.0", "text": "x"}', "message_not_found"),
        ("users.info", '{"user": "U0NONE"}', "user_not_found"),
        ("usergroups.users.list", '{"usergroup": "S0NONE"}', "no_such_subteam"),
        ("bots.info", '{"bot": "B0NONE"}', "bot_not_found"),
        ("conversations.open", '{"users": "U0NONE"}', "user_not_found"),
        ("conversations.replies", '{"channel": "C0DEPLOYS", "ts": "1.0"}', "thread_not_found"),
        ("views.open", '{"trigger_id": "x"}', "invalid_arguments"),
        ("views.update", '{"view_id": "x", "view": {"type": "modal"}}', "not_found"),
        ("views.publish", '{"user_id": "U0NONE", "view": {}}', "user_not_found"),
    ],
)
async def test_bad_arguments_are_named(slack: Slack, method: str, body: str, code: str) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    as_form = method.split(".", maxsplit=1)[0] in ("users", "usergroups", "bots") or method == "conversations.replies"
    kind = {} if as_form else {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session:
        data = json.loads(body) if as_form else body
        answer = await session.post(f"{slack.url}/api/{method}", data=data, headers={**headers, **kind})
        assert (await answer.json())["error"] == code


async def test_what_only_asks_does_not_hear_json(slack: Slack) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{slack.url}/api/users.info", json={"user": "U0ADA"}, headers=headers)
        assert (await answer.json())["error"] == "invalid_arguments"


async def test_a_call_without_a_token_is_not_authed(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{slack.url}/api/auth.test")
        assert (await answer.json())["error"] == "not_authed"
        answer = await session.post(f"{slack.url}/api/auth.test", data={"token": slack.bot_token})
        assert (await answer.json())["ok"]


async def test_blocks_too_long_together_have_an_error_of_their_own(client: AsyncWebClient, slack: Slack) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 5
    long = client.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=blocks)
    assert await refused(long) == "msg_blocks_too_long"
    assert slack.problems == ["chat.postMessage: msg_blocks_too_long"]


async def test_blocks_that_say_nothing_to_a_screen_reader_are_noted(client: AsyncWebClient, slack: Slack) -> None:
    await client.api_call("chat.postMessage", json={"channel": "C0DEPLOYS", "blocks": [ROW]})
    assert slack.problems[0].startswith("chat.postMessage: blocks without text")


async def test_a_reaction_is_taken_back_once(client: AsyncWebClient, workspace: Workspace) -> None:
    message = workspace.post(workspace.channel("deploys"), "U0ADA", "x")
    place = {"channel": "C0DEPLOYS", "timestamp": message.ts, "name": "eyes"}
    await client.reactions_add(**place)
    await client.reactions_remove(**place)
    assert message.reactions == []
    assert await refused(client.reactions_remove(**place)) == "no_reaction"


async def test_a_story_may_order_refusals(client: AsyncWebClient, slack: Slack) -> None:
    slack.refuse("chat.postMessage", "restricted_action")
    slack.refuse("chat.postMessage", "ratelimited", retry_after=7)
    post = {"channel": "C0DEPLOYS", "text": "x"}
    assert await refused(client.api_call("chat.postMessage", json=post)) == "restricted_action"
    with pytest.raises(SlackApiError) as caught:
        await client.api_call("chat.postMessage", json=post)
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    await client.api_call("chat.postMessage", json=post)
    assert slack.problems == []
    assert len(slack.calls_of("chat.postMessage")) == len(slack.requests) == 3
