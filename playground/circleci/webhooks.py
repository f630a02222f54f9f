"""What CircleCI sends by itself: a word of each job and workflow that has ended, and of nothing else.

https://circleci.com/docs/guides/integration/outbound-webhooks/
"""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp

from playground.circleci.pipelines import Pipeline, Run
from playground.circleci.world import World

LOOK_SECONDS = 0.2
Json = dict[str, Any]


class Webhooks:
    """Tells `url` what happens in a world, signed with `secret`, again and again until it is taken."""

    def __init__(self, world: World, url: str, secret: str) -> None:
        self._world, self._url, self._secret = world, url, secret
        self._taken = set[str]()

    async def tell_for_ever(self) -> None:
        """Send what is new, until this is cancelled."""
        async with aiohttp.ClientSession() as session:
            while True:
                for event in list(self._news()):
                    if await self._is_taken(session, event):
                        self._taken.add(event["id"])
                await asyncio.sleep(LOOK_SECONDS)

    def _news(self) -> Iterator[Json]:
        for pipeline in self._world.pipelines:
            for run in pipeline.runs:
                yield from (one for one in self._ended(pipeline, run) if one["id"] not in self._taken)

    def _ended(self, pipeline: Pipeline, run: Run) -> Iterator[Json]:
        now, about = self._world.clock.now(), _about(pipeline)
        workflow = {"id": run.id, "name": run.plan.name, "status": run.status(now)}
        for job in run.plan.jobs:
            end = run.end(job)
            if not job.approval and end is not None and end <= now:
                its = {"id": run.job_ids[job.name], "name": job.name, "status": run.status_of(job, now)}
                yield {**about, "id": _id(its["id"]), "type": "job-completed", "workflow": workflow, "job": its}
        if run.stopped_at(now):
            yield {**about, "id": _id(run.id), "type": "workflow-completed", "workflow": workflow}

    async def _is_taken(self, session: aiohttp.ClientSession, event: Json) -> bool:
        raw = json.dumps(event).encode()
        signature = f"v1={hmac.new(self._secret.encode(), raw, hashlib.sha256).hexdigest()}"
        try:
            async with session.post(self._url, data=raw, headers={"circleci-signature": signature}) as answer:
                return answer.status < 500
        except aiohttp.ClientError:  # nobody is there just now
            return False


def _about(pipeline: Pipeline) -> Json:
    return {
        "happened_at": datetime.now(UTC).isoformat(),
        "project": {"slug": pipeline.slug, "name": pipeline.slug.rpartition("/")[2]},
        "pipeline": {"id": pipeline.id, "number": pipeline.number, "created_at": pipeline.created_at.isoformat()},
    }


def _id(of: str) -> str:
    """Return the id of the one event about something."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, of))
