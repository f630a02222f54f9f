"""Slack's limits over raw JSON, each at its edge."""

from typing import Any

import pytest

from playground.slack.blockkit.checks import check_blocks, check_view, too_long

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def row(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **more}


def option(text: str = "x", **more: Any) -> Json:
    return {"text": plain(text), "value": "v", **more}


def menu(kind: str = "static_select", **more: Any) -> Json:
    return {"type": kind, "action_id": "m", "options": [option()], **more}


def field(**more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": "f", **more}
    return {"type": "input", "label": plain("Branch"), "element": element}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Deploy"), "blocks": list(blocks) or [section()], **more}


CONFIRM = {"title": plain("Sure?"), "text": plain("x"), "confirm": plain("Yes"), "deny": plain("No")}
GOOD = [
    section("x" * 3000),
    section("&lt;" * 750),
    {"type": "section", "fields": [mrkdwn("x" * 2000)] * 10},
    section(accessory=menu("overflow")),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "context", "elements": [mrkdwn("x" * 3000), {"type": "image", "image_url": "https://x", "alt_text": "x"}]},
    row(*(button(action_id=str(number)) for number in range(25))),
    row(button(text=plain("x" * 75), value="x" * 2000, url="https://" + "x" * 2992, style="danger", confirm=CONFIRM)),
    row(menu(placeholder=plain("x" * 150), options=[option()] * 100)),
    row({"type": "users_select", "action_id": "u"}, {"type": "conversations_select", "action_id": "c"}),
    {"type": "divider", "block_id": "x" * 255},
    {"type": "markdown", "text": "x" * 12_000},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 20] * 100},
    {"type": "task_card", "task_id": "1", "title": "x", "status": "in_progress"},
]
BAD = [
    (section(""), "must be more than 0 characters", "/blocks/0/text/text"),
    (section("x" * 3001), "must be less than 3001 characters", "/blocks/0/text/text"),
    (section("&lt;" * 751), "must be less than 3001 characters", "/blocks/0/text/text"),
    ({"type": "section"}, "missing required field: text or fields", "/blocks/0"),
    (
        {"type": "section", "fields": [mrkdwn("x" * 2001)]},
        "must be less than 2001 characters",
        "/blocks/0/fields/0/text",
    ),
    ({"type": "section", "fields": [mrkdwn("x")] * 11}, "no more than 10 items allowed", "/blocks/0/fields"),
    ({"type": "header", "text": mrkdwn("x")}, "unsupported type: mrkdwn", "/blocks/0/text/type"),
    ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters", "/blocks/0/text/text"),
    ({"type": "context", "elements": [mrkdwn("x")] * 11}, "no more than 10 items allowed", "/blocks/0/elements"),
    ({"type": "context", "elements": [button()]}, "unsupported type: button", "/blocks/0/elements/0/type"),
    (row(), "no fewer than 1 items allowed", "/blocks/0/elements"),
    (row(*[button()] * 26), "no more than 25 items allowed", "/blocks/0/elements"),
    (row(button(text=plain("x" * 76))), "must be less than 76 characters", "/blocks/0/elements/0/text/text"),
    (row(button(value="x" * 2001)), "must be less than 2001 characters", "/blocks/0/elements/0/value"),
    (row(button(url="x" * 3001)), "must be less than 3001 characters", "/blocks/0/elements/0/url"),
    (row(button(url="acme.example")), "must provide a valid URL", "/blocks/0/elements/0/url"),
    (row(button(action_id="x" * 256)), "must be less than 256 characters", "/blocks/0/elements/0/action_id"),
    (row(button(style="default")), "must be one of: primary, danger", "/blocks/0/elements/0/style"),
    (
        row(button(confirm=CONFIRM | {"deny": plain("x" * 31)})),
        "must be less than 31 characters",
        "/blocks/0/elements/0/confirm/deny/text",
    ),
    (
        row(menu("overflow", options=[option()] * 6)),
        "no more than 5 items allowed",
        "/blocks/0/elements/0/options",
    ),
    (
        row(menu("checkboxes", options=[option()] * 11)),
        "no more than 10 items allowed",
        "/blocks/0/elements/0/options",
    ),
    (
        row(menu(options=[option("x" * 76)])),
        "must be less than 76 characters",
        "/blocks/0/elements/0/options/0/text/text",
    ),
    (
        row({"type": "static_select", "action_id": "m"}),
        "missing required field: options or option_groups",
        "/blocks/0/elements/0",
    ),
    ({"type": "image", "alt_text": "x"}, "missing required field: image_url or slack_file", "/blocks/0"),
    ({"type": "sections"}, "unsupported type: sections", "/blocks/0/type"),
    ({"type": "alert", "text": plain("x")}, "unsupported type: alert", "/blocks/0/type"),
    (section(color="red"), "invalid additional property: color", "/blocks/0/color"),
    ({"type": "section", "text": "x"}, "must provide an object", "/blocks/0/text"),
    (section("\u00e9") | {"block_id": "x" * 256}, "must be less than 256 characters", "/blocks/0/block_id"),
    ({"type": "table", "rows": [[]]}, "no fewer than 1 items allowed", "/blocks/0/rows/0"),
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: str(block["type"]))
def test_a_block_at_its_limit_is_accepted(block: Json) -> None:
    assert check_blocks([block]) == []


@pytest.mark.parametrize(("block", "message", "pointer"), BAD)
def test_a_block_over_its_limit_is_refused_where_it_is(block: Json, message: str, pointer: str) -> None:
    assert f"{message} [json-pointer:{pointer}]" in map(str, check_blocks([block]))


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([{"type": "divider"}] * 51, "no more than 50 items allowed"),
        ([row(button()), row(button())], "action_id must be unique: a stands 2 times"),
        ([section(block_id="b"), section(block_id="b")], "block_id must be unique: b stands 2 times"),
        ([{"type": "markdown", "text": "x" * 7000}] * 2, "markdown blocks must be less than 12001 characters together"),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2, "only one table allowed"),
        ("[]", "must provide an array"),
        (["x"], "must provide an object"),
    ],
)
def test_blocks_are_refused_together(blocks: object, message: str) -> None:
    assert [complaint.message for complaint in check_blocks(blocks)] == [message]


def test_all_blocks_together_may_be_too_long() -> None:
    assert not too_long([section("x" * 2900)] * 4)
    assert too_long([section("x" * 2900)] * 5)


@pytest.mark.parametrize(
    ("view", "complaints"),
    [
        (modal(), []),
        (modal(field(), submit=plain("Go"), private_metadata="x" * 3000), []),
        (modal({"type": "alert", "text": plain("x"), "level": "warning"}), []),
        ({"type": "home", "blocks": [section()] * 100}, []),
        (modal(field()), ["missing required field: submit [json-pointer:/view]"]),
        (
            modal(field(max_length=3001), submit=plain("Go")),
            ["must provide a number between 1 and 3000 [json-pointer:/view/blocks/0/element/max_length]"],
        ),
        (modal(submit=plain("x" * 25)), ["must be less than 25 characters [json-pointer:/view/submit/text]"]),
        (modal() | {"blocks": []}, ["no fewer than 1 items allowed [json-pointer:/view/blocks]"]),
        (modal(*[section()] * 101), ["no more than 100 items allowed [json-pointer:/view/blocks]"]),
        (
            modal(private_metadata="x" * 3001),
            ["must be less than 3001 characters [json-pointer:/view/private_metadata]"],
        ),
        (modal({"type": "markdown", "text": "x"}), ["unsupported type: markdown [json-pointer:/view/blocks/0/type]"]),
        ({"type": "modal", "blocks": [section()]}, ["missing required field: title [json-pointer:/view]"]),
        ({"type": "sheet"}, ["unsupported type: sheet [json-pointer:/view/type]"]),
        ("view", ["must provide an object [json-pointer:/view]"]),
    ],
)
def test_a_view_is_held_against_its_limits(view: object, complaints: list[str]) -> None:
    assert [str(complaint) for complaint in check_view(view)] == complaints
