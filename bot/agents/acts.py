"""An act that an agent asks for: once, however often it asks, and answered by how it stands.

The protocol lets a client send a call again whose answer it has not seen. So the same act by the same agent within ten
minutes is found by its claim, which holds the delivery in whose name all of it is done:

claim it ──> alone? ──> does it stand? ──> its state, and that it is repeated
                             └──> carry it out ──> refused, and nothing was done: the claim is given back
                                       └──> it stands: its state

A run that dies leaves the claim and nothing that stands: the next one carries it out under the same delivery, which is
what the operations are made for.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple

from bot.agents.following import Following, is_asked_by, open_ones
from bot.agents.offers import refs_of
from bot.agents.shapes import Told
from bot.agents.states import Known
from bot.answers import Answer
from bot.answers.acts import Acted
from bot.answers.questions import Waits
from bot.errors import AskedAlready, BotError, StoreError, did_nothing
from bot.models.asked import REPEATED_WITHIN, Asked
from bot.models.caller import Caller
from bot.models.circleci import ProjectSlug
from bot.models.pending import Deployment, Pending
from bot.models.slack import utc_now
from bot.models.slugs import spelled_alike
from bot.models.target import Target
from bot.requests import OfTarget, Request
from bot.routing import Command, Context
from bot.settings import Projects
from formatters.links import Links
from formatters.told import told
from formatters.told.words import known, quoted, ref_of

AT_MOST = timedelta(seconds=40)  # to wait for a run before this one; clients hang up after sixty
MOST_TRIES, MOST_OPEN, MOST_OF_ONE = 5, 3, 12  # the last: of all agents of one person
_ONE_BY_ONE = "What you asked for before is still being carried out: ask the same again soon."
_ENOUGH = f"Nothing was done: {MOST_OPEN} of your requests wait for people, and are to be answered first. A person can "
_ENOUGH += "decline them in Slack."
_ENOUGH_OF_ONE = f"Nothing was done: {MOST_OF_ONE} requests of your owner's agents wait for people or are on their "
_ENOUGH_OF_ONE += "way, and are to be answered first. A person can decline them in Slack."


def handler(command: Command) -> Callable[[Any, Caller, Context], Awaitable[Answer]]:
    """Return what carries out a call of a command."""
    return (command.tool.handle if command.tool else None) or command.handle


class Call(NamedTuple):
    """What is asked for, and by which claim the same is found again."""

    command: Command
    name: str
    request: Request
    claim: str

    @property
    def stops(self) -> bool:
        """Say whether it is to stop something."""
        return self.name == "cancel"


class Acts:
    """Carries out what agents ask for, and answers by what the store knows of it then."""

    def __init__(self, context: Context, following: Following, links: Links) -> None:
        self._context = context
        self._store = context.store
        self._following = following
        self._links = links

    async def ask(self, command: Command, name: str, request: Request, caller: Caller, key: str) -> Told:
        """Return how it stands; raises what the act does."""
        call = Call(command, name, request, claim_of(caller, name, request, key, self._context.projects))
        lease = self._context.settings.lease
        for _ in range(MOST_TRIES):
            first = await self._store.claims.claim(call.claim, caller.delivery_id, REPEATED_WITHIN)
            async with self._store.asked.alone(first, lease, wait=AT_MOST) as alone:
                if not alone:
                    return Told({"of": first, "state": "being carried out", "finished": False, "repeated": True})
                # What came to nothing while this one waited has given it back, and may be asked for anew.
                if await self._store.claims.holder(call.claim) == first:
                    if (known := await self._following.known(first)).stands:
                        return await self._repeated(known, caller, first)
                    return await self._in_turn(call, caller.model_copy(update={"delivery_id": first, "key": key}))
        raise StoreError(f"{call.name} is asked for all the time")

    async def _repeated(self, known: Known, caller: Caller, first: str) -> Told:
        if known.asked and not known.asked.stands and known.pending:  # whoever asked died before that was kept
            await self._store.asked.save(await self._asking(known.asked, known.pending, caller))
        state = await self._stands(await self._store.asked.get(first) or known.asked, first, caller)
        anew = "With another `key` it is asked for anew." if state.data["finished"] else ""
        note = " ".join(one for one in (state.data.get("note", ""), anew) if one)
        return state._replace(data={**state.data, "repeated": True, **({"note": note} if note else {})})

    async def _in_turn(self, call: Call, caller: Caller) -> Told:
        """Carry it out once the same agent's others have been: else all would be counted before one stands."""
        turn = f"each:{caller.agent}"
        async with self._store.asked.alone(turn, self._context.settings.lease, wait=AT_MOST) as alone:
            if not alone:
                return Told({"what": _ONE_BY_ONE}, asks_back=True)
            return await self._carried_out(call, caller)

    async def _carried_out(self, call: Call, caller: Caller) -> Told:
        whose = f"{caller.person_id}:{'stops' if call.stops else 'starts'}"
        async with self._store.asked.under_way(whose, caller.delivery_id) as beside:
            if enough := await self._enough(call, caller, beside):
                await self._store.claims.release(call.claim)
                return enough
            return await self._begun(call, caller)

    async def _begun(self, call: Call, caller: Caller) -> Told:
        asked = await self._store.asked.save(_asked(call, caller, self._context.projects))
        try:
            answer = await handler(call.command)(call.request, caller, self._context)
        except Waits as waits:
            asked = await self._store.asked.save(await self._asking(asked, waits.question.pending, caller))
        except BotError as error:
            if isinstance(error, AskedAlready) and error.repeats:
                await self._give_back(call.claim, asked)
                return await self._as_before(call, caller, error.repeats)
            if did_nothing(error):
                await self._give_back(call.claim, asked)
                raise
            kept = await self._store.asked.get(asked.id)
            if kept is None or not kept.lost:
                raise
            asked = kept
        else:
            if not isinstance(answer, Acted):
                await self._give_back(call.claim, asked)  # it asks something back, and did nothing
                return Told(told(answer, self._links), refs_of(answer), asks_back=True)
            asked = await self._store.asked.save(_done(asked, answer))
        return await self._stands(asked, asked.id, caller)

    async def _as_before(self, call: Call, caller: Caller, first: str) -> Told:
        """Return how it stands with what the agent did by itself, under another spelling; go on where that died."""
        known = await self._following.known(first)
        if known.stands:
            return await self._repeated(known, caller, first)
        return await self._begun(call, caller.model_copy(update={"delivery_id": first}))

    async def _stands(self, asked: Asked | None, asked_id: str, caller: Caller) -> Told:
        """Return how it stands, with what was asked for: what was not named is by now."""
        state = await self._following.state(asked_id, caller)
        of, data = state.data["of"], {name: one for name, one in state.data.items() if name != "of"}
        return state._replace(data={"of": of, **(_what(asked) if asked else {}), **data})

    async def _enough(self, call: Call, caller: Caller, beside: frozenset[str]) -> Told | None:
        """Return what waits where people have enough to answer: nobody reads a wall of requests.

        What is to be stopped does not wait until what is to be started was answered. `beside` are those of its owner's
        other agents that are being carried out.
        """
        waiting = [one for one in await self._following.waiting_of_all(caller) if one.id != caller.delivery_id]
        alike = [one for one in waiting if (one.wish.kind == "cancel") is call.stops]
        own = [one for one in alike if is_asked_by(one, caller)]
        if len(own) >= MOST_OPEN:
            return Told({"what": _ENOUGH, **open_ones(own)}, asks_back=True)
        if len({one.id for one in alike} | beside) >= MOST_OF_ONE:
            return Told({"what": _ENOUGH_OF_ONE, **open_ones(alike)}, asks_back=True)
        return None

    async def _give_back(self, claim: str, asked: Asked) -> None:
        await self._store.claims.release(claim)
        await self._store.asked.forget(asked.id)

    async def _asking(self, asked: Asked, pending: Pending, caller: Caller) -> Asked:
        """Return it with who may let it happen, and where: that is found out once, and not by all who follow."""
        wish, permissions = pending.wish, self._context.permissions
        question = await permissions.asked(caller, wish.kind, wish.project_slug, wish.ref, title=wish.project_title)
        place, url = pending.asker.place, ""
        if pending.request_ts and place:
            url = await self._context.messenger.permalink(place.channel_id, pending.request_ts)
        found = {
            "who": (caller.name,) if place and place.is_direct else await permissions.could(question),
            "url": url,
            "stands": True,
            "project_slug": wish.project_slug,
            "project_title": wish.project_title,
            "ref": wish.ref,
            "pipeline_number": None if isinstance(wish, Deployment) else wish.pipeline_number,
        }
        return asked.model_copy(update=found)


def _what(asked: Asked) -> dict[str, Any]:
    """Return what was asked for, by its names."""
    title = quoted(asked.project_title or asked.project_slug)
    return known(act=asked.tool, quoted_project=title, **ref_of(asked.ref), pipeline=asked.pipeline_number)


def _asked(call: Call, caller: Caller, projects: Projects) -> Asked:
    slug, ref = call.request.about(projects)
    return Asked(
        id=caller.delivery_id,
        agent=caller.agent,
        agent_since=caller.agent_since,
        owner_id=caller.person_id,
        tool=call.name,
        asked_at=utc_now(),
        project_slug=slug or ProjectSlug(""),
        ref=ref,
    )


def _done(asked: Asked, acted: Acted) -> Asked:
    attempt = int(acted.detail) if asked.tool == "rerun" and acted.detail.isdigit() else 0
    found = {
        "stands": True,
        "project_slug": acted.project_slug,
        "project_title": acted.project_title,
        "ref": acted.ref,
        "pipeline_id": acted.pipeline_id,
        "pipeline_number": acted.pipeline_number,
        "attempt": attempt,
    }
    return asked.model_copy(update=found)


def claim_of(caller: Caller, tool: str, request: Request, key: str, projects: Projects) -> str:
    """Return what names the same act by the same agent, however what it is about is spelled; with another key another.

    Of a link counts what it leads to. A later agent of the same name is another one.
    """
    target = request.target(projects) if isinstance(request, OfTarget) else Target()
    named = [spelled_alike(target.slug or ""), target.model_dump(mode="json", exclude={"slug", "link"})]
    more = request.model_dump(mode="json", exclude=set(OfTarget.model_fields))
    agent = [caller.agent, caller.person_id, str(caller.agent_since)]
    same = json.dumps([*agent, tool, named, more, key], sort_keys=True)
    return f"asked-by-agent:{hashlib.sha256(same.encode(errors='replace')).hexdigest()}"
