"""Looks at a build of a branch with subscribers until its end is certain, and has that judged."""

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Rejected, Spent, StoreError, Unauthorized
from bot.models.build import Build, State
from bot.models.circleci import Pipeline, PipelineId
from bot.models.news import News
from bot.models.slack import utc_now
from bot.models.subscription import Event
from bot.models.told import Reason, Why
from bot.settings import Settings
from bot.store import Store
from bot.store.watches import Seen
from bot.watching.branches import is_red
from bot.watching.hearing import Hearing
from bot.watching.inbox import count, wanted_by
from bot.watching.line import Waiting, standing
from bot.watching.operator import Operator
from bot.watching.schedule import QUIET, Claim, Ending, ending, rank
from bot.watching.triager import final_key

SHARE, LONGEST, QUICKEST = 3, 12, 5  # of its age; pauses between two lists; a part of one
MOST_AGAIN = 8  # looks at what ended red, each after twice the pause: for half a day, by default
GONE_AFTER = 10  # looks in a row
A_MOMENT, A_WHILE = timedelta(minutes=10), timedelta(minutes=1)
NO_TROUBLE = {"waits_since": None, "failures": 0, "gone": 0, "broken": 0, "untold": None}
log = structlog.get_logger(__name__)


class Judge(Protocol):
    """Who decides what channels are told of a build that is over, and tells them."""

    async def judged(self, build: Build, but: Collection[str] = ()) -> timedelta | None:
        """Tell each channel what it has subscribed to; returns the pause before another try, None where all is told.

        Those with the marks of `but` are told nothing. Of a build that passed, the jobs may not have been read.
        """

    async def was_there(self, build: Build, marks: Collection[str]) -> timedelta | None:
        """Note for subscriptions with these marks that it had ended before they were made; returns the same."""

    async def waits(self, build: Build) -> timedelta | None:
        """Tell them what of it waits for an approval, or what became of that; returns the same. All jobs were read."""

    async def holds(self, build: Build) -> timedelta | None:
        """Tell them of a build that waits for a person that it has repaired its branch, if it has; returns the same."""


class Own(Protocol):
    """Who tells people of their own builds."""

    async def are_about(self, pipeline: Pipeline) -> bool:
        """Say whether anybody wants to be told of a build as their own."""

    async def is_read(self, pipeline: Pipeline) -> None:
        """Note whose it is that is looked at."""

    async def over(self, build: Build) -> timedelta | None:
        """Tell of an end, as above."""

    async def goes_on(self, build: Build) -> None:
        """Tell of what waits in a build that has not ended."""


class Newsreader:
    """One look at a time for each build; what a watch reads is not read once more."""

    def __init__(
        self, settings: Settings, store: Store, looks: Reads, judge: Judge, own: Own, operator: Operator
    ) -> None:
        self._settings = settings
        self._store = store
        self._looks = looks
        self._judge = judge
        self._own = own
        self._operator = operator
        self._hearing = Hearing(settings, store.hooks)

    async def look(self, pipeline_id: PipelineId) -> timedelta | None:
        """Look once; returns the pause before the next look, None when there is none."""
        async with self._store.news.alone(pipeline_id, self._settings.lease) as alone:
            if not alone:
                return self._settings.pace
            before, kept = await self._store.news.knocks(pipeline_id), await self._store.news.get(pipeline_id)
            if await self._has_an_older_before_it(kept):
                return self._settings.pace
            pause = await self._look(pipeline_id, kept, before)
            await self._has_had_its_turn(kept)
            if await self._store.news.knocks(pipeline_id) != before:
                return self._settings.settle  # a webhook came, of something that was not to be seen yet
            if pause is None:
                await self._store.news.end(pipeline_id)
            else:
                await self._told(pipeline_id, Why.AWAITED, again_at=utc_now() + pause)
            return pause

    async def _has_an_older_before_it(self, kept: News) -> bool:
        """Say whether an older build of its branch was found with it: what ended meanwhile is told in order."""
        if not (pipeline := kept.pipeline) or not pipeline.ref or kept.fingerprint:
            return False
        is_late = utc_now() - kept.since > A_MOMENT
        return not is_late and await self._store.news.is_found_after(
            pipeline.project_slug, str(pipeline.ref), pipeline.number
        )

    async def _has_had_its_turn(self, kept: News) -> None:
        if (pipeline := kept.pipeline) and pipeline.ref and not kept.fingerprint:
            await self._store.news.had_its_turn(pipeline.project_slug, str(pipeline.ref), pipeline.number)

    async def _look(self, pipeline_id: PipelineId, kept: News, knocks: int) -> timedelta | None:
        try:
            place = rank(Claim.NONE, kept.waits_since or utc_now(), self._settings)
            with standing(Waiting(f"news:{pipeline_id}", place, is_alone=False)):
                return await self._told_and_read(pipeline_id, kept, knocks)
        except Spent as error:
            waits = kept.model_copy(update={"waits_since": kept.waits_since or utc_now()})
            await self._store.news.save(pipeline_id, waits)
            return error.retry_after
        except CircleCIError as error:
            return await self._unread(pipeline_id, kept, error)
        except StoreError:
            raise
        except Exception:
            log.exception("news_broke", pipeline=pipeline_id)
            return await self._in_vain(pipeline_id, kept.model_copy(update={"broken": kept.broken + 1}))

    async def _told_and_read(self, pipeline_id: PipelineId, kept: News, knocks: int) -> timedelta | None:
        """Read it, and tell people beside that what they could not be told; what is not due is not read for that."""
        if kept.unsaid is None:
            pause = await self._read(pipeline_id, kept)
        else:
            kept = await self._owners_hear(kept.unsaid, kept)
            await self._store.news.save(pipeline_id, kept)
            is_due = knocks != kept.knocks or (kept.due is not None and kept.due <= utc_now())
            rest = None if kept.due is None else kept.due - utc_now()
            pause = await self._read(pipeline_id, kept) if is_due or kept.untold else rest
        kept = await self._store.news.get(pipeline_id)
        if kept.unsaid is None or kept.say_at is None:
            return pause
        due = None if pause is None else utc_now() + pause
        await self._store.news.save(pipeline_id, kept.model_copy(update={"due": due, "knocks": knocks}))
        until = max(kept.say_at - utc_now(), self._settings.pace)
        return until if pause is None else min(pause, until)

    async def _owners_hear(self, build: Build, kept: News) -> News:
        """Have people told of an end, and return what is kept with when to try again, where somebody could not be."""
        late = await self._own.over(build)
        unsaid = {"unsaid": None, "say_at": None} if late is None else {"unsaid": build, "say_at": utc_now() + late}
        return kept.model_copy(update=unsaid)

    async def _read(self, pipeline_id: PipelineId, kept: News) -> timedelta | None:
        kept, untold = kept.model_copy(update=NO_TROUBLE), kept.untold
        if untold is not None:
            return await self._over(untold, kept)
        followed = await self._followed(pipeline_id, kept)
        pipeline = followed.pipeline if followed else kept.pipeline
        if pipeline is None or (kept.may_tell_more and not followed):
            pipeline = await self._looks.pipeline(pipeline_id)
        rules = await self._store.subscriptions.of_project(pipeline.project_slug)
        rules = wanted_by(rules, pipeline.ref, pipeline.actor)
        if not rules and not await self._own.are_about(pipeline):
            count("unwanted")
            await self._told(pipeline_id, Why.UNWANTED)
            await self._store.news.forget(pipeline_id)
            return None
        await self._own.is_read(pipeline)
        build = followed or await self._looks.outline(pipeline)
        kept = kept.model_copy(update={"pipeline": pipeline})
        if not any(Event.WAITING in rule.events for rule in rules):
            return await self._seen(build, kept, is_read=followed is not None)
        late = await self._waits(build, kept)
        held = {"held": _waits(build)} if late is None else {}
        pause = await self._seen(build, kept.model_copy(update=held), is_read=followed is not None)
        return pause if late is None else min(late, pause or late)

    async def _waits(self, build: Build, kept: News) -> timedelta | None:
        """Have it told what waits for somebody, and what became of what was told."""
        if not (_waits(build) or kept.held):
            return None
        has_jobs = all(run.jobs for run in build.runs)
        return await self._judge.waits(build if has_jobs else await self._looks.whole(build.pipeline))

    async def _followed(self, pipeline_id: PipelineId, kept: News) -> Build | None:
        """Return a build that a thread follows, where it need not be read once more: it runs, or its end was told."""
        (last,) = await self._store.watches.seen([pipeline_id])
        if last.build is None:
            return None
        is_polled = bool(await self._store.watches.watched([pipeline_id]))
        if _is_told(last):
            return last.build if is_polled or kept.judged != last.build.fingerprint else None
        return last.build if is_polled and last.build.runs and not last.build.workflows_finished else None

    async def _seen(self, build: Build, kept: News, *, is_read: bool) -> timedelta | None:
        is_told = is_read and (build.workflows_finished or not build.runs)
        end = Ending(is_final=True) if is_told else self._ending(build, kept)
        if end.is_final and not is_told and kept.judged != _attempt(build):
            build = await self._whole(build)
            end = self._ending(build, kept)  # it may have begun again meanwhile
        kept = self._noted(build, kept)
        if not end.is_final:
            await self._own.goes_on(build)
            await self._store.news.save(build.pipeline.id, kept)
            late = await self._judge.holds(build) if build.state is State.ON_HOLD else None
            pause = await self._pause(build, end, kept)
            return pause if late is None else min(late, pause or late)
        return await self._over(build, kept)

    async def _over(self, build: Build, kept: News) -> timedelta | None:
        """Have an end judged; what could not be told for a moment is not read again before it is."""
        if kept.judged == _attempt(build) and kept.there:
            if (late := await self._judge.was_there(build, _ended_before(build, kept))) is not None:
                await self._store.news.save(build.pipeline.id, kept)
                return late
            kept = kept.model_copy(update={"there": {}})
        if kept.judged != _attempt(build):
            late, kept = await self._all_hear(build, kept)
            if late is not None:
                untold = {"untold": build if late < A_MOMENT else None}
                await self._store.news.save(build.pipeline.id, kept.model_copy(update=untold))
                return late
            kept = kept.model_copy(update={"judged": _attempt(build), "again": 0, "there": {}})
        if build.has_failed_on_hold:
            await self._own.goes_on(build)
            await self._store.news.save(build.pipeline.id, kept.model_copy(update={"was_there": False}))
            return await self._pause(build, Ending(is_final=False), kept)
        return await self._after(build, kept)

    def _ending(self, build: Build, kept: News) -> Ending:
        same = kept.fingerprint == build.fingerprint
        over = _over(build)
        first = over.stopped_at or (same and kept.finished_since) or build.read_at
        return ending(over, first if over.workflows_finished else None, self._settings)

    @staticmethod
    def _noted(build: Build, kept: News) -> News:
        same = kept.fingerprint == build.fingerprint and kept.finished_since is not None
        first = (kept.finished_since if same else build.read_at) if _over(build).workflows_finished else None
        may_tell_more = not build.runs or build.only_setup
        now = {"fingerprint": build.fingerprint, "finished_since": first, "may_tell_more": may_tell_more}
        if not _over(build).workflows_finished and not build.is_refused:
            goes_on = {"was_there": False, "there": {}}  # its end is news to all
            return kept.model_copy(update=now | goes_on)
        return kept.model_copy(update=now)

    async def _whole(self, build: Build) -> Build:
        """Return a build with the jobs that failed, where there are any."""
        return await self._looks.whole(build.pipeline) if is_red(build) and build.runs else build

    async def _all_hear(self, build: Build, kept: News) -> tuple[timedelta | None, News]:
        """Have channels told, then people: who is mentioned in a channel is not told the same beside that.

        People do not wait for a channel that takes nothing for a while, nor channels for people. Returns the pause
        before channels are tried again, and what is kept.
        """
        try:
            late = await self._judged(build, kept)
        except CircleCIError:
            await self._own.over(build)
            raise
        if late is not None and late < A_WHILE:
            return late, kept
        return late, await self._owners_hear(build, kept)

    async def _judged(self, build: Build, kept: News) -> timedelta | None:
        """Have it told, where it is news; returns the pause before another try, where not all could be told."""
        await self._hearing.is_told(build.pipeline.project_slug, build)  # an end of which no webhook told is noted
        before = _ended_before(build, kept)
        if before and (late := await self._judge.was_there(build, before)) is not None:
            return late
        if kept.was_there and len(before) == len(kept.there):
            count("old")
            await self._told(build.pipeline.id, Why.WAS_THERE)
        elif (late := await self._judge.judged(build, before)) is not None:
            await self._is_judged(build)  # a newer build may be told before it
            return late
        elif is_red(build) is None:
            count("no_news")
            await self._told(build.pipeline.id, Why.NO_NEWS, state=build.state)
        else:
            count("judged")
            await self._is_judged(build)
        return None

    async def _is_judged(self, build: Build) -> None:
        """Note that channels are to know of it, where it says how its branch stands."""
        if (ref := build.pipeline.ref) is not None and is_red(build) is not None:
            await self._store.news.note_judged(build.pipeline.project_slug, str(ref), build.pipeline.number)

    async def _after(self, build: Build, kept: News) -> timedelta | None:
        """Look at what ended red for a while, the newest of its branch: somebody may rerun it on CircleCI's own page.

        No list tells of that.
        """
        pipeline, pause = build.pipeline, self._settings.subscription * (1 << kept.again)
        now = {"again": kept.again + 1, "was_there": False}
        await self._store.news.save(pipeline.id, kept.model_copy(update=now))
        if kept.was_there or not is_red(build) or kept.again >= MOST_AGAIN or pipeline.ref is None:
            return None
        newest = await self._store.news.newest_judged(pipeline.project_slug, str(pipeline.ref))
        return pause if newest <= pipeline.number else None

    async def _pause(self, build: Build, end: Ending, kept: News) -> timedelta | None:
        if self._is_too_old(kept) and build.quiet > timedelta(days=self._settings.retention_days):
            await self._given_up(build.pipeline.id)
            return None
        if end.wait is not None:
            return max(end.wait, self._settings.pace)
        is_told = await self._hearing.is_told(build.pipeline.project_slug, build)
        return next_look(build, self._settings.subscription, is_told=is_told)

    async def _unread(self, pipeline_id: PipelineId, kept: News, error: CircleCIError) -> timedelta | None:
        if isinstance(error, Unauthorized):
            error.is_told = await self._operator.token_refused(error.token)
        log.info("news_unreadable", pipeline=pipeline_id, error=repr(error), failures=kept.failures)
        is_gone = isinstance(error, Rejected) and error.is_gone
        return await self._in_vain(pipeline_id, kept.model_copy(update={"gone": kept.gone + 1 if is_gone else 0}))

    async def _in_vain(self, pipeline_id: PipelineId, kept: News) -> timedelta | None:
        """Look ever more rarely at what cannot be read, or told because of ourselves, and in the end no more."""
        kept = kept.model_copy(update={"failures": kept.failures + 1})
        await self._store.news.save(pipeline_id, kept)
        if kept.gone >= GONE_AFTER or kept.broken >= GONE_AFTER or self._is_too_old(kept):
            await self._given_up(pipeline_id)
            return None
        quickest, longest = self._settings.subscription / QUICKEST, self._settings.subscription * LONGEST
        return min(quickest * (1 << min(kept.failures - 1, 10)), longest)

    async def _given_up(self, pipeline_id: PipelineId) -> None:
        log.warning("news_given_up", pipeline=pipeline_id)
        count("given_up")
        await self._told(pipeline_id, Why.GIVEN_UP)

    async def _told(self, pipeline_id: PipelineId, why: Why, **more: object) -> None:
        """Keep why whoever has subscribed is not told of a build, or not yet."""
        await self._store.told.note(pipeline_id, Reason.model_validate({"why": why, "at": utc_now(), **more}))

    def _is_too_old(self, kept: News) -> bool:
        return utc_now() - kept.since > timedelta(days=self._settings.retention_days)


def next_look(build: Build, every: timedelta, *, is_told: bool) -> timedelta:
    """Return how long to leave a build alone that goes on, where lists are read so often. Pure.

    Its end is told by webhook, or seen late by no more than a third of the time that it has taken by then. What has
    been on hold for hours is looked at ever more rarely.
    """
    after = every * SHARE if is_told else min(max(build.elapsed / SHARE, every / QUICKEST), every)
    return min(after * (1 + build.quiet // QUIET), every * LONGEST)


def _over(build: Build) -> Build:
    """Return what of a build has to be over: where a workflow has failed, not those that wait for a person."""
    return build.without_holds if build.has_failed_on_hold else build


def _ended_before(build: Build, kept: News) -> set[str]:
    """Return the marks of the subscriptions that were made after it had ended, on our clock: CircleCI's may differ."""
    ended = utc_now() - (build.read_at - (_over(build).stopped_at or build.pipeline.created_at))
    return {mark for mark, made_at in kept.there.items() if ended <= made_at}


def _waits(build: Build) -> bool:
    return any(run.workflow.status == State.ON_HOLD for run in build.runs)


def _attempt(build: Build) -> str:
    """Name what is judged: an attempt, and once more when what was on hold beside its failure is over."""
    return build.fingerprint + ("+" if build.has_failed_on_hold else "")


def _is_told(seen: Seen) -> bool:
    return seen.build is not None and any(final_key(seen.build) in watch.told for watch in seen.watches)
