"""Holds a final message against Slack's limits; the sender asks it, and every test."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from formatters.blocks import (
    MAX_BLOCKS,
    MAX_BUTTONS,
    MAX_LABEL,
    MAX_PAYLOAD,
    MAX_SECTION,
    MAX_TEXT,
    MAX_URL,
    MAX_VALUE,
    Block,
    Message,
)

_CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}


def violations(message: Message) -> list[str]:
    """Return what Slack would refuse in the message, in words; nothing for a good one."""
    return list(_all(message))


def _all(message: Message) -> Iterator[str]:
    if not 1 <= len(message.text) <= MAX_TEXT:
        yield f"text: {len(message.text)} characters"
    if len(message.blocks) > MAX_BLOCKS:
        yield f"blocks: {len(message.blocks)}"
    if (size := len(json.dumps(message.blocks, ensure_ascii=False))) > MAX_PAYLOAD:
        yield f"blocks: {size} characters"
    for action_id, times in Counter(_action_ids(message)).items():
        if times > 1:
            yield f"action_id {action_id}: {times} times"
    for number, block in enumerate(message.blocks):
        yield from (f"blocks/{number}: {problem}" for problem in _of_block(block))


def _of_block(block: Block) -> Iterator[str]:
    match block.get("type"):
        case "section":
            yield from _length("text", block.get("text", {}).get("text", ""), MAX_SECTION)
            if beside := block.get("accessory"):
                yield from _of_button(beside)
        case "context":
            elements = block.get("elements", [])
            if not 1 <= len(elements) <= 10:
                yield f"{len(elements)} elements"
            for element in elements:
                yield from _length("element", element.get("text", ""), MAX_SECTION)
        case "actions":
            elements = block.get("elements", [])
            if not 1 <= len(elements) <= MAX_BUTTONS:
                yield f"{len(elements)} buttons"
            for element in elements:
                yield from _of_button(element)
        case other:
            yield f"unknown type {other}"


def _of_button(button: dict[str, Any]) -> Iterator[str]:
    yield from _length("label", button["text"]["text"], MAX_LABEL)
    yield from _length("action_id", button["action_id"], 255)
    if "value" in button:
        yield from _length("value", button["value"], MAX_VALUE)
    if "url" in button:
        yield from _length("url", button["url"], MAX_URL)
    for name, limit in _CONFIRM.items():
        if "confirm" in button:
            yield from _length(f"confirm {name}", button["confirm"][name]["text"], limit)


def _length(name: str, text: str, limit: int) -> Iterator[str]:
    if not 1 <= len(text) <= limit:
        yield f"{name}: {len(text)} characters"


def _action_ids(message: Message) -> list[str]:
    buttons = (block["elements"] for block in message.blocks if block.get("type") == "actions")
    beside = [block["accessory"] for block in message.blocks if block.get("accessory")]
    return [element["action_id"] for elements in (*buttons, beside) for element in elements]
