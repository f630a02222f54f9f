"""Earlier builds and their results, which never change."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.models.build import Ended
from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.history import JobResults, PastBuild
from bot.store.connection import Connection, or_none

DAY = timedelta(days=1)


class Past(Connection):
    """A memory of what CircleCI said: all of it can be had again."""

    async def past_build(self, pipeline_id: PipelineId) -> PastBuild | None:
        """Return an earlier build as it was last read."""
        return or_none(PastBuild, await self._ask(self._redis.get(self._key("past", pipeline_id))))

    async def save_past_build(self, build: PastBuild) -> None:
        """Keep an earlier build."""
        key = self._key("past", build.pipeline.id)
        await self._ask(self._redis.set(key, build.model_dump_json(exclude_defaults=True), ex=self._retention))

    async def job_results(self, slug: ProjectSlug, numbers: Sequence[int]) -> dict[int, JobResults]:
        """Return the kept test results of a project's jobs, by number."""
        if not numbers:
            return {}
        kept = await self._ask(self._redis.mget([self._key("results", f"{slug}:{number}") for number in numbers]))
        found = {number: or_none(JobResults, data) for number, data in zip(numbers, kept, strict=True)}
        return {number: one for number, one in found.items() if one is not None}

    async def save_job_results(self, slug: ProjectSlug, number: int, results: JobResults) -> None:
        """Keep a job's test results."""
        key = self._key("results", f"{slug}:{number}")
        await self._ask(self._redis.set(key, results.model_dump_json(exclude_defaults=True), ex=self._retention))

    async def step_times(self, slug: ProjectSlug, number: int) -> dict[str, float] | None:
        """Return how many seconds each step of a job took, where that is kept."""
        data = await self._ask(self._redis.get(self._key("steps", f"{slug}:{number}")))
        return None if data is None else {str(name): float(seconds) for name, seconds in json.loads(data).items()}

    async def save_step_times(self, slug: ProjectSlug, number: int, times: Mapping[str, float]) -> None:
        """Keep how long each step of a job took."""
        key = self._key("steps", f"{slug}:{number}")
        await self._ask(self._redis.set(key, json.dumps(dict(times)), ex=self._retention))

    async def ended(self, pipeline_id: PipelineId) -> Ended | None:
        """Return a build as it last ended, with what was found out about it."""
        return or_none(Ended, await self._ask(self._redis.get(self._key("ended", pipeline_id))))

    async def save_ended(self, ended: Ended) -> None:
        """Keep the end of a build until it is judged by earlier ones."""
        key = self._key("ended", ended.build.pipeline.id)
        await self._ask(self._redis.set(key, ended.model_dump_json(), ex=DAY))
