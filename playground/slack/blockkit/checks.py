"""Holds raw blocks and views against Slack's limits, as Slack does; it knows nothing of our formatters.

https://docs.slack.dev/reference/block-kit/blocks
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from playground.slack import terminal
from playground.slack.blockkit.elements import (
    IN_ACCESSORY,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    URL,
    plain,
    text,
)
from playground.slack.blockkit.rules import (
    Complaint,
    Rule,
    anything,
    boolean,
    both,
    either,
    items,
    kinds,
    one_of,
    shape,
    string,
)

# `msg_blocks_too_long` was seen at about 13,200 characters (slackapi/bolt-js#2509); nobody has published the limit.
MOST_CHARACTERS = 12_000
MOST_VIEW_CHARACTERS = 250_000
_MOST_CELL_CHARACTERS = 10_000


def _block(required: dict[str, Rule] | None = None, optional: dict[str, Rule] | None = None) -> Rule:
    return shape({"type": anything} | (required or {}), {"block_id": string(255)} | (optional or {}))


_SECTION = both(
    _block({}, {"text": text(3000), "fields": items(text(2000), 10), "accessory": IN_ACCESSORY, "expand": boolean}),
    either("text", "fields"),
)
_IMAGE = both(
    _block({"alt_text": string(2000)}, {"image_url": URL, "slack_file": anything, "title": plain(2000)}),
    either("image_url", "slack_file"),
)
_INPUT = _block(
    {"label": plain(2000), "element": IN_INPUT}, {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean}
)
_RICH_TEXT = _block(
    {
        "elements": items(
            kinds(
                {
                    kind: shape({"type": anything, "elements": items(anything, 10_000, least=0)}, more)
                    for kind, more in {
                        "rich_text_section": {},
                        "rich_text_list": {
                            "style": anything,
                            "indent": anything,
                            "offset": anything,
                            "border": anything,
                        },
                        "rich_text_preformatted": {"border": anything, "language": anything},
                        "rich_text_quote": {"border": anything},
                    }.items()
                }
            ),
            10_000,
        )
    }
)
_CELL = kinds(
    {
        "raw_text": shape({"type": anything, "text": string(_MOST_CELL_CHARACTERS)}),
        "raw_number": shape({"type": anything, "value": anything}, {"text": anything}),
        "rich_text": _RICH_TEXT,
    }
)
_TABLE = _block({"rows": items(items(_CELL, 20), 100)}, {"column_settings": items(anything, 20, least=0)})
_EVERYWHERE: dict[str, Rule] = {
    "section": _SECTION,
    "divider": _block(),
    "header": _block({"text": plain(150)}),
    "context": _block({"elements": items(IN_CONTEXT, 10)}),
    "actions": _block({"elements": items(IN_ACTIONS, 25)}),
    "image": _IMAGE,
    "input": _INPUT,
    "rich_text": _RICH_TEXT,
    "video": _block(
        {"alt_text": string(2000), "title": plain(200), "thumbnail_url": URL, "video_url": URL},
        {
            "author_name": string(50),
            "description": plain(200),
            "provider_name": anything,
            "provider_icon_url": URL,
            "title_url": URL,
        },
    ),
}
_TASK = {"task_id": string(255), "title": string(3000)}
_TASK_MORE: dict[str, Rule] = {
    "status": one_of("pending", "in_progress", "complete", "error"),
    "details": anything,
    "output": anything,
    "sources": anything,
}
_IN_MESSAGES: dict[str, Rule] = _EVERYWHERE | {
    "markdown": _block({"text": string(12_000)}),
    "table": _TABLE,
    "file": anything,
    "task_card": _block(_TASK, _TASK_MORE),
    "plan": _block({"title": anything}, {"tasks": anything}),
    "context_actions": _block({"elements": items(anything, 5)}),
    "card": anything,
    "carousel": _block({"elements": items(anything, 10)}),
    "container": anything,
    "data_table": anything,
    "data_visualization": anything,
}
_LEVELS = one_of("default", "info", "warning", "error", "success")
_SURFACES: dict[str, dict[str, Rule]] = {
    "message": _IN_MESSAGES,
    "modal": _EVERYWHERE | {"alert": _block({"text": text(200)}, {"level": _LEVELS})},
    "home": _EVERYWHERE,
}
_VIEW = {"type": anything, "blocks": anything}
_VIEW_MORE = {
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255),
}
_MODAL: dict[str, Rule] = {"clear_on_close": boolean, "notify_on_close": boolean, "submit_disabled": boolean}
_VIEWS = {
    "modal": shape(_VIEW | {"title": plain(24)}, _VIEW_MORE | _MODAL | {"submit": plain(24), "close": plain(24)}),
    "home": shape(_VIEW, _VIEW_MORE),
}


def check_blocks(blocks: object, surface: str = "message", pointer: str = "/blocks") -> list[Complaint]:
    """Return what Slack would refuse in the blocks of a message, a modal or a home tab."""
    most, least = (50, 0) if surface == "message" else (100, 1)
    complaints = list(items(kinds(_SURFACES[surface]), most, least)(blocks, pointer))
    if isinstance(blocks, list) and not complaints:
        complaints += [*_twins(blocks, pointer), *_sums(blocks, pointer)]
    return complaints


def check_view(view: object, pointer: str = "/view") -> list[Complaint]:
    """Return what Slack would refuse in a modal or a home tab."""
    complaints = list(kinds(_VIEWS)(view, pointer))
    if not isinstance(view, dict) or view.get("type") not in _VIEWS:
        return complaints
    complaints += check_blocks(view.get("blocks"), str(view["type"]), f"{pointer}/blocks")
    asks = any(isinstance(block, dict) and block.get("type") == "input" for block in view.get("blocks") or [])
    if asks and view["type"] == "modal" and "submit" not in view:
        complaints.append(Complaint("missing required field: submit", pointer))
    return complaints


def too_long(blocks: object) -> bool:
    """Say whether a message's blocks are too much together, which has an error of its own."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > MOST_CHARACTERS


def _twins(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Complaint]:
    """Find ids that name two things in one message."""
    ids = {
        "block_id": [block["block_id"] for block in blocks if block.get("block_id")],
        "action_id": [element["action_id"] for element in terminal.elements(blocks)],
    }
    for name, values in ids.items():
        for value, times in Counter(values).items():
            if times > 1:
                yield Complaint(f"{name} must be unique: {value} stands {times} times", pointer)


def _sums(blocks: list[dict[str, Any]], pointer: str) -> Iterator[Complaint]:
    """Add up the limits that hold for all blocks of a kind together."""
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    tables = [block for block in blocks if block["type"] == "table"]
    cells = sum(len(str(cell.get("text") or "")) for table in tables for row in table["rows"] for cell in row)
    if markdown > 12_000:
        yield Complaint("markdown blocks must be less than 12001 characters together", pointer)
    if len(tables) > 1:
        yield Complaint("only one table allowed", pointer)
    if cells > _MOST_CELL_CHARACTERS:
        yield Complaint(f"table cells must be less than {_MOST_CELL_CHARACTERS + 1} characters together", pointer)
