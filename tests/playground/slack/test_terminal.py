"""How a message reads in a terminal."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from playground.slack import terminal

Json = dict[str, Any]
NAMES = {"U0ADA": "ada", "C0DEPLOYS": "deploys", "S0RELEASE": "release-team"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://acme.example/a?b=1&amp;c=2|the log>", "the log"),
        ("<https://acme.example/a?b=1&amp;c=2>", "https://acme.example/a?b=1&c=2"),
        ("<@U0ADA> in <#C0DEPLOYS>", "@ada in #deploys"),
        ("<@U0NOBODY|nobody>", "@nobody"),
        ("<!subteam^S0RELEASE> <!here>", "@release-team @here"),
        ("<!date^1795168800^{time}|10:00 UTC>", "10:00"),
        ("<!date^1795168800^{date_short} at {time}^https://acme.example|10:00 UTC>", "2026-11-20 at 10:00"),
        ("<!date^soon^{time}|10:00 UTC>", "10:00 UTC"),
        ("&lt;!channel&gt;", "<!channel>"),
        ("<mailto:ada@acme.example|ada@acme.example>", "ada@acme.example"),
    ],
)
def test_tokens_read_as_people_see_them(text: str, read: str) -> None:
    assert terminal.render({"text": text}, NAMES) == read


def test_a_terminal_shows_where_links_lead() -> None:
    linked = {"text": "<https://acme.example|the log> <https://acme.example>"}
    assert terminal.render(linked, show_links=True) == "the log (https://acme.example) https://acme.example"


def test_times_are_the_readers() -> None:
    zone = timezone(timedelta(hours=2))
    assert terminal.render({"text": "<!date^1795168800^{time}|x>"}, zone=zone) == "12:00"


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(label: str) -> Json:
    return {"type": "button", "action_id": label, "text": plain(label)}


ROOT: Json = {
    "text": "not shown",
    "blocks": [
        {"type": "header", "text": plain("Running &amp; well")},
        {"type": "section", "text": mrkdwn("for <@U0ADA>"), "fields": [mrkdwn("one"), plain("two")]},
        {"type": "section", "text": mrkdwn("pick"), "accessory": button("Go")},
        {"type": "context", "elements": [{"type": "image", "alt_text": "a cat"}, mrkdwn("small")]},
        {"type": "divider"},
        {
            "type": "actions",
            "elements": [button("Cancel #1"), button("Open"), {"type": "datepicker", "action_id": "d"}],
        },
        {"type": "image", "alt_text": "chart"},
        {"type": "carousel", "elements": []},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]]},
        {"type": "markdown", "text": "**bold**"},
    ],
}


def test_blocks_read_from_top_to_bottom() -> None:
    assert terminal.render(ROOT, NAMES).split("\n") == [
        "Running & well",
        "for @ada",
        "one",
        "two",
        "pick  [ Go ]",
        "[image: a cat] small",
        "---",
        "[ Cancel #1 ]  [ Open ]  [ datepicker ]",
        "[image: chart]",
        "[carousel]",
        "a | b",
        "**bold**",
    ]
    assert terminal.buttons(ROOT) == ["Go", "Cancel #1", "Open"]


def test_rich_text_reads_as_written() -> None:
    runs = [
        {"type": "text", "text": "<raw> "},
        {"type": "user", "user_id": "U0ADA"},
        {"type": "link", "url": "https://acme.example", "text": " log"},
        {"type": "emoji", "name": "eyes"},
        {"type": "broadcast", "range": "here"},
        {"type": "date", "timestamp": 1795168800, "format": "{time}", "fallback": "x"},
    ]
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "item"}]}
    block = {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": runs},
            {"type": "rich_text_list", "style": "bullet", "elements": [section, section]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "$ make"}]},
        ],
    }
    read = terminal.render({"blocks": [block]}, NAMES)
    assert read == "<raw> @ada log:eyes:@here10:00\n• item\n• item\n> said\n$ make"


def test_menus_and_fields_show_their_choices() -> None:
    options = [{"text": plain("main"), "value": "1"}, {"text": plain("dev"), "value": "2"}]
    menu = {"type": "static_select", "action_id": "m", "placeholder": plain("Branch"), "options": options}
    field = {"type": "input", "label": plain("Tag"), "element": {"type": "plain_text_input", "action_id": "t"}}
    read = terminal.render({"blocks": [{"type": "actions", "elements": [menu]}, field]})
    assert read == "[ Branch ▾ main / dev ]\nTag: [ plain_text_input ]"


def test_an_edit_shows_only_when_somebody_could_see_it() -> None:
    before = {"text": "x", "blocks": [{"type": "section", "block_id": "1", "text": mrkdwn("Running")}]}
    unseen = {"text": "y", "blocks": [{"type": "section", "block_id": "2", "text": mrkdwn("Running")}]}
    seen = {"text": "x", "blocks": [{"type": "section", "text": mrkdwn("Passed")}]}
    assert terminal.edited(before, unseen) is None
    assert terminal.edited(before, seen) == "Passed"


def test_an_element_is_found_by_what_a_person_or_a_program_calls_it() -> None:
    assert terminal.element(ROOT["blocks"], "Open")["action_id"] == "Open"
    with pytest.raises(LookupError, match="'Cancel #1', 'Open'"):
        terminal.element(ROOT["blocks"], "Rerun")
