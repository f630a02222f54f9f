"""Whether the webhooks of a project arrive: they do until one is missed."""

import structlog

from bot.models.build import Build
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
