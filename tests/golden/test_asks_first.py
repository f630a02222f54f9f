"""Every act asks first: held over all buttons of all recorded messages."""

import re

import pytest

from bot.actions import RunCommand, Unlock
from tests.golden.acts import AT_ONCE, acted_at_once
from tests.golden.playground import Json
from tests.golden.records import FOLDER

_AT_ONCE = re.compile(r"^ *button +(.+)\n *at once +(\w+)$", re.MULTILINE)


def test_every_act_of_every_recorded_message_asks_first_in_a_dialog() -> None:
    found = [
        (file.name, label, act)
        for file in sorted(FOLDER.iterdir())
        for label, act in _AT_ONCE.findall(file.read_text(encoding="utf-8"))
    ]
    assert [one for one in found if one[2] not in AT_ONCE] == []
    assert AT_ONCE.keys() <= {act for _, _, act in found}  # each is recorded


@pytest.mark.parametrize(
    ("button", "act"),
    [
        (RunCommand(text="deploy acme/frontend main"), "run_command"),
        (RunCommand(text="no such line"), "run_command"),
        (RunCommand(text="status acme/frontend main"), ""),
        (Unlock(key="gh/acme/frontend main"), "unlock"),
    ],
)
def test_an_act_without_a_dialog_is_seen(button: RunCommand | Unlock, act: str) -> None:
    element: Json = {"action_id": f"{button.action_id}:2", "value": button.pack()}
    asks = {"confirm": {"text": "Sure?"}}
    assert acted_at_once(element) == act
    assert acted_at_once(element | asks) == ""
