"""Agents: listed, made in a window that shows the token, removed after asking."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NoReturn, Self, cast, get_args

import regex
from pydantic import Field, model_validator

from bot.actions import AgentForm, RemoveAgent
from bot.answers.acts import Acted
from bot.answers.agents import AgentMade, AgentOffer, Agents, AgentShown, AgentToRemove
from bot.errors import NothingToDo, SlackError, UsageError
from bot.grammar import Word as Said
from bot.grammar import without_stop
from bot.models.agent import MOST_DAYS, NAME, WORDS, Agent, Days, Words
from bot.models.caller import Caller, Place
from bot.models.help import CommandHelp
from bot.policy import Decision, Word
from bot.requests import Request, Typed
from bot.routing import Context, Router
from bot.settings import Projects
from formatters import agents as words

HELP = CommandHelp(
    name="agent",
    group="Learn",
    summary="Let a program ask in your name, list your agents, or remove one. Its token is shown in a window, once.",
    usage="agent [list | add <name> [own] [channel=#<channel>] [words=read,deploy] [days=90] | remove <name>]",
    example="agent add laptop",
    phrases=("agents", "agent add laptop channel=#deploys words=read,rerun days=30", "agent remove laptop"),
    also=("agents",),
)
Act = Literal["list", "add", "remove"]
ACTS = get_args(Act)
MOST_SHOWN = 20
WHICH = "Which agent? Its name is one word of small letters, digits and dashes, as in `laptop`."
_CHANNEL = regex.compile(r"<#([CG][A-Z0-9]{1,30})(?:\|[^<>]{0,200})?>")


class OfAgents(Request):
    """What to do with which agent; of one to be made, where it is heard, what it may, and for how many days."""

    act: Act = "list"
    name: Typed = ""
    own: bool = False
    channel: Typed = ""
    words: Words = WORDS
    days: Days = Field(90)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.act != "list" and not NAME.fullmatch(self.name):
            raise ValueError(WHICH)
        return self


def parse(said: Sequence[Said], projects: Projects) -> OfAgents:  # it names none
    """Return the request, or a UsageError that names the word it trips over."""
    rest = without_stop(said, "?.")
    act = rest.pop(0).text.lower() if rest and rest[0].text.lower() in ACTS else "list"
    if act == "list":
        if rest:
            raise UsageError("I expected list, add or remove.", given=rest[0].text)
        return OfAgents()
    name = rest.pop(0).text.lower() if rest else ""
    if not NAME.fullmatch(name):
        raise UsageError(WHICH, given=name)
    if act == "remove" and rest:
        raise UsageError("I expected nothing after the name.", given=rest[0].text)
    return OfAgents(act=cast("Act", act), name=name, **_more(rest))


def _more(rest: Sequence[Said]) -> dict[str, object]:
    """Return what is said of an agent that is to be made."""
    more = dict[str, object]()
    for word in rest:
        key, _, value = word.text.partition("=")
        if word.text.lower() == "own":
            more["own"] = True
        elif key.lower() in _KEYS and value and key.lower() not in more:
            more[key.lower()] = _KEYS[key.lower()](value)
        else:
            expected = "I expected own, channel=#deploys, words=read,deploy or days=30. Nothing was made."
            raise UsageError(expected, given=word.text)
    return more


def _words(value: str) -> tuple[str, ...]:
    """Return what it may, in one order; to look is always among it, as what it asks for it could not follow else."""
    chosen = [one.strip().lower() for one in value.split(",") if one.strip()]
    if wrong := next((one for one in chosen if one not in WORDS), ""):
        most = f"{', '.join(WORDS[:-1])} and {WORDS[-1]}"
        raise UsageError(f"An agent may at most {most}: all else is for people.", given=wrong)
    return tuple(word for word in WORDS if word in chosen or word == "read")


def _days(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 5 and 1 <= int(value) <= MOST_DAYS):
        raise UsageError(f"An agent is good for 1 to {MOST_DAYS} days.", given=value)
    return int(value)


_KEYS: dict[str, Callable[[str], object]] = {"channel": str, "words": _words, "days": _days}


async def agents(request: OfAgents, caller: Caller, context: Context) -> Agents | AgentOffer | AgentToRemove:
    """Answer with the agents there are, or offer what was asked for."""
    if request.act == "add":
        return await _offered(request, caller, context)
    if request.act == "remove":
        return await _to_remove(request.name, caller, context)
    return await _listed(caller, context)


async def add(form: AgentForm, _: Mapping[str, str], caller: Caller, context: Context) -> AgentMade:
    """Make it, and show its token."""
    return await context.operations.add_agent(caller, form)


async def ready(form: AgentForm, caller: Caller, context: Context) -> None:
    """Raise NothingToDo where none can be made any more."""
    await context.operations.may_add_agent(caller, form)


async def remove(button: RemoveAgent, caller: Caller, context: Context) -> Acted:
    """Remove it, if it is still the one that was shown."""
    return await context.operations.remove_agent(caller, button)


async def _offered(request: OfAgents, caller: Caller, context: Context) -> AgentOffer:
    if request.own:
        await context.permissions.check(caller, Word.ADMIN)
    channel_id = await _channel(request.channel, caller, context)
    form = AgentForm(name=request.name, channel_id=channel_id, own=request.own, words=request.words, days=request.days)
    await context.operations.may_add_agent(caller, form)
    there = caller.model_copy(update={"place": Place(channel_id=channel_id)})
    in_vain = await context.permissions.no_agent_may(there, form.name, form.words, own=form.own)
    return AgentOffer.model_validate({**form.model_dump(), "in_vain": in_vain})


async def _channel(named: str, caller: Caller, context: Context) -> str:
    """Return the channel that is named, or in which it is said; in direct messages, theirs with us."""
    if not named:
        is_there = caller.place is not None and not caller.place.is_direct
        return caller.channel_id if is_there else await _direct(caller, context)
    if found := _CHANNEL.fullmatch(named):
        return found[1]
    wanted = named.removeprefix("#").casefold()
    try:
        known = await context.messenger.channels()
    except SlackError:
        known = {}
    return next((one for one, name in known.items() if name.casefold() == wanted), None) or _nowhere()


async def _direct(caller: Caller, context: Context) -> str:
    return await context.whereabouts.direct_with(caller.person_id) or _nowhere()


def _nowhere() -> NoReturn:
    raise NothingToDo("no_agent_channel")


async def _to_remove(name: str, caller: Caller, context: Context) -> AgentToRemove:
    """Answer with one that the caller may remove: its owner may, and who looks after the bot."""
    agent = await context.store.agents.get(name)
    if agent is None:
        raise NothingToDo("no_such_agent", what=name)
    if agent.owner_id != caller.person_id:
        await context.permissions.check(caller, Word.ADMIN)
    used = await context.store.agents.last_used()
    shown = await _shown(agent, used.get(agent.name), context)
    return AgentToRemove(agent=shown, is_of_another=agent.owner_id != caller.person_id)


async def _listed(caller: Caller, context: Context) -> Agents:
    asked = await context.permissions.asked(caller, Word.ADMIN)
    everybodys = (await context.permissions.decision(caller, asked)).allowed
    kept = [one for one in await context.store.agents.all() if everybodys or one.owner_id == caller.person_id]
    used = await context.store.agents.last_used() if kept else {}
    shown = [await _shown(one, used.get(one.name), context) for one in kept[:MOST_SHOWN]]
    more, let_in = len(kept) - len(shown), context.settings.agents
    return Agents(agents=tuple(shown), more=more, everybodys=everybodys, let_in=let_in)


async def _shown(agent: Agent, used_at: datetime | None, context: Context) -> AgentShown:
    """Return an agent as it is shown: one whose time is up, or whose owner left, with why it may nothing."""
    agent = agent.called(await context.messenger.user_name(agent.owner_id))
    decisions = {word: await _decision(agent, word, context) for word in agent.words}
    barred = "" if decisions[Word.READ].allowed else decisions[Word.READ].rule
    in_vain = () if barred else tuple(word for word, one in decisions.items() if not one.allowed)
    return AgentShown.of(agent).model_copy(update={"used_at": used_at, "barred": barred, "in_vain": in_vain})


async def _decision(agent: Agent, word: str, context: Context) -> Decision:
    """Return whether an agent may do such a thing anywhere."""
    caller = agent.caller("agents")
    asked = await context.permissions.asked(caller, word)
    return await context.permissions.decision(caller, asked._replace(certain=False))


def register(router: Router) -> None:
    """Teach the router this command, its window and its button.

    To read is enough: an agent may at most what its owner may. What else it takes, its button and the operation ask.
    """
    router.command(HELP, permission="read", request=OfAgents, parse=parse, handle=agents)
    router.form(AgentForm, words.MAKE, permission="read", view=words.form_of, submit=add, ready=ready)
    router.action(RemoveAgent, permission="read", handle=remove)
