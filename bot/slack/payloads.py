"""Slack's bodies, decoded once: a command, an event or a press becomes an Invocation or a Click. Pure.

https://docs.slack.dev/interactivity/implementing-slash-commands , https://docs.slack.dev/reference/events/app_mention ,
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload ,
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.actions import OpenLink
from bot.models.caller import Caller, Place
from bot.models.slack import GREETING, Click, Invocation
from bot.slack.secrecy import without_token

# What somebody quotes or shows is not said by them: the rest behind `>>>`, a line behind `>`, code.
_SHOWN = re.compile(r"(?m)^&gt;&gt;&gt;(?s:.*)|^&gt;[^\n]*|```(?s:.*?)```|`[^`\n]*`")
_LINK = re.compile(r"<((?:https?://|mailto:)[^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True)
class Submission:
    """A window that was sent, with what was `filled` into it, by the block's id; it is in no queue and no record."""

    view_id: str
    callback_id: str
    person_id: str
    name: str
    team_id: str
    filled: Mapping[str, str] = field(repr=False)

    def by(self, place: Place | None) -> Caller:
        """Return who sent it, as somebody who speaks where the window was opened."""
        return Caller(
            person_id=self.person_id, name=self.name, team_id=self.team_id, place=place, delivery_id=self.view_id
        )


def typed(text: str) -> str:
    """Return what a person typed: Slack wraps links in `<…>` and sends `&`, `<` and `>` as entities.

    A bare `<` can only be Slack's own, so nothing a person typed is lost.
    """
    unwrapped = _LINK.sub(lambda match: _typed_link(match[1], match[2]), text)
    return unwrapped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _typed_link(url: str, label: str | None) -> str:
    # `acme.io` becomes `<http://acme.io|acme.io>`: the label is what was typed. Any other hides where it leads.
    return label if label and url in (f"http://{label}", f"https://{label}", f"mailto:{label}") else url


def from_command(body: Mapping[str, Any]) -> Invocation:
    """Return a slash command; its `trigger_id` names the delivery."""
    return Invocation(
        id=str(body["trigger_id"]),
        kind="command",
        text=without_token(typed(str(body.get("text") or ""))),
        user_id=str(body["user_id"]),
        user_name=str(body.get("user_name") or ""),
        team_id=str(body.get("team_id") or ""),
        channel_id=str(body["channel_id"]),
        command=str(body.get("command") or "/ci"),
        response_url=str(body["response_url"]) if body.get("response_url") else None,
        trigger_id=str(body["trigger_id"]),
    )


def from_event(body: Mapping[str, Any], *, bot_user_id: str) -> Invocation | None:
    """Return a mention, a direct message or their opening; None for what no person said to us.

    A mention in what somebody quotes, shows as code or shares is not said to us; one behind other words is an aside.
    """
    event = body.get("event") or {}
    if event.get("type") == "app_home_opened":
        return _from_opening(body, event)
    if event.get("bot_id") or event.get("subtype") or not event.get("user"):
        return None
    is_mention = event.get("type") == "app_mention"
    if not is_mention and event.get("channel_type") != "im":
        return None
    ts, text = str(event["ts"]), str(event.get("text") or "")
    in_channel = event.get("channel_type") != "im"
    found = _mentioned(text, bot_user_id)
    if found is None and (is_mention or not text):
        return None
    is_aside = found is not None and not found.is_addressed
    # What is sent to us alone is said to us from its first word.
    said = found.behind if found and (is_mention or found.is_addressed) else text
    return Invocation(
        # An edited message is told again, under another event id: what was said once is one thing.
        id=f"{event['channel']}:{ts}",
        kind="mention" if is_mention else "message",
        text=without_token(typed(said)),
        user_id=str(event["user"]),
        # In a shared channel `team_id` is the workspace that was told, `user_team` the one the person belongs to.
        team_id=str(event.get("user_team") or event.get("team") or body.get("team_id") or ""),
        channel_id=str(event["channel"]),
        command="@ci",
        message_ts=ts,
        thread_ts=str(event["thread_ts"]) if event.get("thread_ts") else (ts if in_channel else None),
        edited_after=_edited_after(event),
        is_aside=is_mention and is_aside,
    )


def _edited_after(event: Mapping[str, Any]) -> float | None:
    """Return how many seconds after it was said a message was edited; None for one that was not."""
    edited = event.get("edited")
    return max(float(edited["ts"]) - float(event["ts"]), 0) if edited else None


def _from_opening(body: Mapping[str, Any], event: Mapping[str, Any]) -> Invocation | None:
    """Return the opening of our direct messages as a greeting nobody typed; None for the other tabs.

    https://docs.slack.dev/reference/events/app_home_opened
    """
    if event.get("tab") != "messages":
        return None
    return Invocation(
        id=str(body.get("event_id") or f"{event['channel']}:{event.get('event_ts')}"),
        kind="opened",
        text=GREETING,
        user_id=str(event["user"]),
        team_id=str(body.get("team_id") or ""),
        channel_id=str(event["channel"]),
    )


class _Mention(NamedTuple):
    """The first mention of the bot: what is `behind` it, and whether the line begins by it."""

    behind: str
    is_addressed: bool


def _mentioned(text: str, bot_user_id: str) -> _Mention | None:
    """Return the first mention of the bot that is neither quoted nor shown; None where there is none."""
    said, mention = _SHOWN.sub(_blank, text), f"<@{bot_user_id}"
    at = said.find(mention)
    while at >= 0:
        behind = at + len(mention)
        if said[behind : behind + 1] in (">", "|"):
            return _Mention(text[behind:].partition(">")[2].strip(), all(map(_addresses, said[:at].split())))
        at = said.find(mention, behind)
    return None


def _blank(shown: re.Match[str]) -> str:
    # Code stays a word among those around it; a quote is apart from what is said below it.
    return ("`" if shown[0][:1] == "`" else " ") * len(shown[0])


def _addresses(word: str) -> bool:
    """Say whether a word before our mention only says whom it is for: another mention, or a slash word."""
    return (word.startswith("<@") and word.endswith(">")) or (word[:1] == "/" and word[1:].isalnum())


def from_action(body: Mapping[str, Any]) -> Click | None:
    """Return a press on a button in a message; None for anything else interactive.

    A button with an address is reported as well, though the browser has opened it: it asks nothing of us.
    """
    actions, container = body.get("actions") or [], body.get("container") or {}
    message_ts = container.get("message_ts")
    if not actions or not message_ts or _is_link(actions[0]):
        return None
    action, user = actions[0], body.get("user") or {}
    message = body.get("message") or {}
    thread_ts = container.get("thread_ts") or message.get("thread_ts")
    return Click(
        id=f"{user.get('id')}:{message_ts}:{action.get('action_id')}:{action.get('action_ts')}",
        action_id=str(action.get("action_id") or ""),
        value=str(action.get("value") or ""),
        user_id=str(user.get("id") or ""),
        user_name=str(user.get("username") or user.get("name") or ""),
        team_id=str(user.get("team_id") or (body.get("team") or {}).get("id") or ""),
        channel_id=str(container.get("channel_id") or (body.get("channel") or {}).get("id") or ""),
        message_ts=str(message_ts),
        thread_ts=str(thread_ts) if thread_ts else None,
        response_url=str(body["response_url"]) if body.get("response_url") else None,
        trigger_id=str(body["trigger_id"]) if body.get("trigger_id") else None,
    )


def _is_link(action: Mapping[str, Any]) -> bool:
    return str(action.get("action_id") or "").partition(":")[0] == OpenLink.action_id


def from_submission(body: Mapping[str, Any]) -> Submission:
    """Return a window that was sent."""
    user, view = body.get("user") or {}, body["view"]
    values = (view.get("state") or {}).get("values") or {}
    return Submission(
        view_id=str(view["id"]),
        callback_id=str(view.get("callback_id") or ""),
        person_id=str(user.get("id") or ""),
        name=str(user.get("username") or user.get("name") or ""),
        team_id=str(user.get("team_id") or (body.get("team") or {}).get("id") or ""),
        filled={block: _filled(next(iter(fields.values()))) for block, fields in values.items() if fields},
    )


def _filled(state: Mapping[str, Any]) -> str:
    """Return what was typed into a field, or the value of what was chosen in it."""
    return str(state.get("value") or (state.get("selected_option") or {}).get("value") or "")
