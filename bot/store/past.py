"""Earlier builds and their results, which never change."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.models.build import Ended
from bot.models.circleci import Pipeline, PipelineId, ProjectSlug
from bot.models.history import JobResults, Listed, PastBuild
from bot.store.connection import Connection, decoded, or_none

DAY = timedelta(days=1)


class Past:
    """A memory of what CircleCI said: all of it can be had again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def build(self, pipeline_id: PipelineId) -> PastBuild | None:
        """Return an earlier build as it was last read."""
        return or_none(PastBuild, await self._get("past", pipeline_id))

    async def save_build(self, build: PastBuild) -> None:
        """Keep an earlier build."""
        await self._put("past", build.pipeline.id, build.model_dump_json(exclude_defaults=True))

    async def listed(self, slug: ProjectSlug, branch: str) -> tuple[Pipeline, ...]:
        """Return what is kept of the list of a branch's pipelines, newest first, without a gap."""
        kept = or_none(Listed, await self._get("listed", f"{slug}:{branch}"))
        return kept.pipelines if kept else ()

    async def save_listed(self, slug: ProjectSlug, branch: str, pipelines: Sequence[Pipeline]) -> None:
        """Keep a list of a branch's pipelines; what comes later is put before it."""
        listed = Listed(pipelines=tuple(pipelines))
        await self._put("listed", f"{slug}:{branch}", listed.model_dump_json(exclude_defaults=True))

    async def job_results(self, slug: ProjectSlug, numbers: Sequence[int]) -> dict[int, JobResults]:
        """Return the kept test results of a project's jobs, by number."""
        if not numbers:
            return {}
        keys = [self._connection.key("results", f"{slug}:{number}") for number in numbers]
        kept = await self._connection.ask(self._connection.redis.mget(keys))
        found = {number: or_none(JobResults, data) for number, data in zip(numbers, kept, strict=True)}
        return {number: one for number, one in found.items() if one is not None}

    async def save_job_results(self, slug: ProjectSlug, number: int, results: JobResults) -> None:
        """Keep a job's test results."""
        await self._put("results", f"{slug}:{number}", results.model_dump_json(exclude_defaults=True))

    async def step_times(self, slug: ProjectSlug, number: int) -> dict[str, float] | None:
        """Return how many seconds each step of a job took, where that is kept."""
        data = await self._get("steps", f"{slug}:{number}")
        return None if data is None else {str(name): float(seconds) for name, seconds in json.loads(data).items()}

    async def save_step_times(self, slug: ProjectSlug, number: int, times: Mapping[str, float]) -> None:
        """Keep how long each step of a job took."""
        await self._put("steps", f"{slug}:{number}", json.dumps(dict(times)))

    async def ended(self, pipeline_id: PipelineId) -> Ended | None:
        """Return a build as it last ended, with what was found out about it; raises Unreadable.

        One that another version has written has ended all the same.
        """
        data = await self._get("ended", pipeline_id)
        return None if data is None else decoded(Ended, data)

    async def save_ended(self, ended: Ended) -> None:
        """Keep the end of a build until it is judged by earlier ones."""
        await self._put("ended", ended.build.pipeline.id, ended.model_dump_json(), DAY)

    async def _get(self, kind: str, name: str) -> str | bytes | None:
        return await self._connection.ask(self._connection.redis.get(self._connection.key(kind, name)))

    async def _put(self, kind: str, name: str, data: str, keep: timedelta | None = None) -> None:
        key = self._connection.key(kind, name)
        await self._connection.ask(self._connection.redis.set(key, data, ex=keep or self._connection.retention))
