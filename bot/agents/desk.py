"""One call of an agent, from its arguments to its answer; every exception becomes words here and nowhere else."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from bot import metrics
from bot.agents import acts, tools
from bot.agents.acts import Acts
from bot.agents.find import find
from bot.agents.following import Following
from bot.agents.offers import NEXT, Offers, refs_of
from bot.agents.refused import made
from bot.agents.shapes import Reply, Shape, Told
from bot.agents.tools import Find, Follow
from bot.circleci.asked import one_question
from bot.circleci.history import History
from bot.circleci.reads import Reads
from bot.errors import BotError, NotAllowed, UsageError, UserError, as_told_to
from bot.finding import Finder
from bot.grammar import LONGEST_TEXT
from bot.masks import masked
from bot.models.agent import Agent
from bot.models.caller import Caller, Place
from bot.policy import Word
from bot.record import About, Record
from bot.requests import Request
from bot.routing import Command, Context
from bot.waits import politely
from formatters.links import Links
from formatters.told import as_text, told, told_error

LONGEST_READ = 40  # seconds; clients hang up after sixty
LONGEST_REASON = 300
MINUTE = 60
log = structlog.get_logger(__name__)


def in_the_polite_lane(context: Context, past: Reads) -> Context:
    """Return what handlers are given for an agent's calls: they read by a lane that lets people go first."""
    finder = Finder(past, context.store, context.permissions, context.projects)
    return replace(context, circleci=past, history=History(past, context.store.past), finder=finder)


class Desk:
    """Answers calls; all of them share what one process has of them, as no call knows of another.

    `context` reads by the polite lane. `brings_secret` says so of a text, as of what people type.
    """

    def __init__(
        self,
        context: Context,
        record: Record,
        links: Links,
        brings_secret: Callable[[str], bool],
    ) -> None:
        self._context = context
        self._record = record
        self._links = links
        self._brings_secret = brings_secret
        self._following = Following(context, links)
        self._acts = Acts(context, self._following, links)
        self._offers = Offers(context, self._following)

    def shapes(self, *, readonly: bool = False) -> tuple[Shape, ...]:
        """Return the tools there are, or those alone that only look."""
        return tools.shapes(self._context.router, readonly=readonly)

    def knows(self, name: str, *, readonly: bool = False) -> bool:
        """Say whether there is such a tool."""
        return any(one.name == name for one in self.shapes(readonly=readonly))

    async def call(self, agent: Agent, name: str, arguments: Mapping[str, Any], *, readonly: bool = False) -> Reply:
        """Answer one call; nothing is raised but a cancel."""
        reference = secrets.token_hex(3)
        names = {"request": reference, "agent": agent.name, "user": agent.owner_id}
        with structlog.contextvars.bound_contextvars(**names), politely():
            try:
                return await self._in_words(agent, name, arguments, readonly=readonly)
            except Exception:  # the one boundary: nobody may be left without an answer, also where the words break
                metrics.ERRORS.labels("unexpected").inc()
                log.exception("unexpected", reference=reference)
                return _said(_unexpected(reference), is_error=True)

    async def _in_words(self, agent: Agent, name: str, arguments: Mapping[str, Any], *, readonly: bool) -> Reply:
        try:
            return await self._within_the_rate(agent, name, arguments, readonly=readonly)
        except BotError as error:
            caller = caller_of(agent, arguments)
            data = told_error(error, await made(error, caller, name, arguments, self._context))
            return _said(await self._offered(data, caller, readonly=readonly), is_error=True)

    async def _offered(self, data: dict[str, Any], caller: Caller, *, readonly: bool) -> dict[str, Any]:
        """Return what of an error's calls can be made; while the store is away nobody can tell."""
        try:
            return await self._offers.kept(data, caller, {}, readonly=readonly)
        except BotError:
            return {name: value for name, value in data.items() if name != NEXT}

    async def _within_the_rate(self, agent: Agent, name: str, arguments: Mapping[str, Any], *, readonly: bool) -> Reply:
        now = await self._context.store.now()
        await self._context.store.agents.note_use(agent, now)
        minute, second = divmod(int(now.timestamp()), MINUTE)
        about = f"agent-calls:{agent.name}:{minute}"
        calls = await self._context.store.claims.count(about, timedelta(seconds=2 * MINUTE))
        if calls > (most := self._context.settings.agent_calls_per_minute):
            log.info("agent_called_too_often", calls=calls)
            return _said(_too_often(most, MINUTE - second), is_error=True)
        if not self.knows(name, readonly=readonly):
            raise tools.unknown_tool(name, [one.name for one in self.shapes(readonly=readonly)])
        log.info("agent_call", tool=name)
        agent = agent.called(await self._context.messenger.user_name(agent.owner_id))
        caller = caller_of(agent, arguments)
        if name == "find":
            return _said(await self._finds(caller, arguments, readonly=readonly))
        told_so = await self._answered(caller, name, arguments)
        data = await self._offers.kept(told_so.data, caller, told_so.refs, readonly=readonly)
        return _said(data, is_error=told_so.asks_back)

    async def _finds(self, caller: Caller, arguments: Mapping[str, Any], *, readonly: bool) -> dict[str, Any]:
        request = tools.request_of_ours("find", arguments)
        assert isinstance(request, Find)  # noqa: S101  # its name says so
        acts_of = await self._offers.words(caller, readonly=readonly)
        # At the first one its table is taken apart, which would hold everybody up.
        return await asyncio.to_thread(find, request.intent, self._context.router, acts_of)

    async def _answered(self, caller: Caller, name: str, arguments: Mapping[str, Any]) -> Told:
        command = tools.tools(self._context.router).get(name)
        word = command.permission if command else Word.READ
        about: About | None = None
        try:
            if command is None:
                return await self._follows(caller, name, arguments)
            await self._context.permissions.check(caller, word, certain=False)
            request = tools.request_of(command, arguments)
            about = _about(request, self._context)
            await self._context.permissions.check(caller, word, *_named(request, self._context), certain=False)
            if command.only_looks:
                return await self._looks(command, request, caller)
            self._refuse_secret(arguments)
            return await self._acts.ask(command, name, request, caller, _key(arguments))
        except BotError as error:
            await self._noted(error, caller, word, name, about)
            raise

    def _refuse_secret(self, arguments: Mapping[str, Any]) -> None:
        """Raise UsageError where any of it brings a secret, or is more than is read to the end for one."""
        words = _words(arguments)
        line = " ".join(words)
        if len(line) > LONGEST_TEXT:
            raise UsageError(_TOO_LONG)
        if any(self._brings_secret(text) for text in (line, *words)):
            raise UsageError(_NOT_TAKEN)

    async def _follows(self, caller: Caller, name: str, arguments: Mapping[str, Any]) -> Told:
        await self._context.permissions.check(caller, Word.READ, certain=False)
        request = tools.request_of_ours(name, arguments)
        assert isinstance(request, Follow)  # noqa: S101  # there is no third
        return await self._following.follow(request, caller)

    async def _looks(self, command: Command, request: Request, caller: Caller) -> Told:
        try:
            async with asyncio.timeout(LONGEST_READ):
                with one_question():
                    answer = await acts.handler(command)(request, caller, self._context)
        except TimeoutError:
            return Told(_STILL_READING, asks_back=True)
        return Told(told(answer, self._links), refs_of(answer))

    async def _noted(self, error: BotError, caller: Caller, word: str, name: str, about: About | None) -> None:
        """Keep a refusal in the record where it takes more than reading, and let it know who reads of it."""
        if isinstance(error, NotAllowed):
            error.act = error.act or name
        await self._record.at_the_door(caller, word, name, error, about)
        as_told_to(error, caller.person_id)
        await self._context.permissions.as_told_to(error, caller)
        metrics.ERRORS.labels(type(error).__name__).inc()
        if not isinstance(error, UserError):
            log.warning("refused", error=repr(error))


_NOT_TAKEN = "I take no secret here: it would be kept, and people would read it. Nothing was done. Say it without one."
_TOO_LONG = (
    f"All arguments of what people are asked have at most {LONGEST_TEXT:,} characters together. Nothing was done."
)
_STILL_READING = {"what": "CircleCI takes long. What was read is kept: ask the same again."}


def _said(data: dict[str, Any], *, is_error: bool = False) -> Reply:
    return Reply(data, as_text(data), is_error)


def _too_often(most: int, seconds: int) -> dict[str, Any]:
    what = f"Nothing was done: that is more than {most} calls in this minute."
    return {"what": what, "try_again_in_seconds": seconds}


def _unexpected(reference: str) -> dict[str, Any]:
    what = "Something broke on my side. A person finds it in the log by this reference."
    return {"what": what, "reference": reference}


def caller_of(agent: Agent, arguments: Mapping[str, Any]) -> Caller:
    """Return who calls: the agent, in its owner's name, in its channel."""
    reason = arguments.get("reason")
    return Caller(
        person_id=agent.owner_id,
        name=agent.owner_name,
        team_id=agent.team_id,
        agent=agent.name,
        agent_since=agent.made_at,
        own=agent.own,
        reason=_reason(reason) if isinstance(reason, str) else "",
        place=Place(channel_id=agent.channel_id),
        delivery_id=f"mcp:{secrets.token_hex(8)}",
    )


def _reason(text: str) -> str:
    """Return why it asks, in one line, without what looks like a secret."""
    return masked(" ".join(text[: 10 * LONGEST_REASON].split()))[:LONGEST_REASON]


def _words(arguments: Mapping[str, Any]) -> list[str]:
    """Return what is kept and shown of a call, as a person would type it."""
    words = list[str]()
    for value in arguments.values():
        words += [f"{name}={one}" for name, one in value.items()] if isinstance(value, Mapping) else [str(value)]
    return words


def _key(arguments: Mapping[str, Any]) -> str:
    key = arguments.get("key")
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest() if key else ""


def _named(request: Request, context: Context) -> tuple[Any, Any]:
    return request.about(context.projects)


def _about(request: Request, context: Context) -> About | None:
    slug, ref = request.about(context.projects)
    return About(slug, ref=ref) if slug else None
