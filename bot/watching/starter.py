"""Starts a pipeline for an attempt, once, whatever is lost on the way.

recorded ──POST──> answered ──────────────> followed
             └──> refused, in words
             └──> no answer: looked for ──> found: followed
                                      └───> given up, in words; never sent again
"""

from datetime import timedelta
from enum import StrEnum

import structlog

from bot import metrics
from bot.circleci.reads import Reads
from bot.circleci.writes import Writes
from bot.errors import CircleCIError, SlackError, Unavailable
from bot.messenger import Messenger
from bot.models.attempt import Attempt, Refusal
from bot.models.circleci import Pipeline, PipelineId
from bot.models.slack import Invocation, Watch, utc_now
from bot.settings import Settings
from bot.store import Store
from bot.watching.engine import Engine
from formatters import answers

log = structlog.get_logger(__name__)

LOOKS = 5


class Start(StrEnum):
    """How a start went: the pipeline is followed, or its answer is being looked for."""

    FOLLOWED = "followed"
    LOOKED_FOR = "looked_for"


class Starter:
    """Sends triggers and follows what they began."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        circleci: Reads,
        writes: Writes,
        messenger: Messenger,
        engine: Engine,
    ) -> None:
        self._settings = settings
        self._store = store
        self._circleci = circleci
        self._writes = writes
        self._messenger = messenger
        self._engine = engine

    async def start(self, attempt: Attempt) -> Start:
        """Start the recorded attempt, or go on where a run before was cut off; raises what CircleCI refused."""
        attempt = await self._store.attempts.get(attempt.id) or attempt
        if attempt.refusal is not None:
            raise attempt.refusal.error  # a run before this one may have died before it could say so
        if attempt.pipeline_id is not None or attempt.over:
            return await self._follow(attempt)
        if attempt.sent_at is not None:
            return await self._look_later(attempt)
        metrics.DEPLOYS.labels("asked").inc()
        newest = await self._circleci.newest_number(attempt.project_slug)
        attempt = await self._store.attempts.save(
            attempt.model_copy(update={"newest_number": newest, "sent_at": utc_now()})
        )
        try:
            attempt = await self._send(attempt)
        except Unavailable as error:
            if error.arrived:
                metrics.DEPLOYS.labels("answer_lost").inc()
                log.warning("trigger_answer_lost", attempt=attempt.id, reason=error.reason)
                return await self._look_later(attempt)
            await self._refused(attempt, error)
            raise
        except CircleCIError as error:
            await self._refused(attempt, error)
            raise
        return await self._follow(attempt)

    async def follow_here(self, pipeline: Pipeline, title: str, invocation: Invocation) -> bool:
        """Let the place somebody spoke in follow a pipeline; False when it does already."""
        if any(_is_here(watch, invocation) for watch in await self._store.watches.of(pipeline.id)):
            return False
        name = invocation.user_name or await self._messenger.user_name(invocation.user_id)
        watch = Watch.of(pipeline, title, invocation.model_copy(update={"user_name": name}))
        await self._store.watches.add(watch)
        await self._engine.wake(pipeline.id)
        return True

    async def leave(self, pipeline_id: PipelineId, invocation: Invocation) -> bool:
        """Let the place somebody spoke in follow a pipeline no more; False when it did not."""
        async with self._store.watches.fence(pipeline_id, self._settings.lease, wait=self._settings.lease):
            here = [watch for watch in await self._store.watches.of(pipeline_id) if _is_here(watch, invocation)]
            for watch in here:
                await self._store.watches.remove(watch)
        return bool(here)

    async def look_for(self, attempt_id: str) -> timedelta | None:
        """Look whether a trigger whose answer was lost began after all; returns the pause before the next look."""
        attempt = await self._store.attempts.get(attempt_id)
        if attempt is None or attempt.over:
            return None
        if attempt.pipeline_id is not None:
            await self._follow(attempt)
            return None
        try:
            found = await self._find(attempt)
        except CircleCIError as error:
            log.warning("lost_answer_not_looked_for", attempt=attempt_id, error=repr(error))
            found = None
        if found is not None:
            metrics.DEPLOYS.labels("found").inc()
            await self._follow(await self._store.attempts.save(attempt.started(found.id, found.number)))
            return None
        return await self._looked_in_vain(attempt)

    async def _send(self, attempt: Attempt) -> Attempt:
        slug, ref, parameters = attempt.project_slug, attempt.ref, attempt.parameters
        if attempt.definition_id:
            answer = await self._writes.run_pipeline(slug, attempt.definition_id, ref, parameters)
        else:
            answer = await self._writes.trigger(slug, ref, parameters)
        metrics.DEPLOYS.labels("started").inc()
        structlog.contextvars.bind_contextvars(result=f"#{answer.number}")
        return await self._store.attempts.save(attempt.started(answer.id, answer.number))

    async def _follow(self, attempt: Attempt) -> Start:
        if attempt.pipeline_id is None or attempt.pipeline_number is None:
            return Start.FOLLOWED  # its answer was looked for in vain, and that was said
        await self._store.claims.claim(f"pipeline:{attempt.pipeline_id}", attempt.id)
        await self._store.watches.add(_watch(attempt))
        await self._engine.wake(attempt.pipeline_id)
        return Start.FOLLOWED

    async def _look_later(self, attempt: Attempt) -> Start:
        await self._engine.look_for(attempt.id, self._settings.poll_interval / 2)
        return Start.LOOKED_FOR

    async def _find(self, attempt: Attempt) -> Pipeline | None:
        """Return the oldest pipeline of ours that is newer than the attempt and that no other attempt began."""
        mine = await self._circleci.my_pipelines(attempt.project_slug)
        for pipeline in sorted(mine, key=lambda one: one.number):
            if pipeline.number <= attempt.newest_number or pipeline.ref not in (attempt.ref, None):
                continue
            if await self._store.claims.claim(f"pipeline:{pipeline.id}", attempt.id) == attempt.id:
                return pipeline
        return None

    async def _looked_in_vain(self, attempt: Attempt) -> timedelta | None:
        attempt = await self._store.attempts.save(attempt.model_copy(update={"looks": attempt.looks + 1}))
        if attempt.looks < LOOKS:
            return self._settings.poll_interval
        metrics.DEPLOYS.labels("not_found").inc()
        message = answers.lost_answer_not_found(attempt.ref, attempt.project_title)
        try:
            await self._messenger.whisper(
                attempt.thread.channel_id, attempt.asker_id, message, thread_ts=attempt.thread.thread_ts
            )
        except SlackError as error:
            log.warning("asker_not_told", attempt=attempt.id, method=error.method, code=error.code)
        await self._store.attempts.save(attempt.model_copy(update={"over": True}))
        return None

    async def _refused(self, attempt: Attempt, error: CircleCIError) -> None:
        metrics.DEPLOYS.labels("refused").inc()
        await self._store.attempts.save(attempt.model_copy(update={"over": True, "refusal": Refusal.of(error)}))


def _is_here(watch: Watch, invocation: Invocation) -> bool:
    """Say whether a watch tells the thread somebody spoke in, or outside of threads their channel."""
    same_channel = watch.thread.channel_id == invocation.channel_id
    return same_channel and invocation.thread_ts in (None, watch.reply_ts)


def _watch(attempt: Attempt) -> Watch:
    assert attempt.pipeline_id is not None  # noqa: S101  # for mypy: the caller has looked
    assert attempt.pipeline_number is not None  # noqa: S101  # likewise
    return Watch(
        id=attempt.id,
        pipeline_id=attempt.pipeline_id,
        pipeline_number=attempt.pipeline_number,
        project_slug=attempt.project_slug,
        project_title=attempt.project_title,
        ref=attempt.ref,
        thread=attempt.thread,
        asker_id=attempt.asker_id,
        asker_name=attempt.asker_name,
        asked_at=attempt.asked_at,
        note=attempt.note,
    )
