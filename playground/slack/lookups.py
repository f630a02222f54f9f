"""The Web API's methods that ask about the workspace, and those for modals."""

from playground.slack.conversations import Json, Message
from playground.slack.methods import Call, method
from playground.slack.modals import View
from playground.slack.workspace import Refused


@method("auth.test")
def _auth(call: Call) -> Json:
    workspace = call.workspace
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.domain,
        "user": workspace.users[workspace.bot_user_id].name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


@method("bots.info")
def _bot(call: Call) -> Json:
    workspace = call.workspace
    if call.get("bot") not in ("", workspace.bot_id):
        raise Refused("bot_not_found")
    name = workspace.users[workspace.bot_user_id].name
    identity = {"id": workspace.bot_id, "app_id": workspace.app_id, "user_id": workspace.bot_user_id}
    return {"bot": {**identity, "name": name, "deleted": False}}


@method("team.info")
def _team(call: Call) -> Json:
    workspace = call.workspace
    return {"team": {"id": workspace.team_id, "name": workspace.domain.upper(), "domain": workspace.domain}}


@method("conversations.open")
def _open(call: Call) -> Json:
    users = [user for user in call.need("users").split(",") if user]
    if len(users) != 1 or users[0] not in call.workspace.users:
        raise Refused("user_not_found" if len(users) == 1 else "invalid_arguments")
    return {"channel": {"id": call.workspace.open_im(users[0]).id}}


@method("conversations.info")
def _info(call: Call) -> Json:
    channel = call.visible()
    return {"channel": channel.as_json() | {"is_member": call.workspace.bot_user_id in channel.members}}


@method("conversations.members")
def _members(call: Call) -> Json:
    return {"members": list(call.visible().members), **_last_page()}


@method("conversations.replies")
def _replies(call: Call) -> Json:
    channel, root_ts = call.joined(), call.need("ts")
    root = channel.find(root_ts)
    if root is None:
        raise Refused("thread_not_found")
    return {"messages": _as_json(call, [root, *root.replies]), "has_more": False, **_last_page()}


@method("conversations.history")
def _history(call: Call) -> Json:
    oldest, latest = call.get("oldest") or "0", call.get("latest") or "9"
    found = [message for message in call.joined().in_sight if oldest <= message.ts <= latest]
    begin = int(call.get("cursor") or 0)
    end = begin + int(call.get("limit") or 100)
    after = str(end) if end < len(found) else ""
    page = _as_json(call, found[::-1][begin:end])
    return {"messages": page, "has_more": bool(after), "response_metadata": {"next_cursor": after}}


@method("users.info")
def _user(call: Call) -> Json:
    user = call.workspace.users.get(call.need("user"))
    if user is None:
        raise Refused("user_not_found")
    # Of those who share a channel with the app, Slack says that they are none: `team_id` tells.
    shared = any(user.id in channel.members for channel in call.workspace.channels_of(call.workspace.bot_user_id))
    return {"user": user.as_json() | {"is_stranger": user.team_id != call.workspace.team_id and not shared}}


@method("users.lookupByEmail")
def _user_by_mail(call: Call) -> Json:
    mail = call.need("email").casefold()
    for user in call.workspace.users.values():
        if user.profile.get("email", "").casefold() == mail:
            return {"user": user.as_json()}
    raise Refused("users_not_found")


@method("users.list")
def _users(call: Call) -> Json:
    own = [user for user in call.workspace.users.values() if user.team_id == call.workspace.team_id]
    return {"members": [user.as_json() for user in own[: int(call.get("limit") or 1000)]], **_last_page()}


@method("users.conversations")
def _conversations(call: Call) -> Json:
    kinds = {"public_channel": "public", "private_channel": "private", "im": "im"}
    wanted = {kinds.get(kind.strip()) for kind in (call.get("types") or "public_channel").split(",")}
    ours = call.workspace.bot_user_id
    channels = call.workspace.channels_of(call.get("user") or ours)
    # Of somebody's private channels Slack shows those that the bot is in too.
    shown = (one for one in channels if one.kind in wanted and (one.kind == "public" or ours in one.members))
    return {"channels": [channel.as_json() for channel in shown], **_last_page()}


@method("usergroups.list")
def _groups(call: Call) -> Json:
    with_users = call.flag("include_users")
    return {
        "usergroups": [
            {"id": group.id, "handle": group.handle, "name": group.handle}
            | ({"users": list(group.users)} if with_users else {})
            for group in call.workspace.usergroups.values()
        ]
    }


@method("usergroups.users.list")
def _group_users(call: Call) -> Json:
    group = call.workspace.usergroups.get(call.need("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.users)}


@method("views.open")
def _open_view(call: Call) -> Json:
    return _shown(call, call.modals.open(call.need("trigger_id"), _view(call)))


@method("views.push")
def _push_view(call: Call) -> Json:
    return _shown(call, call.modals.push(call.need("trigger_id"), _view(call)))


@method("views.update")
def _update_view(call: Call) -> Json:
    names = {name: call.get(name) for name in ("view_id", "external_id", "hash")}
    return _shown(call, call.modals.update(_view(call), **names))


@method("views.publish")
def _publish_view(call: Call) -> Json:
    return _shown(call, call.modals.publish(call.need("user_id"), _view(call), call.get("hash")))


def _view(call: Call) -> Json:
    view: Json | None = call.arguments.get("view")
    if view is None:
        raise Refused("invalid_arguments", ["[ERROR] missing required field: view"])
    return view


def _shown(call: Call, view: View) -> Json:
    return {"view": view.as_json(call.workspace)}


def _as_json(call: Call, messages: list[Message]) -> list[Json]:
    with_metadata = call.flag("include_all_metadata")
    return [message.as_json(with_metadata=with_metadata) for message in messages]


def _last_page() -> Json:
    return {"response_metadata": {"next_cursor": ""}}
