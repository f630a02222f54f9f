"""Has an end judged once it is certain, and says when a build is to be looked at again."""

from datetime import datetime, timedelta

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError
from bot.models.build import Build, State
from bot.models.circleci import PipelineId
from bot.models.news import News
from bot.models.slack import utc_now
from bot.models.told import Why
from bot.settings import Settings
from bot.store import Store
from bot.watching.branches import is_red
from bot.watching.hearers import Judge, Own
from bot.watching.hearing import Hearing
from bot.watching.inbox import count
from bot.watching.noting import note_for_all
from bot.watching.schedule import QUIET, Ending, ending

SHARE, LONGEST, QUICKEST = 3, 12, 5  # of its age; pauses between two lists; a part of one
MOST_AGAIN = 8  # looks at what ended red, each after twice the pause: for half a day, by default
A_MOMENT, A_WHILE = timedelta(minutes=10), timedelta(minutes=1)

log = structlog.get_logger(__name__)


class Judging:
    """What is kept of a build is handed in, and saved with what was found."""

    def __init__(self, settings: Settings, store: Store, looks: Reads, judge: Judge, own: Own) -> None:
        self._settings = settings
        self._store = store
        self._looks = looks
        self._judge = judge
        self._own = own
        self._hearing = Hearing(settings, store.hooks)

    async def seen(self, build: Build, kept: News, *, is_read: bool) -> timedelta | None:
        """Take in what was seen of it, and return the pause before the next look; `is_read` for a thread already."""
        is_told = is_read and (build.workflows_finished or not build.runs)
        end = Ending(is_final=True) if is_told else self._ending(build, kept)
        if end.is_final and not is_told and kept.judged != attempt(build):
            build = await self._whole(build)
            end = self._ending(build, kept)  # it may have begun again meanwhile
        kept = self._noted(build, kept)
        if not end.is_final:
            await self._own.goes_on(build)
            await self._store.news.save(build.pipeline.id, kept)
            late = await self._judge.holds(build) if build.state is State.ON_HOLD else None
            pause = await self._pause(build, end, kept)
            return pause if late is None else min(late, pause or late)
        return await self.over(build, kept)

    async def over(self, build: Build, kept: News) -> timedelta | None:
        """Have an end judged; what could not be told for a moment is not read again before it is."""
        if kept.judged == attempt(build) and kept.there:
            if (late := await self._judge.was_there(build, _ended_before(build, kept))) is not None:
                await self._store.news.save(build.pipeline.id, kept)
                return late
            kept = kept.model_copy(update={"there": {}})
        if kept.judged != attempt(build):
            late, kept = await self._all_hear(build, kept)
            if late is not None:
                untold = {"untold": build if late < A_MOMENT else None}
                await self._store.news.save(build.pipeline.id, kept.model_copy(update=untold))
                return late
            now = {"judged": attempt(build), "again": 0, "there": {}, "heard_since": None}
            kept = kept.model_copy(update=now)
        if build.has_failed_on_hold:
            await self._own.goes_on(build)
            await self._store.news.save(build.pipeline.id, kept.model_copy(update={"was_there": False}))
            return await self._pause(build, Ending(is_final=False), kept)
        return await self._after(build, kept)

    async def owners_hear(self, build: Build, kept: News) -> News:
        """Have people told of an end, and return what is kept with when to try again, where somebody could not be."""
        late = None if _was_over(build, kept) else await self._own.over(build)
        unsaid = {"unsaid": None, "say_at": None} if late is None else {"unsaid": build, "say_at": utc_now() + late}
        return kept.model_copy(update=unsaid)

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
            goes_on = {"was_there": False, "there": {}, "heard_since": None}  # its end is news to all
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
            await self.owners_hear(build, kept)
            raise
        if late is not None and late < A_WHILE:
            return late, kept
        return late, await self.owners_hear(build, kept)

    async def _judged(self, build: Build, kept: News) -> timedelta | None:
        """Have it told, where it is news; returns the pause before another try, where not all could be told."""
        await self._hearing.is_told(build.pipeline.project_slug, build)  # an end of which no webhook told is noted
        before = _ended_before(build, kept)
        if before and (late := await self._judge.was_there(build, before)) is not None:
            return late
        if kept.was_there and len(before) == len(kept.there):
            count("old")
            await note_for_all(self._store.told, build.pipeline.id, Why.WAS_THERE)
        elif (late := await self._judge.judged(build, before)) is not None:
            await self._is_judged(build)  # a newer build may be told before it
            return late
        elif is_red(build) is None:
            count("no_news")
            await note_for_all(self._store.told, build.pipeline.id, Why.NO_NEWS, state=build.state)
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
        if self.is_too_old(kept) and build.quiet > timedelta(days=self._settings.retention_days):
            await self.give_up(build.pipeline.id)
            return None
        if end.wait is not None:
            return max(end.wait, self._settings.pace)
        is_told = await self._hearing.is_told(build.pipeline.project_slug, build)
        return next_look(build, self._settings.subscription, is_told=is_told)

    async def give_up(self, pipeline_id: PipelineId) -> None:
        """Say for who asks that it is looked at no more, though its end was not seen."""
        log.warning("news_given_up", pipeline=pipeline_id)
        count("given_up")
        await note_for_all(self._store.told, pipeline_id, Why.GIVEN_UP)

    def is_too_old(self, kept: News) -> bool:
        """Say whether it has been looked at for as long as anything is kept."""
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
    """Return the marks of the subscriptions that were made after it had ended."""
    ended = _ended_at(build)
    return {mark for mark, made_at in kept.there.items() if ended <= made_at}


def _was_over(build: Build, kept: News) -> bool:
    """Say whether it had ended before its project was heard of: who pushed it knows that."""
    return kept.heard_since is not None and _ended_at(build) <= kept.heard_since


def _ended_at(build: Build) -> datetime:
    """Return when it ended on our clock: CircleCI's may differ."""
    return utc_now() - (build.read_at - (_over(build).stopped_at or build.pipeline.created_at))


def attempt(build: Build) -> str:
    """Name what is judged: an attempt, and once more when what was on hold beside its failure is over."""
    return build.fingerprint + ("+" if build.has_failed_on_hold else "")
