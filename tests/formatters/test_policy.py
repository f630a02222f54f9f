"""What `why` says, where the stories do not come by."""

from typing import Any

import pytest

from bot.answers.people import PolicyDecision
from bot.policy import Elsewhere
from formatters.policy import why
from formatters.told import lists as told

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


@pytest.mark.parametrize(
    ("decision", "note"),
    [
        ({"alone": True}, "A rule lets you do this without a person's press."),
        ({"alone": True, "second_person": True}, "What an agent asks for waits for a person in Slack."),
        ({}, "What an agent asks for waits for a person in Slack."),
        ({"about": ""}, "What an agent asks for waits for a person in Slack, unless a rule lets it act alone."),
        ({"allowed": False}, None),
    ],
)
def test_an_agent_is_told_whether_a_person_has_to_press(decision: dict[str, Any], note: str | None) -> None:
    whole = {"word": "deploy", "about": "acme/web main", "rule": "x", "allowed": True} | decision
    assert told.policy(PolicyDecision.model_validate(whole)).get("note") == note
