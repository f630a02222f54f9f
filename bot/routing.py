"""How a word finds its handler: the registry of commands, buttons and forms, and what a handler is given."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter

from bot.actions import ButtonAction
from bot.answers import Answer, Changed, Found
from bot.answers.acts import Acted, Answered, LockChanged
from bot.authors import Authors
from bot.circleci.history import History
from bot.circleci.reads import Reads
from bot.errors import Sentence, UsageError
from bot.finding import Finder
from bot.grammar import Word as Typed
from bot.messenger import Messenger
from bot.models.caller import Caller
from bot.models.help import CommandHelp
from bot.models.likeness import distance, is_slip
from bot.models.pending import Pending
from bot.models.spelling import quoted
from bot.operations import Operations
from bot.permissions import Permissions
from bot.policy import Word
from bot.requests import Request
from bot.settings import Projects, Settings
from bot.store import Store
from bot.whereabouts import Whereabouts

HELP_OPTIONS = ("--help", "—help", "–help")  # phones make one dash of two
_ADDRESSES, _POLITE = ("/ci", "@ci", "ci"), ("please", "pls")
EARLIER_NAMES = {"may": "why", "job": "build"}  # which are as good as the names
_WHY_RED = ["why", "red"]
R = TypeVar("R", bound=Request)
B = TypeVar("B", bound=ButtonAction)
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Context:
    """All a handler may use beside its request: it reads, and what changes anything is an operation."""

    settings: Settings
    projects: Projects
    store: Store
    circleci: Reads
    history: History
    messenger: Messenger
    authors: Authors
    whereabouts: Whereabouts
    finder: Finder
    permissions: Permissions
    operations: Operations
    router: "Router"


@dataclass(frozen=True)
class Tool:
    """How agents call a command, where that differs: they have no dialogs, and read no words of Slack's.

    Without `request` and `handle` those of the command are meant, without a `summary` that of its help. They give
    nothing of what it is `without`; where it `needs_project` there is no thread that could name one.
    """

    summary: str = ""
    without: tuple[str, ...] = ()
    needs_project: bool = True
    request: type[Request] | None = None
    handle: Callable[[Any, Caller, Context], Awaitable[Answer]] | None = None


@dataclass(frozen=True)
class Command:
    """A word people say: its help, what it asks for, its parser and its handler.

    What is answered `at_once` asks CircleCI for nothing that is not known soon, so that nobody waits for it. Agents are
    given it as a `tool`, or not at all.
    """

    help: CommandHelp
    permission: str
    request: type[Request]
    parse: Callable[[Sequence[Typed], Projects], Any]
    handle: Callable[[Any, Caller, Context], Awaitable[Answer]]
    at_once: bool = False
    tool: Tool | None = None

    @property
    def name(self) -> str:
        """The word itself."""
        return self.help.name

    @property
    def only_looks(self) -> bool:
        """Say whether it changes nothing for anybody, and shows nothing that not everybody may ask for."""
        return self.permission == Word.READ and not any(issubclass(one, Changed) for one in self._answers)

    @property
    def only_answers(self) -> bool:
        """Say whether it does nothing itself: it shows something, or offers what can be done by buttons of its own."""
        return self.only_looks or not any(
            issubclass(one, (Acted, Answered, Changed, LockChanged)) for one in self._answers
        )

    @property
    def finds(self) -> bool:
        """Say whether it may find something that can be shared; then it changes nothing, however often it is asked."""
        return self.only_answers and any(issubclass(one, Found) for one in self._answers)

    @property
    def answer(self) -> Any:  # a class, or a union of several
        """What the handler returns."""
        return answer_of(self.handle)

    @property
    def _answers(self) -> tuple[type[Answer], ...]:
        return get_args(self.answer) or (self.answer,)

    def described(self) -> dict[str, Any]:
        """Return the command in JSON's own words, with the schemas of its request and its answer."""
        return {
            "name": self.name,
            "also": list(self.help.also),
            "summary": self.help.summary,
            "permission": str(self.permission),
            "request": self.request.model_json_schema(),
            "answer": TypeAdapter(self.answer).json_schema(mode="serialization"),
        }


@dataclass(frozen=True)
class Action:
    """A button: what it carries, the permission it needs and its handler."""

    button: type[ButtonAction]
    permission: str
    handle: Callable[[Any, Caller, Context], Awaitable[Answer]]

    @property
    def only_looks(self) -> bool:
        """Say whether it changes nothing for anybody."""
        return self.permission == Word.READ


@dataclass(frozen=True)
class Form:
    """A modal to fill in: the button that opens it, its view, and who gets what was filled in.

    `opened_by` is what stands on the button; `ready` raises why there is nothing to fill in for somebody, and returns
    what the view names. `shared` are the fields whose text is shown to others, or kept: no secret is taken there.
    """

    button: type[ButtonAction]
    opened_by: str
    permission: str
    view: Callable[..., dict[str, Any]]
    submit: Callable[[Any, Mapping[str, str], Caller, Context], Awaitable[Answer]]
    ready: Callable[[Any, Caller, Context], Awaitable[Pending | None]] | None = None
    shared: tuple[str, ...] = ()


@dataclass
class Router:
    """The registered commands, buttons and forms; help, near misses and the tests read it too."""

    commands: dict[str, Command] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)

    def command(
        self,
        help: CommandHelp,  # noqa: A002  # the field's own name
        *,
        permission: str,
        request: type[R],
        parse: Callable[[Sequence[Typed], Projects], R],
        handle: Callable[[R, Caller, Context], Awaitable[Answer]],
        at_once: bool = False,
        tool: Tool | None = None,
    ) -> None:
        """Register a command under `help.name`."""
        self.commands[help.name] = Command(help, permission, request, parse, handle, at_once, tool)

    def action(
        self, button: type[B], *, permission: str, handle: Callable[[B, Caller, Context], Awaitable[Answer]]
    ) -> None:
        """Register what a press on `button` does."""
        self.actions[button.action_id] = Action(button, permission, handle)

    def form(
        self,
        button: type[B],
        opened_by: str,
        *,
        permission: str,
        view: Callable[..., dict[str, Any]],
        submit: Callable[[B, Mapping[str, str], Caller, Context], Awaitable[Answer]],
        ready: Callable[[B, Caller, Context], Awaitable[Pending | None]] | None = None,
        shared: tuple[str, ...] = (),
    ) -> None:
        """Register the form that `button` opens, and what is done with what is filled in."""
        self.forms[button.action_id] = Form(button, opened_by, permission, view, submit, ready, shared)

    def find(self, words: Sequence[Typed]) -> tuple[Command, Sequence[Typed]]:
        """Return the command that `words` begin with and the rest; nothing at all means help.

        Another word for a command that only looks is as good as its name, and with a question mark. Raises
        UsageError with the line that may be meant for another word for an act, and for a slip of the finger; nothing
        else is taken for a command.
        """
        words = without_address(words)
        if not words:
            return self.commands["help"], ()
        first = words[0].text.lower()
        meant = self.named(first)
        if meant is not None and _asks_for_help(first, words[1:]):
            return self.commands["help"], [Typed(words[0].text, quoted=True)]  # `me --help` is not "help me"
        if meant is not None and (meant.name == first or meant.only_looks):
            return meant, words[1:]
        asked = self.named(first.rstrip("?")) if meant is None and not words[0].quoted else None
        if asked is not None and asked.only_looks:  # "status?" asks the same
            return asked, words[1:]
        near = meant or self._slipped(first)
        line = self._corrected(near, words[1:]) if near else None
        if meant is not None:
            raise Sentence(meant.name, is_sure=True, given=words[0].text, did_you_mean=line)
        problem, command = "I do not know this word.", near.name if near else None
        raise UsageError(problem, given=words[0].text, command=command, did_you_mean=line)

    def named(self, word: str) -> Command | None:
        """Return the command of this name, or that goes by this word too."""
        return self.commands.get(word) or next((one for one in self.commands.values() if word in one.help.also), None)

    def _slipped(self, word: str) -> Command | None:
        """Return the command whose name is surely misspelled so; of two, one that only looks."""
        near = [one for one in self.commands.values() if is_slip(word, one.name)]
        return min(near, key=lambda one: (distance(word, one.name), not one.only_looks), default=None)

    def _corrected(self, near: Command, rest: Sequence[Typed]) -> str:
        """Return the line with the word that is meant; of what may hold a secret, that word alone."""
        secret = near.permission in (Word.SECRETS, Word.KEYS)
        behind = [] if secret else [quoted(one.text) if one.quoted else one.text for one in rest]
        return " ".join([near.name, *behind])

    def action_for(self, action_id: str) -> Action | None:
        """Return the button for Slack's `action_id`, whose part behind a colon only makes it unique."""
        return self.actions.get(action_id.partition(":")[0])


def without_address(words: Sequence[Typed]) -> Sequence[Typed]:
    """Return the words without how the bot is spoken to, which comes with what is copied from its messages.

    `why red` is one word.
    """
    words = words[1:] if words and words[0].text.lower() in _ADDRESSES else words
    words = words[1:] if len(words) > 1 and words[0].text.lower() in _POLITE else words
    is_red = [one.text.lower().rstrip("?") for one in words[:2]] == _WHY_RED
    return [Typed("-".join(_WHY_RED)), *words[2:]] if is_red else words


def _asks_for_help(command: str, rest: Sequence[Typed]) -> bool:
    """Say whether a line asks how its command is used; `why help` asks who may have help.

    No name begins with a dash, so `--help` asks wherever a line ends with it. A branch may be called help: behind the
    name of its project, or in quotes, that is what is meant.
    """
    if not rest or rest[-1].quoted:
        return False
    last, is_alone = rest[-1].text.lower(), len(rest) == 1
    if last in HELP_OPTIONS:
        return True
    return is_alone and (last == "-h" or (last.rstrip("?!.") == "help" and command not in ("may", "why")))


def answer_of(handle: Callable[..., Any]) -> Any:  # a class, or a union of several
    """Return what a handler says it returns."""
    return get_type_hints(handle)["return"]
