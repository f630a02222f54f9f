"""The checker itself finds what is wrong, and each known defect is a real one."""

from typing import Any

import pytest

from playground.faults import SeenRequest
from tests.contracts.openapi import problems

GREEN = {"id": "0f6d1c1e-7c9b-4b0f-9a55-6f4a2c1d9e10", "number": 2417, "state": "pending"}
TRIGGER = "/api/v2/project/gh/acme/frontend/pipeline"


def seen(method: str, path: str, body: Any = None, status: int = 200, answer: Any = None) -> SeenRequest:
    return SeenRequest(method, path, {}, body, status, answer)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (seen("GET", "/api/v2/projekt/gh/acme/frontend"), "no such path"),
        (seen("GET", f"{TRIGGER}?brunch=main"), "undeclared parameter brunch"),
        (seen("POST", TRIGGER, {"branch": 7}), "7 is not of type 'string'"),
        (seen("POST", TRIGGER, {"branch": "main"}, 201, GREEN), "'created_at' is a required property"),
        (seen("POST", "/api/v2/workflow/w1/rerun", {"from_failed": "yes"}), "is not of type 'boolean'"),
        (seen("GET", "/api/v1.1/user/heroku"), "no such path"),
    ],
)
def test_what_is_wrong_is_found(one: SeenRequest, words: str) -> None:
    assert any(words in problem for problem in problems(one))


def test_what_is_right_passes() -> None:
    answer = {**GREEN, "created_at": "2026-11-20T10:00:00Z"}
    assert problems(seen("POST", TRIGGER, {"branch": "release/v2.0", "parameters": {"n": 3}}, 201, answer)) == []
