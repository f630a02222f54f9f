"""The bot can be put together: every part imports, and every button and command finds its handler."""

from bot import actions
from bot.actions import ButtonAction, RunCommand
from bot.app import App, Role
from bot.routing import Router
from commands import register


def test_every_button_has_a_handler() -> None:
    router = register(Router())
    buttons = [
        kind
        for kind in vars(actions).values()
        if isinstance(kind, type) and issubclass(kind, ButtonAction) and kind is not ButtonAction
    ]
    # RunCommand is carried out by the dispatcher itself: it is a command, typed by a press.
    assert {kind.action_id for kind in buttons} == {*router.actions, *router.forms, RunCommand.action_id}


def test_the_wiring_imports() -> None:
    assert App is not None
    assert [str(role) for role in Role] == ["all", "web", "worker"]
