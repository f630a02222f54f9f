"""`follow`: what becomes of what an agent asked for, or of a build that a thread follows.

However many follow, and however long, CircleCI is asked nothing: this reads what the looks keep. At the end one of them
finds out what `triage` says, for all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog

from bot.agents.readings import Readings
from bot.agents.shapes import Told
from bot.agents.states import Known, Standing, is_its_own, standing
from bot.agents.tools import Follow
from bot.answered import decision_on
from bot.circleci.asked import one_question
from bot.errors import CircleCIError, UsageError, UserError
from bot.models.asked import Asked
from bot.models.build import Build, State
from bot.models.caller import Caller
from bot.models.circleci import PipelineId, ProjectSlug, Ref
from bot.models.pending import Pending
from bot.models.slack import Watch, utc_now
from bot.models.slugs import spelled_alike
from bot.policy import Word
from bot.requests import OfTarget
from bot.routing import Context
from formatters.links import Links
from formatters.told import told
from formatters.told.words import call, known, listing, quoted, when

EVERY = 1.0  # seconds between two readings, or a poll interval where looks come faster
FRESH = 0.5  # of that: so long one reading is good for all who wait for the same
LONGEST, FOR_THE_VERDICT = 42.0, 4.0  # seconds of a call, and what of them is left for the verdict; clients hang up
MOST_OPEN_TOLD = 6
JUDGED = frozenset({State.FAILED, State.COULD_NOT_RUN, State.PASSED})
log = structlog.get_logger(__name__)
_NOT_FOLLOWED = "No thread follows this build for you."
_NOT_FOR_YOU = "What failed is not for your owner to look at."
_NOTHING = "I know of nothing that was asked under this, or it is not for you to see."


class Subject(NamedTuple):
    """What is followed: an act by the id of its asking, or a pipeline."""

    of: str
    pipeline_id: PipelineId | None = None


class Following:
    """Reads the store alone; `pause` is how it waits between two readings, `clock` how it knows how long it has."""

    def __init__(
        self,
        context: Context,
        links: Links,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._store = context.store
        self._links = links
        self._pause, self._every = pause, min(EVERY, context.settings.poll_interval_seconds)
        self._clock = clock
        self._fresh = FRESH * self._every
        self._readings = Readings(self._standing, clock, fresh=self._fresh)

    async def follow(self, request: Follow, caller: Caller) -> Told:
        """Answer when it is over, or other than it was told this agent last, or after the wait; raises UserError.

        Who names nothing is told what of its own waits for people.
        """
        if not (request.of or request.project or request.pipeline):
            return Told(open_ones(await self.waiting(caller)))
        subject = await self._subject(request, caller)
        if subject is None:
            return self._not_followed(request)
        before = request.since or await self._store.asked.told(caller.agent, subject.of) or ""
        began = looked = self._clock()
        end = began + min(request.wait, LONGEST - FOR_THE_VERDICT)
        now = await self._readings.since(subject, began)
        while not now.is_over and now.mark == before and self._clock() < end:
            await self._pause(max(min(self._every, end - self._clock()), 0.0))
            looked = max(looked, self._clock() - self._fresh)  # never one before what it was told last
            now = await self._readings.since(subject, looked)
        return await self._told(subject, now, caller, began + LONGEST)

    async def state(self, asked_id: str, caller: Caller) -> Told:
        """Return how what was asked stands now, as an act answers."""
        subject = Subject(asked_id)
        return await self._told(subject, await self._standing(subject), caller, self._clock() + FOR_THE_VERDICT)

    async def known(self, asked_id: str) -> Known:
        """Return all that is kept of what was asked under this id."""
        return await self._read(Subject(asked_id))

    async def waiting(self, caller: Caller) -> list[Pending]:
        """Return what this agent asked for and people have not answered, the oldest first."""
        return [one for one in await self.waiting_of_all(caller) if is_asked_by(one, caller)]

    async def waiting_of_all(self, caller: Caller) -> list[Pending]:
        """Return the same of all agents of its owner's."""
        kept, now = await self._store.pending.waiting_of(caller.person_id), utc_now()
        return [one for one in reversed(kept) if one.asker.agent and not one.was_left(now)]

    async def is_told(self, asked_id: str, caller: Caller) -> bool:
        """Say whether an agent can follow what was asked under this id."""
        asked = await self._store.asked.get(asked_id)
        return asked is not None and await self._may_be_told(asked, caller)

    async def is_followed(self, slug: str, number: int, caller: Caller) -> bool:
        """Say whether an agent can follow a build."""
        return await self._thread_of(slug, number, caller) is not None

    async def _subject(self, request: Follow, caller: Caller) -> Subject | None:
        if request.of:
            if request.project or request.pipeline:
                raise UsageError("It is either `of`, or a project and a pipeline.")
            asked = await self._store.asked.get(request.of)
            if asked is None or not await self._may_be_told(asked, caller):
                raise UsageError(_NOTHING, given=request.of)
            return Subject(asked.id)
        slug, number = self._build(request)
        watch = await self._thread_of(slug, number, caller)
        return Subject(f"{watch.project_slug} #{watch.pipeline_number}", watch.pipeline_id) if watch else None

    def _build(self, request: Follow) -> tuple[str, int]:
        """Return the build that is named, which a link may do alone; raises UsageError."""
        target = OfTarget(project=request.project, pipeline=request.pipeline).target(self._context.projects)
        if not (target.slug and target.pipeline_number):
            raise UsageError("Name what to follow: `of`, or a project and a pipeline.")
        return target.slug, target.pipeline_number

    def _not_followed(self, request: Follow) -> Told:
        slug, number = self._build(request)
        shows = call("status", "how it stands", project=slug, pipeline=number)
        return Told({"what": _NOT_FOLLOWED, "next": [shows]}, asks_back=True)

    async def _may_be_told(self, asked: Asked, caller: Caller) -> bool:
        """Say whether this agent asked, and its owner is not denied to look; or whether they may look."""
        if not asked.project_slug:
            return is_its_own(asked, caller)
        return await self._may_look(
            caller, asked.project_slug, asked.ref, asked.project_title, is_own=is_its_own(asked, caller)
        )

    async def _may_look(
        self, caller: Caller, slug: ProjectSlug, ref: Ref | None, title: str, *, is_own: bool = False
    ) -> bool:
        permissions = self._context.permissions
        decision = await permissions.decision(
            caller, await permissions.asked(caller, Word.READ, slug, ref, title=title)
        )
        return not decision.denied if is_own else decision.allowed

    async def _thread_of(self, slug: str, number: int, caller: Caller) -> Watch | None:
        """Return the thread of a build: one of the agent's channel, or of what its owner asked for or follows."""
        here = await self._store.watches.numbered(caller.channel_id, number)
        theirs = [one.pipeline_id for one in await self._store.own.of(caller.person_id)]
        for pipeline_id in dict.fromkeys((*here, *theirs)):
            for watch in await self._store.watches.of(pipeline_id):  # and not its build, which may be wide
                is_it = watch.pipeline_number == number and spelled_alike(watch.project_slug) == spelled_alike(slug)
                if is_it and await self._may_look(caller, watch.project_slug, watch.ref, watch.project_title):
                    return watch
        return None

    async def _standing(self, subject: Subject) -> Standing:
        known = await self._read(subject)
        return standing(known, await self._names(known), utc_now())

    async def _read(self, subject: Subject) -> Known:
        """Return all that is kept of it, as it is kept now."""
        known = Known() if subject.pipeline_id else await self._act(subject.of)
        pipeline_id = subject.pipeline_id or known.pipeline_id
        if pipeline_id is None:
            return known
        (seen,) = await self._store.watches.seen([pipeline_id])
        is_watched = pipeline_id in await self._store.watches.watched([pipeline_id])
        return known._replace(build=seen.build, watches=seen.watches, is_watched=is_watched)

    async def _act(self, asked_id: str) -> Known:
        return Known(
            asked=await self._store.asked.get(asked_id),
            pending=await self._store.pending.get(asked_id),
            decision=await self._store.claims.holder(decision_on(asked_id)) or "",
            attempt=await self._store.attempts.get(asked_id),
        )

    async def _names(self, known: Known) -> Mapping[str, str]:
        """Return what the people are called whom an end names; Slack is asked at that end alone."""
        messenger = self._context.messenger
        return {one: await messenger.user_name(one) or one for one in sorted(known.people)[:3]}

    async def _told(self, subject: Subject, now: Standing, caller: Caller, end: float) -> Told:
        await self._store.asked.save_told(caller.agent, subject.of, now.mark)
        data = {"of": subject.of, **now.data, "finished": now.is_over, "mark": now.mark}
        if now.ended is not None and now.ended.outcome in JUDGED:
            of = {now.ended.pipeline.number: now.ended.pipeline.ref}
            return Told({**data, "triage": await self._verdict(now.ended, caller, end)}, of)
        return Told(data)

    async def _verdict(self, build: Build, caller: Caller, end: float) -> dict[str, Any]:
        """Return what `triage` says of an end, which one of all who ask finds out; who comes meanwhile waits.

        Whoever may not look is told nothing of what another one found out.
        """
        pipeline = build.pipeline
        if not await self._may_look(caller, pipeline.project_slug, pipeline.ref, ""):
            return {"note": _NOT_FOR_YOU}
        name = self._named(build, caller)
        while self._clock() < end:
            if found := await self._store.asked.verdict(name):
                return found
            async with self._store.asked.judging(build.pipeline.id, self._context.settings.lease) as alone:
                if alone:
                    return await self._find_out(build, caller, name, end)
            await self._pause(self._every)
        return _unread(build)

    async def _find_out(self, build: Build, caller: Caller, name: str, end: float) -> dict[str, Any]:
        """Ask once, and keep it; what cannot be read now is said, and asked for anew by whoever comes next."""
        if found := await self._store.asked.verdict(name):
            return found  # since we looked
        command = self._context.router.commands["triage"]
        request = OfTarget(project=build.pipeline.project_slug, pipeline=build.pipeline.number)
        try:
            async with asyncio.timeout(max(end - self._clock(), 0)):
                with one_question():
                    verdict = told(await command.handle(request, caller, self._context), self._links)
        except (CircleCIError, UserError, TimeoutError) as error:
            log.info("verdict_not_read", pipeline=build.pipeline.id, error=repr(error))
            return _unread(build)
        await self._store.asked.save_verdict(name, verdict)
        return verdict

    def _named(self, build: Build, caller: Caller) -> str:
        """Return what names a verdict: whose it is matters where not everybody may look at what it compares with."""
        minds = self._context.permissions.looks_at_refs(Word.READ)
        whose = f"{caller.person_id}:{caller.agent}" if minds else "all"
        return f"{build.pipeline.id}:{build.mark}:{whose}"


def open_ones(waiting: Sequence[Pending]) -> dict[str, Any]:
    """Return what waits for people, with the calls that follow it."""
    shown = listing("waiting_for_people", waiting, MOST_OPEN_TOLD, _open_one)
    return {**shown, **known(next=[call("follow", of=one.id) for one in waiting[:MOST_OPEN_TOLD]])}


def is_asked_by(one: Pending, caller: Caller) -> bool:
    """Say whether this very agent asked for it."""
    return caller.is_agent_of(one.asker.agent, one.asker.agent_since, one.asker.person_id)


def _open_one(one: Pending) -> dict[str, Any]:
    return known(of=one.id, act=one.wish.kind, quoted_target=quoted(one.target, 80), until=when(one.expires_at))


def _unread(build: Build) -> dict[str, Any]:
    slug, number = build.pipeline.project_slug, build.pipeline.number
    return {"note": "It could not be read in time; ask `triage`.", "project": slug, "pipeline": number}
