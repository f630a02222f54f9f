"""Modals: the fields of a form, what is wrong in one, what is shown while CircleCI is asked, and its outcome."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import Slip
from formatters.blocks import Block, Message, clean, section

View = dict[str, Any]
MAX_TITLE = 24
MAX_INPUT = 3000


def form(title: str, intro: str, fields: Sequence[Block], *, value: str, action_id: str, submit: str) -> View:
    """Return a form that hands `value`, a packed button, back with what is filled in."""
    return {
        "type": "modal",
        "callback_id": action_id,
        "private_metadata": value,
        "title": _plain(title, MAX_TITLE),
        "submit": _plain(submit, MAX_TITLE),
        "close": _plain("Not now", MAX_TITLE),
        "blocks": [section(intro), *fields],
    }


def field(
    name: str, label: str, *, hint: str = "", multiline: bool = False, optional: bool = False, most: int = MAX_INPUT
) -> Block:
    """Return a field to type into; `name` is how its value comes back."""
    element = {"type": "plain_text_input", "action_id": name, "multiline": multiline, "max_length": most}
    made: Block = {
        "type": "input",
        "block_id": name,
        "label": _plain(label, 2000),
        "element": element,
        "optional": optional,
    }
    return made | ({"hint": _plain(hint, 2000)} if hint else {})


def choice(name: str, label: str, options: Mapping[str, str], *, hint: str = "") -> Block:
    """Return a field to choose one of several in, by value and label; the first is chosen at first."""
    made = [{"text": _plain(text, 75), "value": value} for value, text in options.items()]
    element = {"type": "radio_buttons", "action_id": name, "options": made, "initial_option": made[0]}
    asked: Block = {"type": "input", "block_id": name, "label": _plain(label, 2000), "element": element}
    return asked | ({"hint": _plain(hint, 2000)} if hint else {})


def slip(problem: Slip) -> str:
    """Return what stands beside a field that cannot be taken as it is: plain text, for Slack formats nothing there."""
    return _SLIPS[problem.why].format(what=problem.what)


_SLIPS = {
    "typed_wrong": "That is not {what}. Nothing was started: type it once more.",
    "no_reason": "Say why not: who asked reads it in the thread.",
    "holds_secret": (
        "This seems to hold a secret, and others read it. Nothing of it was kept or shown: say it without the secret."
    ),
    "reason_too_long": "That is longer than {what} characters.",
    "window_unknown": (
        "This window has stood open for too long, or is not yours. Nothing was done, and nothing of it was kept: press "
        "“{what}” in the message once more."
    ),
}
SLIPS = frozenset(_SLIPS)


def working() -> View:
    """Return what is shown while CircleCI is asked."""
    return _shown(
        section(
            "I am asking CircleCI. If this does not change within a minute, list what there is before you try again."
        )
    )


def told(message: Message) -> View:
    """Return the outcome."""
    blocks = [block for block in message.blocks if block["type"] != "actions"]
    return _shown(*(blocks or [section(message.text)]))


def _shown(*blocks: Block) -> View:
    return {
        "type": "modal",
        "title": _plain("CircleCI", MAX_TITLE),
        "close": _plain("Close", MAX_TITLE),
        "blocks": list(blocks),
    }


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": clean(text, limit)}
