"""Reads the evidence of a failure, once for all who tell of it: channels, threads and people."""

from contextlib import suppress

from bot.circleci.report import report
from bot.errors import Unreadable
from bot.models.build import Build, Ended, Report
from bot.store.past import Past
from bot.watching.watcher import Sources


class Evidence:
    """What was read of the end of a build is kept; a part of a build, as some rules see it, has evidence of its own."""

    def __init__(self, past: Past, sources: Sources) -> None:
        self._past = past
        self._sources = sources

    async def of(self, build: Build) -> Report:
        """Return the evidence of a failure."""
        ended = None
        with suppress(Unreadable):
            ended = await self._past.ended(build.pipeline.id)
        if ended is not None and ended.build.fingerprint == build.fingerprint:
            return ended.report
        found = await report(self._sources.reports, build, patterns=self._sources.patterns, past=self._past)
        if ended is None and build.workflows_finished and not build.part_of:
            await self._past.save_ended(Ended(build=build, report=found))
        return found
