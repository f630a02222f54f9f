"""Looks at a build of a branch with subscribers, one look at a time, until nothing more is to be told of it."""

from datetime import timedelta

import structlog

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Rejected, Spent, StoreError, Unauthorized
from bot.models.build import Build, State
from bot.models.circleci import PipelineId
from bot.models.news import News
from bot.models.slack import utc_now
from bot.models.subscription import Event
from bot.models.told import Why
from bot.settings import Settings
from bot.store import Store
from bot.store.watches import Seen
from bot.watching.hearers import Judge, Own
from bot.watching.inbox import count, wanted_by
from bot.watching.judging import A_MOMENT, LONGEST, QUICKEST, Judging
from bot.watching.line import Waiting, standing
from bot.watching.noting import note_for_all
from bot.watching.operator import Operator
from bot.watching.schedule import Claim, rank
from bot.watching.triager import final_key

GONE_AFTER = 10  # looks in a row
NO_TROUBLE = {"waits_since": None, "failures": 0, "gone": 0, "broken": 0, "untold": None}
log = structlog.get_logger(__name__)


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
        self._judging = Judging(settings, store, looks, judge, own)

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
                await note_for_all(self._store.told, pipeline_id, Why.AWAITED, again_at=utc_now() + pause)
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
            kept = await self._judging.owners_hear(kept.unsaid, kept)
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

    async def _read(self, pipeline_id: PipelineId, kept: News) -> timedelta | None:
        kept, untold = kept.model_copy(update=NO_TROUBLE), kept.untold
        if untold is not None:
            return await self._judging.over(untold, kept)
        followed = await self._followed(pipeline_id, kept)
        pipeline = followed.pipeline if followed else kept.pipeline
        if pipeline is None or (kept.may_tell_more and not followed):
            pipeline = await self._looks.pipeline(pipeline_id)
        rules = await self._store.subscriptions.of_project(pipeline.project_slug)
        rules = wanted_by(rules, pipeline.ref, pipeline.actor)
        if not rules and not await self._own.are_about(pipeline):
            count("unwanted")
            await note_for_all(self._store.told, pipeline_id, Why.UNWANTED)
            await self._store.news.forget(pipeline_id)
            return None
        await self._own.is_read(pipeline)
        build = followed or await self._looks.outline(pipeline)
        kept = kept.model_copy(update={"pipeline": pipeline})
        if not any(Event.WAITING in rule.events for rule in rules):
            return await self._judging.seen(build, kept, is_read=followed is not None)
        late = await self._waits(build, kept)
        held = {"held": _waits(build)} if late is None else {}
        pause = await self._judging.seen(build, kept.model_copy(update=held), is_read=followed is not None)
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
        if kept.gone >= GONE_AFTER or kept.broken >= GONE_AFTER or self._judging.is_too_old(kept):
            await self._judging.give_up(pipeline_id)
            return None
        quickest, longest = self._settings.subscription / QUICKEST, self._settings.subscription * LONGEST
        return min(quickest * (1 << min(kept.failures - 1, 10)), longest)


def _waits(build: Build) -> bool:
    return any(run.workflow.status == State.ON_HOLD for run in build.runs)


def _is_told(seen: Seen) -> bool:
    return seen.build is not None and any(final_key(seen.build) in watch.told for watch in seen.watches)
