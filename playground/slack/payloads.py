"""The bodies Slack sends, complete as documented: pure functions over the workspace.

https://docs.slack.dev/reference/interaction-payloads , https://docs.slack.dev/apis/events-api
"""

from typing import Any

from playground.slack.conversations import Channel, Json, Message, User
from playground.slack.modals import View
from playground.slack.workspace import Workspace

VERIFICATION_TOKEN = "pretend-verification-token"
_GRID = "ACME Grid"


def command(workspace: Workspace, user: User, channel: Channel, name: str, text: str) -> Json:
    """Return a slash command's form, but for its trigger and response_url; every value is text."""
    shown = {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": user.team_id,
        "team_domain": workspace.domain if user.team_id == workspace.team_id else "elsewhere",
        **({"enterprise_id": workspace.enterprise_id, "enterprise_name": _GRID} if workspace.enterprise_id else {}),
        "channel_id": channel.id,
        "channel_name": shown,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
    }


def event(workspace: Workspace, inner: Json, *, event_id: str) -> Json:
    """Return an event in its envelope."""
    owner = {"enterprise_id": workspace.enterprise_id, "team_id": workspace.team_id}
    channel_id = str(inner.get("channel") or "")
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "enterprise_id": workspace.enterprise_id,
        "context_team_id": workspace.team_id,
        "context_enterprise_id": workspace.enterprise_id,
        "api_app_id": workspace.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(workspace.now()),
        "authorizations": [{**owner, "user_id": workspace.bot_user_id, "is_bot": True, "is_enterprise_install": False}],
        "is_ext_shared_channel": _is_shared(workspace, channel_id),
        "event_context": f"4-{event_id}-{channel_id}",
    }


def said(workspace: Workspace, user: User, message: Message, kind: str) -> Json:
    """Return what a person said, as an `app_mention` or a `message`."""
    foreign = {"user_team": user.team_id, "source_team": user.team_id, "user_profile": user.profile}
    return {
        "type": kind,
        "user": user.id,
        "client_msg_id": f"pretend-{message.ts}",
        "text": message.text,
        "ts": message.ts,
        "team": workspace.team_id,
        "channel": message.channel.id,
        "event_ts": message.ts,
        "blocks": message.blocks,
        **({"channel_type": "im"} if kind == "message" else {}),
        **({"thread_ts": message.thread_ts, "parent_user_id": _root_user(message)} if message.thread_ts else {}),
        **(foreign if user.team_id != workspace.team_id else {}),
    }


def interaction(workspace: Workspace, user: User, kind: str, **more: Any) -> Json:
    """Return what all interactive payloads have in common."""
    enterprise = {"id": workspace.enterprise_id, "name": _GRID} if workspace.enterprise_id else None
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": workspace.app_id,
        "token": VERIFICATION_TOKEN,
        "team": {"id": workspace.team_id, "domain": workspace.domain},
        "enterprise": enterprise,
        "is_enterprise_install": False,
        **more,
    }


def on_message(message: Message) -> Json:
    """Return where a press happened; an ephemeral's payload does not carry the message."""
    channel = {"id": message.channel.id, "name": message.channel.name or "directmessage"}
    thread_ts = message.thread_ts or (message.ts if message.replies else None)
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel.id,
        "is_ephemeral": message.only_for is not None,
        **({"thread_ts": thread_ts} if thread_ts else {}),
    }
    whole = {} if message.only_for else {"message": message.as_json(with_metadata=True)}
    return {"container": container, "channel": channel, **whole}


def in_view(workspace: Workspace, view: View, values: Json) -> Json:
    """Return where a press in a modal or home tab happened."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view.as_json(workspace, values)}


def chosen(element: Json, choices: tuple[Any, ...]) -> Json:
    """Return the part of an action or of `state.values` that says what a person chose or typed."""
    kind = str(element["type"])
    first = choices[0] if choices else None
    if kind == "button":
        return {name: element[name] for name in ("text", "value", "style", "url", "confirm") if name in element}
    if kind in ("static_select", "external_select", "overflow", "radio_buttons"):
        return {"selected_option": option(element, first) if choices else None}
    if kind in ("multi_static_select", "multi_external_select", "checkboxes"):
        return {"selected_options": [option(element, choice) for choice in choices]}
    if kind.endswith("_input"):
        return {"value": first}
    noun = kind.removeprefix("multi_").removesuffix("_select").removesuffix("picker")
    if kind.startswith("multi_"):
        return {f"selected_{noun}": list(choices)}
    singular = {"users": "user", "channels": "channel", "conversations": "conversation", "datetime": "date_time"}
    return {f"selected_{singular.get(noun, noun)}": first}


def untouched(element: Json) -> Json:
    """Return a field's part of `state.values` when nobody touched it."""
    kind = str(element["type"])
    initial = {name.removeprefix("initial_"): value for name, value in element.items() if name.startswith("initial_")}
    if "value" in initial or kind.endswith("_input"):
        return {"type": kind, "value": initial.get("value")}
    if "option" in initial or "options" in initial:
        return {"type": kind, **{f"selected_{name}": value for name, value in initial.items()}}
    blank = chosen(element, ())
    given = list(initial.values())
    return {"type": kind, **(dict.fromkeys(blank, given[0]) if given else blank)}


def option(element: Json, choice: Any) -> Json:
    """Return the option a person means by its label or value."""
    if isinstance(choice, dict):
        return choice
    groups = element.get("option_groups") or []
    options = [*(element.get("options") or []), *(one for group in groups for one in group["options"])]
    for one in options:
        if choice in (one["text"]["text"], one.get("value")):
            return dict(one)
    raise LookupError(f"no option {choice!r}; there are {[one['text']['text'] for one in options]}")


def _is_shared(workspace: Workspace, channel_id: str) -> bool:
    channel = workspace.channels.get(channel_id)
    members = channel.members if channel else []
    return any(workspace.users[member].team_id != workspace.team_id for member in members)


def _root_user(message: Message) -> str | None:
    root = message.channel.find(message.thread_ts or "")
    return root.user if root else None
