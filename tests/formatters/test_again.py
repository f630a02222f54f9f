"""Lines to type begin as people speak to the bot where they read them."""

import json

import pytest

from bot.actions import RunCommand
from bot.errors import NothingToDo
from formatters import errors
from formatters.again import as_spoken
from formatters.blocks import actions, assemble, button, context, literal, section


@pytest.mark.parametrize("spoken_to", ["/ci", "@ci", "/deploys"])
def test_every_line_of_ours_is_respelled_and_nobody_elses(spoken_to: str) -> None:
    foreign = literal("type `/ci deploy` or /ci deploy")
    again = button(RunCommand(text="status `/ci x"), "Again")
    said = as_spoken(
        assemble("Type `/ci help`.", section(f"{foreign} `/ci locks`"), context("`/ci why x`"), actions(again)),
        spoken_to,
    )
    shown = json.dumps(said.blocks, ensure_ascii=False)
    assert said.text == f"Type `{spoken_to} help`."
    assert f"{foreign} `{spoken_to} locks`" in shown
    assert f"`{spoken_to} why x`" in shown
    assert json.loads(said.blocks[2]["elements"][0]["value"]) == {"text": "status `/ci x"}


def test_a_refusal_is_spelled_so() -> None:
    assert "`@ci help` shows" in errors.error(NothingToDo("unknown_button"), command="@ci").text
    assert "`/ci help` shows" in errors.error(NothingToDo("unknown_button")).text
