"""Slack's rules without HTTP."""

import pytest

from playground.slack import typing_marks
from playground.slack.conversations import Json
from playground.slack.workspace import Refused, Workspace, default_workspace

BOT = "U0BOT"


@pytest.fixture
def acme() -> Workspace:
    return default_workspace()


def test_everybody_a_story_needs_is_there(acme: Workspace) -> None:
    assert acme.user("guest").is_restricted
    assert acme.user("stranger").team_id != acme.team_id
    assert acme.user("admin").is_admin
    assert "email" not in acme.user("ci").profile
    assert [channel.name for channel in acme.channels_of(BOT)] == ["deploys", "releases", "general", "war-room"]


def test_ts_are_unique_increasing_and_the_same_in_every_run(acme: Workspace) -> None:
    stamps = [acme.post(acme.channel("deploys"), BOT, str(number)).ts for number in range(20)]
    assert stamps == sorted(set(stamps))
    again = default_workspace()
    assert again.post(again.channel("deploys"), BOT, "x").ts == stamps[0]


@pytest.mark.parametrize(
    ("channel", "who", "code"),
    [
        ("nowhere", BOT, "channel_not_found"),
        ("random", BOT, "not_in_channel"),
        ("war-room", "U0GRACE", "channel_not_found"),
        ("releases", BOT, "is_archived"),
    ],
)
def test_a_channel_that_may_not_be_written_in_says_why(acme: Workspace, channel: str, who: str, code: str) -> None:
    acme.channel("releases").is_archived = True
    with pytest.raises(Refused) as caught:
        acme.writable(channel, who)
    assert caught.value.code == code


def test_an_edit_keeps_its_history_and_the_blocks_it_was_not_given(acme: Workspace) -> None:
    row = {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}}]}
    message = acme.post(acme.channel("deploys"), BOT, "one", [row])
    acme.edit(message, "two", None)
    assert message.buttons == ["Go"]
    acme.edit(message, "three", [])
    assert (message.visible, message.earlier) == ("three", ["[ Go ]", "[ Go ]"])


def test_replies_stand_under_their_root_alone(acme: Workspace) -> None:
    deploys = acme.channel("#deploys")
    root = acme.post(deploys, BOT, "root")
    reply = acme.post(deploys, BOT, "reply", thread_ts=root.ts)
    assert deploys.roots == [root]
    assert deploys.thread(root.ts) == root.replies == [reply]
    acme.delete(reply)
    assert deploys.messages == [root]


def test_direct_messages_are_opened_once(acme: Workspace) -> None:
    assert acme.open_im("U0ADA") is acme.open_im("U0ADA")
    assert acme.open_im("U0ADA").id == "D0ADA"


def test_each_change_is_told(acme: Workspace) -> None:
    changes: list[int] = []
    acme.on_change.append(lambda: changes.append(1))
    message = acme.post(acme.channel("deploys"), BOT, "x")
    acme.edit(message, "y", None)
    acme.whisper(acme.channel("deploys"), "U0ADA", "psst")
    acme.delete(message)
    assert len(changes) == 4
    assert "(only for ada): psst" in acme.transcript()


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("a & b <c>", "a &amp; b &lt;c&gt;"),
        ("see https://x.io/a?b&c", "see <https://x.io/a?b&amp;c>"),
        ("acme.io and main.py", "<http://acme.io|acme.io> and main.py"),
        ("ask @grace in #general, not @nobody", "ask <@U0GRACE> in <#C0GENERAL|general>, not @nobody"),
        ("ada@acme.example", "<mailto:ada@acme.example|ada@acme.example>"),
        ("deploy acme/frontend fix/#1234-some-fix", "deploy acme/frontend fix/#1234-some-fix"),
        ("release/v2.0", "release/v2.0"),
    ],
)
def test_typed_text_is_marked_as_slacks_clients_do(acme: Workspace, typed: str, sent: str) -> None:
    assert typing_marks.marked(typed, acme) == sent


def test_typed_text_stands_in_a_rich_text_block_too(acme: Workspace) -> None:
    (block,) = typing_marks.rich_text("<@U0BOT> a &amp; <https://x.io|x>")
    runs: list[Json] = block["elements"][0]["elements"]
    assert [run["type"] for run in runs] == ["user", "text", "link"]
    assert runs[1]["text"] == " a & "
