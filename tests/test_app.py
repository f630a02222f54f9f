"""The bot can be put together: every part imports, and every button and command finds its handler."""

from bot import actions
from bot.actions import ButtonAction, OpenLink, RunCommand, ShareAnswer
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
    # A command typed or shared by a press is carried out by the dispatcher itself, and a link by the browser.
    others = {RunCommand.action_id, ShareAnswer.action_id, OpenLink.action_id}
    assert {kind.action_id for kind in buttons} == {*router.actions, *router.forms, *others}


def test_the_wiring_imports() -> None:
    assert App is not None
    assert [str(role) for role in Role] == ["all", "web", "worker"]
