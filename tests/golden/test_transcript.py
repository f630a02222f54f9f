"""The recorder itself: what it shows of a message, and how it says that something reads differently."""

from typing import Any

import pytest

from tests.golden import records, transcript

NAMES = {"U0ADA": "ada"}
BUTTON: dict[str, Any] = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def test_each_part_stands_behind_its_kind() -> None:
    section = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "<@U0ADA> broke <https://x.example/1|#1>\nand more"},
        "fields": [plain("left"), plain("right")],
        "accessory": BUTTON | {"style": "danger"},
    }
    assert transcript.blocks([{"type": "header", "text": plain("Red")}, section], NAMES) == [
        "header        Red",
        "section       @ada broke #1 ↗",
        "              and more",
        "field         left",
        "field         right",
        "button        Stop (red)",
    ]


def test_a_button_shows_what_it_asks_and_where_it_leads() -> None:
    asks = {"title": plain("Stop?"), "text": plain("It ends."), "confirm": plain("Stop"), "deny": plain("Not now")}
    menu = {
        "type": "static_select",
        "action_id": "m",
        "placeholder": plain("Which?"),
        "options": [{"text": plain("a")}],
    }
    elements = [BUTTON | {"confirm": asks}, BUTTON | {"url": "https://x.example"}, menu]
    assert transcript.blocks([{"type": "actions", "elements": elements}], {}) == [
        "button        Stop",
        "  asks first  Stop? It ends.  [ Stop ]  [ Not now ]",
        "link button   Stop → https://x.example",
        "menu          [ Which? ▾ a ]",
    ]


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("→ http://127.0.0.1:43121/pipelines/gh/acme", "→ https://‹circleci›/pipelines/gh/acme"),
        ("context       Reference 7f3a2b", "context       Reference ‹reference›"),
        ("locked acme/frontend 12 s ago: hotfix", "locked acme/frontend ‹age› ago: hotfix"),
        ("locked acme/frontend 1 min 12 s ago.", "locked acme/frontend ‹age› ago."),
        ("Open until 2026-11-20 11:00. Nothing", "Open until ‹a date and a time›. Nothing"),
        ("              2026-11-20 11:00 · ada · `lock` · done", "              ‹when› · ada · `lock` · done"),
        ("    ✅ Done · 2026-11-20 11:00 · ada · `lock` · done", "    ✅ Done · ‹when› · ada · `lock` · done"),
        ("last 2026-11-20 07:00 in #1810", "last 2026-11-20 07:00 in #1810"),
        ("failed after 12 s", "failed after 12 s"),
    ],
)
def test_what_differs_from_run_to_run_is_hidden_and_nothing_else(text: str, tidied: str) -> None:
    assert transcript.tidied(text) == tidied


def test_a_changed_word_is_shown_as_a_difference_with_what_to_do() -> None:
    recorded = (records.FOLDER / "error-store.txt").read_text(encoding="utf-8")
    with pytest.raises(pytest.fail.Exception) as failure:
        records.compare({"error-store": recorded.replace("My memory", "My notebook")}, anew=False)
    said = str(failure.value)
    assert "--- error-store.txt, as recorded" in said
    assert "\n-notification  My memory (Redis)" in said
    assert "\n+notification  My notebook (Redis)" in said
    assert "make golden" in said
