"""What `why` says, where the stories do not come by."""

from typing import Any

import pytest

from bot.answers.people import PolicyDecision
from bot.policy import Elsewhere
from formatters.policy import why

SHIPS = Elsewhere(("release-managers",), ("C0SHIP", "C0OPS"))


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"elsewhere": (SHIPS,)}, "Who could: release-managers, from <#C0SHIP> or <#C0OPS>."),
        ({"could": ("members",), "elsewhere": (SHIPS,)}, "Who could: members; release-managers, from <#C0SHIP>"),
        ({}, "Nobody could."),
        (
            {"allowed": True, "typed": True},
            "You may deploy here, on some branches only after the branch is typed once more: “x”.",
        ),
        (
            {"allowed": True, "typed": True, "about": "a/b main"},
            "(a/b main) here, only after the branch is typed once more: “x”.",
        ),
    ],
)
def test_why_says_who_could_and_where(decision: dict[str, Any], words: str) -> None:
    answer = why(PolicyDecision(word="deploy", rule="x", **({"allowed": False} | decision)))
    assert words in str(answer.text) + str(answer.blocks)
