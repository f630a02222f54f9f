"""How Slack's clients rewrite what a person types: entities, links, mentions."""

import re

from playground.slack.conversations import Json
from playground.slack.workspace import Workspace

# A bare domain is linked too, but only with an ending the client knows; `frontend.py` is left alone.
_LINK = re.compile(
    r"https?://[^\s<>\"“”]+"
    r"|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w./@-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|app)\b(?:/[^\s<>\"“”]*)?"
)
_NAME = re.compile(r"(?<![\w/])([@#])([\w-]+)")
_TOKEN = re.compile(r"<@(\w+)>|<#(\w+)(?:\|[^<>]*)?>|<((?:https?:|mailto:)[^<|>]*)(?:\|([^<>]*))?>")


def escaped(text: str) -> str:
    """Return typed text with the three characters Slack sends as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def marked(text: str, workspace: Workspace) -> str:
    """Return typed text as a message carries it: links in `<…>`, known people and channels by id."""
    pieces, end = [], 0
    for link in _LINK.finditer(text):
        pieces += [_named(escaped(text[end : link.start()]), workspace), _linked(link[0])]
        end = link.end()
    return "".join([*pieces, _named(escaped(text[end:]), workspace)])


def rich_text(text: str) -> list[Json]:
    """Return the block that stands beside a typed message's text."""
    runs: list[Json] = []
    end = 0
    for token in _TOKEN.finditer(text):
        runs += [_plain(text[end : token.start()]), _run(token)]
        end = token.end()
    runs = [run for run in [*runs, _plain(text[end:])] if run.get("text") != ""]
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": runs}]}]


def _linked(typed: str) -> str:
    address = escaped(typed)
    if typed.startswith("http"):
        return f"<{address}>"
    return f"<mailto:{address}|{address}>" if "@" in typed else f"<http://{address}|{address}>"


def _named(text: str, workspace: Workspace) -> str:
    people = {user.name: f"<@{user.id}>" for user in workspace.users.values()}
    channels = {channel.name: f"<#{channel.id}|{channel.name}>" for channel in workspace.channels.values()}
    known = {"@": people, "#": channels}
    return _NAME.sub(lambda name: known[name[1]].get(name[2], name[0]), text)


def _plain(text: str) -> Json:
    return {"type": "text", "text": text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")}


def _run(token: re.Match[str]) -> Json:
    user_id, channel_id, url, label = token.groups()
    if user_id:
        return {"type": "user", "user_id": user_id}
    if channel_id:
        return {"type": "channel", "channel_id": channel_id}
    return {"type": "link", "url": url, **({"text": label} if label else {})}
