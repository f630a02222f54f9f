"""How a word finds its handler: the registry of commands and buttons, and what a handler is given."""

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.actions import ButtonAction
from bot.circleci.history import History
from bot.circleci.reads import Reads
from bot.circleci.writes import Writes
from bot.errors import UsageError
from bot.finding import Finder
from bot.grammar import Word
from bot.messenger import Messenger
from bot.models.circleci import ProjectSlug, Ref
from bot.models.slack import Click, Invocation
from bot.permissions import Permissions
from bot.settings import Projects, Settings
from bot.store import Store
from bot.watching.acts import Acts
from bot.watching.gate import Gate
from bot.watching.starter import Starter
from formatters.blocks import Message
from formatters.help import CommandHelp
from formatters.links import Links

Request = TypeVar("Request")
Button = TypeVar("Button", bound=ButtonAction)


@dataclass(frozen=True)
class Context:
    """All a handler may use, beside its request."""

    settings: Settings
    projects: Projects
    store: Store
    circleci: Reads
    writes: Writes
    history: History
    messenger: Messenger
    starter: Starter
    gate: Gate
    acts: Acts
    finder: Finder
    links: Links
    permissions: Permissions
    router: "Router"


@dataclass(frozen=True)
class Command:
    """A word people say: its help, its parser and its handler."""

    help: CommandHelp
    permission: str
    parse: Callable[[Sequence[Word], Projects], Any]
    handle: Callable[[Any, Invocation, Context], Awaitable[Message | None]]

    @property
    def name(self) -> str:
        """The word itself."""
        return self.help.name


@dataclass(frozen=True)
class Action:
    """A button: what it carries, the permission it needs and its handler."""

    button: type[ButtonAction]
    permission: str
    handle: Callable[[Any, Click, Context], Awaitable[Message | None]]


@dataclass(frozen=True)
class Form:
    """A modal that takes a secret: the button that opens it, its view, and who gets what was filled in."""

    button: type[ButtonAction]
    permission: str
    view: Callable[[Any, str, str], dict[str, Any]]
    submit: Callable[[Any, Mapping[str, str], Click, Context], Awaitable[Message]]


@dataclass
class Router:
    """The registered commands and buttons; help, near misses and the tests read it too."""

    commands: dict[str, Command] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)

    def command(
        self,
        help: CommandHelp,  # noqa: A002  # the field's own name
        *,
        parse: Callable[[Sequence[Word], Projects], Request],
        permission: str,
    ) -> Callable[
        [Callable[[Request, Invocation, Context], Awaitable[Message | None]]],
        Callable[[Request, Invocation, Context], Awaitable[Message | None]],
    ]:
        """Register the decorated handler under `help.name`."""

        def register(
            handle: Callable[[Request, Invocation, Context], Awaitable[Message | None]],
        ) -> Callable[[Request, Invocation, Context], Awaitable[Message | None]]:
            self.commands[help.name] = Command(help, permission, parse, handle)
            return handle

        return register

    def action(
        self, button: type[Button], *, permission: str
    ) -> Callable[
        [Callable[[Button, Click, Context], Awaitable[Message | None]]],
        Callable[[Button, Click, Context], Awaitable[Message | None]],
    ]:
        """Register the decorated handler for presses on `button`."""

        def register(
            handle: Callable[[Button, Click, Context], Awaitable[Message | None]],
        ) -> Callable[[Button, Click, Context], Awaitable[Message | None]]:
            self.actions[button.action_id] = Action(button, permission, handle)
            return handle

        return register

    def form(
        self, button: type[Button], *, permission: str, view: Callable[[Button, str, str], dict[str, Any]]
    ) -> Callable[
        [Callable[[Button, Mapping[str, str], Click, Context], Awaitable[Message]]],
        Callable[[Button, Mapping[str, str], Click, Context], Awaitable[Message]],
    ]:
        """Register the decorated handler for what is filled into the form that `button` opens."""

        def register(
            submit: Callable[[Button, Mapping[str, str], Click, Context], Awaitable[Message]],
        ) -> Callable[[Button, Mapping[str, str], Click, Context], Awaitable[Message]]:
            self.forms[button.action_id] = Form(button, permission, view, submit)
            return submit

        return register

    def find(self, words: Sequence[Word], *, typed: str) -> tuple[Command, Sequence[Word]]:
        """Return the command that `words` begin with and the rest; nothing at all means help.

        Raises UsageError with the near miss, as the whole corrected text, for a word nobody knows.
        """
        if not words:
            return self.commands["help"], ()
        first = words[0].text.lower()
        if first in self.commands:
            return self.commands[first], words[1:]
        near = self._nearest(first)
        corrected = typed.replace(words[0].text, near, 1) if near else None
        raise UsageError("I do not know this word.", given=words[0].text, did_you_mean=corrected)

    def _nearest(self, word: str) -> str | None:
        """Return the command somebody may mean: one that goes by this word too, or is spelled alike."""
        names = {word: name for name, command in self.commands.items() for word in (name, *command.help.also)}
        near = [word] if word in names else difflib.get_close_matches(word, names, n=1)
        return names[near[0]] if near else None

    def action_for(self, action_id: str) -> Action | None:
        """Return the button for Slack's `action_id`, whose part behind a colon only makes it unique."""
        return self.actions.get(action_id.partition(":")[0])


def subject(request: object) -> tuple[ProjectSlug | None, Ref | None]:
    """Return the project and the branch or tag that a request or a button names; what names none is looked at later."""
    target = getattr(request, "target", request)
    slug = getattr(target, "slug", None) or getattr(target, "project_slug", None)
    return (ProjectSlug(slug) if slug else None), getattr(target, "ref", None)
