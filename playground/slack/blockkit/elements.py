"""Slack's limits on what stands inside a block: texts, buttons, menus and fields.

https://docs.slack.dev/reference/block-kit/block-elements ; written from there, not from our own formatters, so that
both cannot be wrong together.
"""

from playground.slack.blockkit.rules import (
    Rule,
    address,
    anything,
    boolean,
    either,
    items,
    kinds,
    number,
    one_of,
    shape,
    string,
)
from playground.slack.blockkit.rules import both as all_of

_KIND = {"type": anything}
_ID = string(255)
URL = address


def plain(most: int) -> Rule:
    """Accept plain text of at most `most` characters, as Slack counts: with its entities."""
    return kinds({"plain_text": shape(_KIND | {"text": string(most)}, {"emoji": boolean})})


def text(most: int) -> Rule:
    """Accept plain text or mrkdwn."""
    mrkdwn = shape(_KIND | {"text": string(most)}, {"verbatim": boolean})
    return kinds({"plain_text": plain(most), "mrkdwn": mrkdwn})


CONFIRM = shape(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
_OPTION = {"text": text(75), "value": string(150)}
OPTION = shape(_OPTION, {"description": text(75)})
_OVERFLOW_OPTION = shape(_OPTION, {"description": plain(75), "url": URL})
_GROUP = shape({"label": plain(75), "options": items(OPTION, 100)})
_OPTIONS = {"options": items(OPTION, 100), "option_groups": items(_GROUP, 100)}

# action_id may be left out: Slack makes one up, but ours are found by it.
_ACTION = {"action_id": _ID}
_FIELD = {"focus_on_load": boolean, "placeholder": plain(150)}
_MENU = _FIELD | {"confirm": CONFIRM}
_DISPATCH = shape({}, {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 2)})
_TYPED = _FIELD | {"dispatch_action_config": _DISPATCH}
_CHOICE = {"options": items(OPTION, 10)}
_FILTER = {"filter": anything, "default_to_current_conversation": boolean, "response_url_enabled": boolean}
_IDS = items(string(255), 100, least=0)


def _element(required: dict[str, Rule] | None = None, optional: dict[str, Rule] | None = None) -> Rule:
    return shape(_KIND | (required or {}), _ACTION | (optional or {}))


def _menu(name: str, **initial: Rule) -> dict[str, Rule]:
    """Return a menu for one choice and its sister for several."""
    more = initial | (_FILTER if name == "conversations" else {})
    several = {f"initial_{name}": _IDS, "max_selected_items": number(1, 100)}
    return {
        f"{name}_select": _element({}, _MENU | more),
        f"multi_{name}_select": _element({}, _MENU | several | (_FILTER if name == "conversations" else {})),
    }


BUTTON = _element(
    {"text": plain(75)},
    {
        "url": URL,
        "value": string(2000, least=0),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
IMAGE = all_of(
    shape(_KIND | {"alt_text": string(2000)}, {"image_url": URL, "slack_file": anything}),
    either("image_url", "slack_file"),
)
_SELECTS: dict[str, Rule] = {
    "static_select": all_of(
        _element({}, _MENU | _OPTIONS | {"initial_option": OPTION}), either("options", "option_groups")
    ),
    "multi_static_select": all_of(
        _element({}, _MENU | _OPTIONS | {"initial_options": items(OPTION, 100), "max_selected_items": number(1, 100)}),
        either("options", "option_groups"),
    ),
    "external_select": _element({}, _MENU | {"initial_option": OPTION, "min_query_length": number(0, 100)}),
    "multi_external_select": _element(
        {}, _MENU | {"initial_options": items(OPTION, 100), "min_query_length": number(0, 100)}
    ),
    **_menu("users", initial_user=string(255)),
    **_menu("channels", initial_channel=string(255), response_url_enabled=boolean),
    **_menu("conversations", initial_conversation=string(255)),
}
_CHOICES: dict[str, Rule] = {
    "radio_buttons": _element(_CHOICE, {"initial_option": OPTION, "confirm": CONFIRM, "focus_on_load": boolean}),
    "checkboxes": _element(
        _CHOICE, {"initial_options": items(OPTION, 10), "confirm": CONFIRM, "focus_on_load": boolean}
    ),
}
_PICKERS: dict[str, Rule] = {
    "datepicker": _element({}, _MENU | {"initial_date": string(10)}),
    "timepicker": _element({}, _MENU | {"initial_time": string(5), "timezone": string(255)}),
    "datetimepicker": _element({}, {"initial_date_time": number(0, 9999999999), "confirm": CONFIRM}),
}
_BUTTONS: dict[str, Rule] = {
    "button": BUTTON,
    "overflow": _element({"options": items(_OVERFLOW_OPTION, 5)}, {"confirm": CONFIRM}),
    "workflow_button": anything,
}
_FIELDS: dict[str, Rule] = {
    "plain_text_input": _element(
        {},
        _TYPED
        | {
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": number(0, 3000),
            "max_length": number(1, 3000),
        },
    ),
    "email_text_input": _element({}, _TYPED | {"initial_value": string(3000, least=0)}),
    "url_text_input": _element({}, _TYPED | {"initial_value": string(3000, least=0)}),
    "number_input": _element(
        {"is_decimal_allowed": boolean},
        _TYPED | {"initial_value": anything, "min_value": anything, "max_value": anything},
    ),
    "rich_text_input": _element({}, _TYPED | {"initial_value": anything}),
    "file_input": _element({}, {"filetypes": anything, "max_files": number(1, 10)}),
}

IN_ACTIONS = kinds(_BUTTONS | _SELECTS | _CHOICES | _PICKERS)
IN_ACCESSORY = kinds(_BUTTONS | _SELECTS | _CHOICES | _PICKERS | {"image": IMAGE})
IN_INPUT = kinds(_SELECTS | _CHOICES | _PICKERS | _FIELDS)
IN_CONTEXT = kinds({"plain_text": plain(3000), "mrkdwn": text(3000), "image": IMAGE})
