"""Which buttons are about an act, and not only a look."""

from bot.actions import RunCommand
from bot.errors import UsageError
from bot.grammar import split
from bot.policy import Word
from bot.routing import Router
from commands import register
from tests.golden.playground import Json

ROUTER = register(Router())
# What may do so without a dialog, and why.
AT_ONCE = {
    # A form shows what it does, and has a button of its own.
    **{name: "opens a window" for name, form in ROUTER.forms.items() if form.permission != Word.READ},
    # The question around it shows all that it starts, whole.
    "agree_deploy": "answers a question",
    "deploy_beside": "answers a question",
    "choose_definition": "answers a question",
    "ask_holder": "tells somebody, and changes nothing",
}


def acted_at_once(element: Json) -> str:
    """Return what a button does as soon as it is pressed, by its name; empty text for a look and for a link."""
    name = str(element["action_id"]).partition(":")[0]
    if element.get("confirm") or element.get("url") or _only_looks(name, element.get("value", "")):
        return ""
    return name


def _only_looks(name: str, value: str) -> bool:
    if name == RunCommand.action_id:
        return _line_only_looks(RunCommand.unpack(value).text)
    known = ROUTER.actions.get(name) or ROUTER.forms.get(name)
    return known is None or known.permission == Word.READ


def _line_only_looks(line: str) -> bool:
    try:
        return ROUTER.find(split(line))[0].only_answers
    except UsageError:
        return False
