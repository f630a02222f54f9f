"""One table over what is registered: each command, button and form, as the tests hold it to account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter

from bot.answers import Answer
from bot.routing import Router, answer_of
from commands import register


@dataclass(frozen=True)
class Row:
    """A command by its name, or a button or a form by its action id: what it takes, and who handles it."""

    name: str
    permission: str
    asked: type[BaseModel]
    handle: Callable[..., Any]

    @property
    def answers(self) -> tuple[type[Answer], ...]:
        """What the handler says it returns."""
        said = answer_of(self.handle)
        return get_args(said) or (said,)

    @property
    def schemas(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is asked and what is answered, in JSON's own words."""
        return self.asked.model_json_schema(), TypeAdapter(answer_of(self.handle)).json_schema(mode="serialization")


def table() -> dict[str, tuple[Row, ...]]:
    """Return every row, by its kind."""
    router = register(Router())
    return {
        "command": tuple(Row(one.name, one.permission, one.request, one.handle) for one in router.commands.values()),
        "button": tuple(Row(name, one.permission, one.button, one.handle) for name, one in router.actions.items()),
        "form": tuple(Row(name, one.permission, one.button, one.submit) for name, one in router.forms.items()),
    }
