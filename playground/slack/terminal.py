"""What a Slack message looks like to the eye, as plain text: pure functions over Slack's own JSON."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

Json = dict[str, Any]
NOBODY: Mapping[str, str] = {}

_TOKEN = re.compile(r"<([^<>\n]+)>")
_DATE_PART = re.compile(r"\{(\w+)\}")


def render(message: Json, names: Mapping[str, str] = NOBODY, *, zone: tzinfo = UTC, show_links: bool = False) -> str:
    """Return what a person reads: the blocks, or `text` where there are none; `names` maps ids to names."""
    page = _Page(names, zone, show_links=show_links)
    blocks = message.get("blocks") or []
    return "\n".join(page.block(block) for block in blocks) if blocks else page.mrkdwn(str(message.get("text") or ""))


def edited(before: Json, after: Json, names: Mapping[str, str] = NOBODY, *, zone: tzinfo = UTC) -> str | None:
    """Return what an edited message reads, or None when nobody could see the difference."""
    old, new = (render(message, names, zone=zone, show_links=True) for message in (before, after))
    return new if new != old else None


def buttons(message: Json) -> list[str]:
    """Return the labels of a message's buttons, in reading order."""
    return [_label(element) for element in elements(message.get("blocks") or []) if element.get("type") == "button"]


def elements(blocks: Iterable[Json]) -> list[Json]:
    """Return what can be pressed or filled in, in reading order; each with the `block_id` it stands in."""
    found = []
    for block in blocks:
        inside = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
        inside += [*(block.get("actions") or []), *elements(block.get("child_blocks") or [])]
        place = {"block_id": block.get("block_id", ""), "label": block.get("label")}
        found += [{**place, **one} for one in inside if isinstance(one, dict) and "action_id" in one]
    return found


def element(blocks: Iterable[Json], name: str) -> Json:
    """Return what a person means by its label, or its block_id or action_id, or by how the one label begins.

    Raises LookupError with what there is.
    """
    found = elements(blocks)
    for keys in (("label",), ("action_id", "block_id")):
        for one in found:
            if name in [_label(one) if key == "label" else one[key] for key in keys]:
                return one
    if len(begin := [one for one in found if _label(one).startswith(f"{name} ")]) == 1:
        return begin[0]
    raise LookupError(
        f"nothing here is called {name!r}; there are {[_label(one) or one['action_id'] for one in found]}"
    )


def _label(element: Json) -> str:
    text = element.get("label") or element.get("text") or element.get("placeholder") or {}
    return unescape(str(text.get("text") or element.get("alt_text") or ""))


def unescape(text: str) -> str:
    """Return `text` with Slack's three entities as the characters they stand for."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class _Page:
    """How one reader sees: whose names they know, in which time zone they live."""

    def __init__(self, names: Mapping[str, str], zone: tzinfo, *, show_links: bool) -> None:
        self._names = names
        self._zone = zone
        self._show_links = show_links
        self._blocks: dict[str, Callable[[Json], str]] = {
            "section": self._section,
            "context": lambda block: " ".join(map(self._piece, block.get("elements") or [])),
            "context_actions": lambda block: "  ".join(map(self._piece, block.get("elements") or [])),
            "actions": lambda block: "  ".join(map(self._piece, block.get("elements") or [])),
            "header": lambda block: self._text(block.get("text")),
            "divider": lambda _: "---",
            "image": self._piece,
            "markdown": lambda block: self.mrkdwn(str(block.get("text") or "")),
            "rich_text": self._rich_text,
            "input": lambda block: f"{self._text(block.get('label'))}: {self._piece(block.get('element') or {})}",
            "alert": lambda block: self._text(block.get("text")),
            "table": self._table,
        }

    def block(self, block: Json) -> str:
        """Return one block; one we have no picture of shows as its type."""
        kind = str(block.get("type") or "?")
        draw = self._blocks.get(kind)
        return draw(block) if draw else f"[{kind}]"

    def mrkdwn(self, text: str) -> str:
        """Return text with links, mentions, dates and entities as people see them."""
        return unescape(_TOKEN.sub(lambda token: self._token(token[1]), text))

    def _token(self, token: str) -> str:
        target, _, label = token.partition("|")
        mark, name = target[:1], self._names.get(target[1:].removeprefix("subteam^"))
        if mark == "@":
            return f"@{name or label or target[1:]}"
        if mark == "#":
            return f"#{name or label or target[1:]}"
        if target.startswith("!date^"):
            return self._date(target, label)
        if mark == "!":
            return f"@{name or label.removeprefix('@') or target[1:]}"
        address = target.removeprefix("mailto:")
        return f"{label} ({address})" if self._show_links and label not in ("", address) else label or address

    def _date(self, target: str, fallback: str) -> str:
        _, epoch, pattern, *_ = [*target.split("^"), ""]
        if not epoch.isdecimal():
            return fallback
        when = datetime.fromtimestamp(int(epoch), self._zone)
        parts = {"time": f"{when:%H:%M}", "time_secs": f"{when:%H:%M:%S}"}
        return _DATE_PART.sub(lambda part: parts.get(part[1], f"{when:%Y-%m-%d}"), pattern)

    def _text(self, text: object) -> str:
        if not isinstance(text, dict):
            return ""
        content = str(text.get("text") or "")
        return self.mrkdwn(content) if text.get("type") == "mrkdwn" else unescape(content)

    def _section(self, block: Json) -> str:
        lines = [self._text(text) for text in (block.get("text"), *(block.get("fields") or [])) if text]
        accessory = block.get("accessory")
        return "\n".join(lines) + (f"  {self._piece(accessory)}" if accessory else "")

    def _piece(self, element: Json) -> str:
        """Return what stands inside a block: text, an image, a button, a menu, a field."""
        kind = str(element.get("type") or "?")
        if kind in ("mrkdwn", "plain_text"):
            return self._text(element)
        if kind == "image":
            return f"[image: {element.get('alt_text') or ''}]"
        if kind == "button":
            return f"[ {_label(element)} ]"
        if "options" in element:
            choices = " / ".join(_label(option) for option in element["options"])
            return f"[ {_label(element) or '…'} ▾ {choices} ]"
        return f"[ {_label(element) or kind} ]"

    def _table(self, block: Json) -> str:
        return "\n".join(" | ".join(map(self._cell, row)) for row in block.get("rows") or [])

    def _cell(self, cell: Json) -> str:
        return (
            self._rich_text(cell)
            if cell.get("type") == "rich_text"
            else str(cell.get("text") or cell.get("value") or "")
        )

    def _rich_text(self, block: Json) -> str:
        return "\n".join(map(self._rich_part, block.get("elements") or []))

    def _rich_part(self, part: Json) -> str:
        kind, inside = part.get("type"), part.get("elements") or []
        if kind == "rich_text_list":
            return "\n".join(f"• {self._rich_part(item)}" for item in inside)
        content = "".join(map(self._run, inside))
        if kind == "rich_text_quote":
            return "\n".join(f"> {line}" for line in content.split("\n"))
        return content

    def _run(self, run: Json) -> str:
        kind = str(run.get("type") or "?")
        if kind == "link":
            return self._token(f"{run.get('url') or ''}|{run.get('text') or ''}")
        if kind == "date":
            return self._token(f"!date^{run.get('timestamp')}^{run.get('format') or ''}|{run.get('fallback') or ''}")
        who = {"user": "@", "channel": "#", "usergroup": "@"}.get(kind)
        if who:
            identity = str(run.get(f"{kind}_id") or "")
            return who + self._names.get(identity, identity)
        shown = {"emoji": f":{run.get('name')}:", "broadcast": f"@{run.get('range')}"}
        return shown.get(kind) or str(run.get("text") or "")
