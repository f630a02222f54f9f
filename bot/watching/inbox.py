"""Adds the task that looks at a build, where a channel may have subscribed to news of its branch."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import metrics
from bot.circleci.webhooks import Event
from bot.models.build import Build, State
from bot.models.circleci import Pipeline, PipelineId, ProjectSlug, Ref
from bot.models.news import News
from bot.models.slack import utc_now
from bot.models.subscription import Subscription
from bot.store import Store
from bot.watching.engine import NEWS, Engine

ENDED = "workflow-completed"  # the end of a job is none of its build


class Inbox:
    """What nobody has subscribed to costs CircleCI no request.

    A build is written down before its task is added: the sweep adds a task that was lost in between.
    """

    def __init__(self, store: Store, engine: Engine, settle: timedelta) -> None:
        self._store = store
        self._engine = engine
        self._settle = settle

    async def listed(self, pipeline: Pipeline) -> None:
        """Take in a build that stands in a list, once."""
        if await self._store.news.begin(pipeline.id, News(pipeline=pipeline)):
            if pipeline.ref is not None:
                await self._store.news.found(pipeline.project_slug, str(pipeline.ref), pipeline.number)
            await self._engine.add(NEWS, pipeline.id)

    async def was_there(
        self, pipeline: Pipeline, rules: Sequence[Subscription], *, is_new: bool, heard_since: datetime | None = None
    ) -> None:
        """Take in a build that stands in a list when these are new; `is_new` when nobody else wants to hear of it.

        A look finds out whether it had ended by then. Of one that is looked at already, that is noted for them alone.
        Its project is `heard_since` then, where that is known.
        """
        there = {rule.mark: rule.hears_since for rule in rules}
        new = News(pipeline=pipeline, was_there=is_new, there=there, heard_since=heard_since)
        if not await self._store.news.begin(pipeline.id, new):
            kept = await self._store.news.get(pipeline.id)
            is_for_them = kept.was_there or (is_new and not kept.judged)
            now = kept.model_copy(update={"there": kept.there | there, "was_there": is_for_them})
            await self._store.news.save(pipeline.id, now)
            await self._store.news.begin(pipeline.id, now, again=True)
        await self._engine.put(NEWS, pipeline.id, when=utc_now())

    async def may_be_somebodys(self, pipelines: Sequence[Pipeline]) -> None:
        """Take in what stands in a list while anybody wants to be told of their own builds; a look finds out whose."""
        if pipelines and await self._store.notices.any():
            for pipeline in pipelines:
                await self.listed(pipeline)

    async def heard(self, event: Event, pipeline_id: PipelineId) -> bool:
        """Take in a build of which a webhook tells; False where no channel can want to hear of that.

        Of what it says the branch alone is believed, and only where that saves a look: the list tells all the same.
        """
        rules = await self._store.subscriptions.of_project(ProjectSlug(event.project.slug))
        ref = Ref(name=event.branch) if event.branch else None
        is_wanted = bool(wanted_by(rules, ref, None) if ref else rules) or await self._store.notices.any()
        if event.type != ENDED or not is_wanted:
            return False
        if event.mail:
            await self._store.news.note_mail(pipeline_id, event.mail)
        await self._store.news.begin(pipeline_id, News(), again=True)
        await self._store.news.knock(pipeline_id)
        # Sooner its end would not be certain.
        await self._engine.put(NEWS, pipeline_id, when=utc_now() + self._settle)
        return True

    async def ended(self, build: Build) -> None:
        """Take in a build whose end the threads that follow it have been told; a look at it asks CircleCI nothing."""
        pipeline = build.pipeline
        rules = await self._store.subscriptions.of_project(pipeline.project_slug)
        is_wanted = bool(wanted_by(rules, pipeline.ref, pipeline.actor)) or await self._store.notices.any()
        if not is_wanted or (await self._store.news.get(pipeline.id)).judged == build.fingerprint:
            return
        await self._store.news.begin(pipeline.id, News(pipeline=pipeline), again=True)
        await self._engine.put(NEWS, pipeline.id, when=utc_now())

    async def goes_on(self, build: Build) -> None:
        """Take in a build that threads follow when it waits for an approval, and look at it when it goes on."""
        if not await self._store.notices.any():
            return
        waits = f"own-on-hold:{build.pipeline.id}"
        if build.state is State.ON_HOLD:
            await self._store.claims.first(waits)
            await self.listed(build.pipeline)
        elif await self._store.claims.is_taken(waits):
            await self._store.claims.release(waits)
            await self._engine.put(NEWS, build.pipeline.id, when=utc_now())


def wanted_by(rules: Sequence[Subscription], ref: Ref | None, actor: str | None) -> list[Subscription]:
    """Return those that are about a branch or a tag, and about whose build it is, where that is known."""
    if ref is None:
        return []
    return [rule for rule in rules if rule.wants_ref(ref) and (actor is None or rule.is_by(actor))]


def count(outcome: str, builds: int = 1) -> None:
    """Count what became of a build."""
    metrics.NEWS.labels(outcome).inc(builds)
