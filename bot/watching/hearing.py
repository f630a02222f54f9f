"""Whether the webhooks of a project arrive, as they do until one is missed, and whether one of them is news."""

from collections.abc import Sequence

import structlog

from bot.circleci.webhooks import Event, read
from bot.models.build import Build, Run
from bot.settings import Settings
from bot.store.hooks import Hooks
from bot.watching.schedule import is_missed

log = structlog.get_logger(__name__)


class Hearing:
    """Asks nobody where no webhooks are taken."""

    def __init__(self, settings: Settings, hooks: Hooks) -> None:
        self._settings = settings
        self._hooks = hooks

    async def is_told(self, slug: str, build: Build) -> bool:
        """Say whether what ends in a build is told by webhook, as far as what has ended in it shows."""
        if self._settings.circleci_webhook_secret is None:
            return False
        last = await self._hooks.last(slug)
        if last is None:
            return False
        if not is_missed(build, last, self._settings):
            return True
        log.info("webhook_missed", project=slug, pipeline=build.pipeline.id)
        await self._hooks.missed(slug)
        return False


def is_news(asked: Sequence[str], build: Build | None) -> bool:
    """Say whether one of those who asked for a look does so for something that the last one has not seen. Pure.

    A webhook that came while a look was under way may tell of what that look has seen. What is none is news.
    """
    events = [read(one.encode()) for one in asked]
    return not all(event is not None and is_known(event, build) for event in events)


def is_known(event: Event, build: Build | None) -> bool:
    """Say whether the last look has seen what a webhook tells, and nothing that came of it can be new. Pure.

    What ends one job begins others, or ends the workflow: that must be seen too.
    """
    runs = build.runs if build and event.workflow else ()
    return any(_has_seen(run, event) for run in runs if event.workflow and run.workflow.id == event.workflow.id)


def _has_seen(run: Run, event: Event) -> bool:
    if run.workflow.is_finished:
        return True
    is_running = any(job.status == "running" for job in run.jobs)
    ended = {job.id for job in run.jobs if job.is_finished}
    return event.job is not None and is_running and event.job.id in ended
