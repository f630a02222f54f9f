"""What Slack brings is a command where somebody says it to the bot: not where they quote, show or share it."""

from typing import Any

import pytest

from bot.slack.payloads import from_event

BOT = "U0CI"
SHARED = {"attachments": [{"is_share": True, "text": "<@U0CI> deploy acme/frontend main"}]}


def event(text: str, **more: Any) -> dict[str, Any]:
    said = {"type": "app_mention", "user": "U0ADA", "text": text, "ts": "1.2", "channel": "C0", **more}
    return {"event": said, "team_id": "T0"}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("<@U0CI> deploy acme/frontend main", "deploy acme/frontend main"),
        ("<@U0CI|ci> deploy acme/frontend main", "deploy acme/frontend main"),
        ("  \n<@U0CI> status acme/frontend", "status acme/frontend"),
        ("<@U0OTHER> <@U0CI> status acme/frontend", "status acme/frontend"),
        ("/ci <@U0CI> status acme/frontend", "status acme/frontend"),
        ("<@U0CI> `deploy acme/frontend main`", "`deploy acme/frontend main`"),
        ("&gt; <@U0CI> deploy acme/frontend main\n<@U0CI> status acme/frontend", "status acme/frontend"),
        ("<@U0CI> lock acme/frontend:main ask <@U0CI> first", "lock acme/frontend:main ask <@U0CI> first"),
    ],
)
def test_what_is_said_to_the_bot_is_a_command(text: str, command: str) -> None:
    said = from_event(event(text), bot_user_id=BOT)
    assert said is not None
    assert (said.heard.text, said.is_aside) == (command, False)


BEFORE = (
    *(
        "don't ",
        "Ada wrote: ",
        "Ada wrote:\n",
        "never again\n\n",
        "Hey ",
        "a &gt; b, so ",
        "it`s so: ",
        "`not` ",
        "no, ",
    ),
    *("```no```\n", "deploy ", "• ", "*", "(", "\u200b", "<!here> ", "<@U0ADA> said: ", "I asked <@U0CI>\n"),
)


@pytest.mark.parametrize("before", BEFORE)
def test_behind_other_words_a_mention_is_greeted_and_not_obeyed(before: str) -> None:
    text = f"{before}<@U0CI> deploy acme/frontend main"
    said = from_event(event(text), bot_user_id=BOT)
    assert said is not None
    assert said.is_aside
    assert (said.heard.text, said.heard.is_aside) == ("hello", False)
    alone = from_event(event(text, type="message", channel_type="im"), bot_user_id=BOT)
    assert alone is not None
    assert alone.heard.text.split()[0] == text.replace("&gt;", ">").split()[0]


@pytest.mark.parametrize(
    "body",
    [
        event("&gt; <@U0CI> deploy acme/frontend main"),
        event("Why that?\n&gt;<@U0CI> deploy acme/frontend main\nWho did this?"),
        event("&gt;&gt;&gt; She wrote:\n<@U0CI> deploy acme/frontend main"),
        event("I typed `<@U0CI> deploy acme/frontend main`"),
        event("```\n<@U0CI> deploy acme/frontend main\n```"),
        event("", **SHARED),
        event("Look at this", **SHARED),
        event("deploy acme/frontend main", **SHARED),
        event("<@U0CIX> deploy acme/frontend main"),
        event("", type="message", channel_type="im", **SHARED),
        event("<@U0CI> deploy acme/frontend main", subtype="message_changed"),
        event("<@U0CI> deploy acme/frontend main", bot_id="B0"),
    ],
)
def test_what_is_quoted_shown_or_shared_is_no_command(body: dict[str, Any]) -> None:
    assert from_event(body, bot_user_id=BOT) is None


def test_in_direct_messages_no_mention_is_needed() -> None:
    said = from_event(event("status acme/frontend", type="message", channel_type="im"), bot_user_id=BOT)
    assert said is not None
    assert (said.text, said.kind) == ("status acme/frontend", "message")


def test_when_a_message_was_edited_is_known() -> None:
    said = from_event(event("<@U0CI> help", edited={"ts": "61.2"}), bot_user_id=BOT)
    assert said is not None
    assert said.edited_after == 60
