"""People press, choose and fill in, and a real bolt app gets what Slack would send."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.playground.echo import MODAL, MODES, ROW, Json, echo, echo_bot


async def test_a_home_tab_is_published_when_it_is_opened() -> None:
    home = {"type": "home", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Builds"}}]}

    def configure(app: AsyncApp) -> None:
        @app.event("app_home_opened")
        async def opened(event: Json, client: AsyncWebClient) -> None:
            await client.views_publish(user_id=event["user"], view=home)

    async with echo_bot(True, configure) as slack:
        await slack.person("ada").open_home()
        shown = await slack.wait_for(lambda: slack.person("ada").home)
        assert shown is not None
        assert "Builds" in shown.visible


def select(kind: str, **more: Any) -> Json:
    return {"type": kind, "action_id": kind, "placeholder": {"type": "plain_text", "text": kind}, **more}


OPTIONS = [{"text": {"type": "plain_text", "text": name}, "value": name[0]} for name in ("main", "dev")]


MENUS = [select("static_select", options=OPTIONS), select("external_select"), select("users_select")]


async def test_menus_are_filled_and_chosen_from() -> None:
    chosen: list[Json] = []

    def configure(app: AsyncApp) -> None:
        @app.action("static_select")
        @app.action("users_select")
        async def choose(ack: Any, body: Json) -> None:
            await ack()
            chosen.append(body)

        @app.options("external_select")
        async def offer(ack: Any, payload: Json) -> None:
            await ack(options=[one for one in OPTIONS if one["value"] == payload["value"]])

    async with echo_bot(True, configure) as slack:
        ada, channel = slack.person("ada"), slack.workspace.channel("deploys")
        message = slack.workspace.post(channel, "U0BOT", "pick", [{"type": "actions", "elements": MENUS}])
        await ada.select(message, "static_select", "dev")
        await ada.select(message, "users_select", "U0GRACE")
        assert await ada.suggest(message, "external_select", "d") == ["dev"]
        assert chosen[0]["actions"][0]["selected_option"]["value"] == "d"
        (values,) = chosen[1]["state"]["values"].values()
        assert values["static_select"]["selected_option"]["value"] == "d"
        assert values["users_select"]["selected_user"] == "U0GRACE"
        with pytest.raises(LookupError, match="no option"):
            await ada.select(message, "static_select", "nothing")


async def test_people_press_only_what_they_see() -> None:
    async with echo_bot(True, echo) as slack:
        channel = slack.workspace.channel("war-room")
        message = slack.workspace.whisper(channel, "U0ADA", "x", [ROW])
        with pytest.raises(LookupError, match="grace does not see"):
            await slack.person("grace").click(message, "Rerun")
        ada = slack.person("ada")
        slack.courier.ack_seconds = 0.1
        stale = message.element("Rerun") | {"action_id": "nobody listens"}
        assert (await ada.click(message, stale)).shown == "Operation timed out. Apps need to respond within 3 seconds."


async def test_a_mention_where_the_bot_is_not_a_member_stays_undelivered() -> None:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        delivery = await slack.person("ada").mention("random", "hello")
    assert (delivery.acked, delivery.error) == (False, "not_in_channel")
    assert "Invite" in str(delivery.shown)


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


def field(block_id: str, element: Json) -> Json:
    label = {"type": "plain_text", "text": block_id}
    return {"type": "input", "block_id": block_id, "label": label, "element": {"action_id": block_id, **element}}


def form(*blocks: Json, **more: Any) -> Json:
    return MODAL | {"blocks": list(blocks)} | more


FORM = form(
    field("branch", {"type": "static_select", "options": OPTIONS, "initial_option": OPTIONS[0]}),
    field("who", {"type": "users_select", "initial_user": "U0ADA"}),
    field("several", {"type": "multi_users_select"}) | {"optional": True},
    field("when", {"type": "datepicker", "initial_date": "2026-11-20"}),
    field("note", {"type": "plain_text_input", "initial_value": "hello"}),
    field("flags", {"type": "checkboxes", "options": OPTIONS}) | {"optional": True},
    notify_on_close=True,
)


@pytest.fixture
async def answers() -> AsyncIterator[tuple[Slack, list[Json], list[Json]]]:
    """Run a bot that records each view payload and acks it with the next prepared body."""
    seen: list[Json] = []
    prepared: list[Json] = []

    async def take(ack: Any, body: Json) -> None:
        seen.append(body)
        await ack(**(prepared.pop(0) if prepared else {}))

    def configure(app: AsyncApp) -> None:
        app.view_submission("deploy")(take)
        app.view_closed("deploy")(take)
        app.shortcut("anywhere")(take)

    async with echo_bot(True, configure) as slack:
        yield slack, seen, prepared


Answers = tuple[Slack, list[Json], list[Json]]


async def test_fields_nobody_touched_are_sent_with_what_stood_in_them(answers: Answers) -> None:
    slack, seen, _ = answers
    ada = slack.person("ada")
    view = slack.modals.open(slack.modals.trigger(ada.id), FORM)
    await ada.submit(view, {"flags": ["main", "d"], "several": ["U0GRACE"]})
    values = seen[0]["view"]["state"]["values"]
    assert values["branch"]["branch"]["selected_option"]["value"] == "m"
    assert values["who"]["who"]["selected_user"] == "U0ADA"
    assert values["several"]["several"]["selected_users"] == ["U0GRACE"]
    assert values["when"]["when"]["selected_date"] == "2026-11-20"
    assert values["note"]["note"]["value"] == "hello"
    assert [one["value"] for one in values["flags"]["flags"]["selected_options"]] == ["m", "d"]


async def test_a_submission_may_be_answered_with_another_view(answers: Answers) -> None:
    slack, _, prepared = answers
    ada = slack.person("ada")
    view = slack.modals.open(slack.modals.trigger(ada.id), FORM)
    titles = [{"title": {"type": "plain_text", "text": name}} for name in ("Second", "Third")]
    prepared += [
        {"response_action": "update", "view": FORM | titles[0]},
        {"response_action": "push", "view": FORM | titles[1]},
        {"response_action": "push", "view": {"type": "modal"}},
        {"response_action": "clear"},
    ]
    await ada.submit(view)
    assert view.title == "Second"
    await ada.submit(view)
    assert ada.modal is not None
    assert ada.modal.title == "Third"
    await ada.submit(ada.modal)
    assert slack.problems[0].startswith("view_submission: invalid_arguments [ERROR] missing required field: blocks")
    await ada.submit(ada.modal)
    assert ada.modal is None


async def test_a_closed_modal_and_a_shortcut_are_told(answers: Answers) -> None:
    slack, seen, _ = answers
    ada = slack.person("ada")
    await ada.close(slack.modals.open(slack.modals.trigger(ada.id), FORM))
    await ada.shortcut("anywhere")
    assert [body["type"] for body in seen] == ["view_closed", "shortcut"]
    assert ada.modal is None


async def test_an_unanswered_submission_says_so() -> None:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        ada = slack.person("ada")
        view = slack.modals.open(slack.modals.trigger(ada.id), FORM)
        assert (await ada.submit(view)).shown == "We had some trouble connecting. Try again?"
        row = {"type": "actions", "elements": [MENUS[0]]}
        home = slack.modals.publish(ada.id, {"type": "home", "blocks": [row]})
        assert (await ada.select(home, "static_select", "main")).shown == "This app is not responding."
        assert ada.modal is view


async def test_a_strangers_payloads_name_their_own_team() -> None:
    said: list[Json] = []

    def configure(app: AsyncApp) -> None:
        @app.event("app_mention")
        async def mention(body: Json) -> None:
            said.append(body)

    async with echo_bot(True, configure) as slack:
        slack.workspace.enterprise_id = "E0ACME"
        slack.courier.ack_seconds = 0.3
        await slack.person("stranger").mention("deploys", "deploy")
        delivery = await slack.person("stranger").command("deploys", "/ci", "deploy", raw=True)
    assert said[0]["event"]["user_team"] == "T0OTHER"
    assert said[0]["is_ext_shared_channel"]
    assert said[0]["team_id"] == "T0ACME"
    assert delivery.payload["team_id"] == "T0OTHER"
    assert delivery.payload["enterprise_id"] == "E0ACME"
