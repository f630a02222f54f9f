"""What the tests of agents share: all commands, and the list of tools as it goes over the wire."""

import json
from collections.abc import Iterable
from typing import Any

from bot.agents.shapes import Shape
from bot.routing import Router
from commands import register

ROUTER = register(Router())


def as_listed(shape: Shape) -> dict[str, Any]:
    """Return a tool as a client reads it."""
    hints = shape.hints
    return {
        "name": shape.name,
        "description": shape.description,
        "inputSchema": shape.input_schema,
        "annotations": {
            "readOnlyHint": hints.read_only,
            "destructiveHint": hints.destructive,
            "idempotentHint": hints.idempotent,
            "openWorldHint": hints.open_world,
        },
    }


def listed(shapes: Iterable[Shape]) -> str:
    """Return the answer to `tools/list`."""
    return as_json({"tools": [as_listed(one) for one in shapes]})


def as_json(data: object) -> str:
    """Return data as short as it is sent."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
