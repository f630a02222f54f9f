"""A new version over the records and tasks of an old one, and an old one over those of a new one."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from docket import Docket
from pydantic import BaseModel
from redis.asyncio import Redis

from bot.models.attempt import Attempt
from bot.models.build import Snapshot
from bot.models.circleci import PipelineId
from bot.models.slack import Click, Invocation, Watch
from tests.stories.team import Team, team_at_work

RECORDS = Path(__file__).parents[1] / "samples" / "records"
KINDS: dict[str, type[BaseModel]] = {
    "attempt": Attempt,
    "click": Click,
    "invocation": Invocation,
    "snapshot": Snapshot,
    "watch": Watch,
}


def lost(kept: Any, read: Any) -> Iterator[str]:
    """Yield each value that was kept and is not read, but for what no version needs any more."""
    if isinstance(kept, dict):
        for name, value in kept.items():
            if name not in ("outage_told", "failing_since"):
                yield from lost(value, read.get(name))
    elif isinstance(kept, list):
        for one, other in zip(kept, read, strict=True):
            yield from lost(one, other)
    elif kept != read:
        yield f"{kept!r} became {read!r}"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path) as team:
        yield team


@pytest.mark.parametrize("path", sorted(RECORDS.glob("*.json")), ids=lambda path: path.stem)
def test_what_an_older_version_kept_is_read(path: Path) -> None:
    kind = KINDS[path.stem.rpartition("-")[2]]
    kept = json.loads(path.read_text(encoding="utf-8"))
    read = json.loads(kind.model_validate(kept).model_dump_json())
    assert not list(lost(kept, read))


async def test_what_cannot_be_read_costs_nobody_else_anything(team: Team) -> None:
    await team.runs()
    await team.reads("Running")
    pipeline_id = PipelineId(team.circleci.world.pipelines[0].id)
    async with Redis.from_url(team.app.docket.url) as redis:
        await redis.hset(f"ci:watches:{pipeline_id}", "E0", '{"id": "E0", "from": "the future"}')
        await redis.set(f"ci:snapshot:{pipeline_id}", '{"build": "of another shape"}', keepttl=True)
        await redis.set("ci:said:E9", '{"id": "E9"}', ex=60)
    assert await team.app.store.deliveries.said(Invocation, "E9") is None
    team.time_flies()
    await team.reads("Passed in")
    assert len(team.deploys.roots) == 1


async def test_a_thread_of_a_newer_version_hears_its_end_from_a_worker_that_can_read_it(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, poll_interval_seconds=0.02) as team:
        team.circleci.world.clock.speed = 20
        await team.deploys_branch("try/slow")
        await team.reads("Running")
        pipeline_id = team.circleci.world.pipelines[0].id
        async with Redis.from_url(team.app.docket.url, decode_responses=True) as redis:
            ((name, watch),) = (await redis.hgetall(f"ci:watches:{pipeline_id}")).items()
            await redis.hset(f"ci:watches:{pipeline_id}", name, '{"id": "E0", "from": "the future"}')
            team.circleci.world.clock.speed = 1000
            await team.until(lambda: len(after_the_end(team)) >= 3)  # seen, settled, and looked at once more
            assert team.count("Passed in") == 0
            await redis.hset(f"ci:watches:{pipeline_id}", name, watch)
        await team.reads("Passed in")
    assert len(team.deploys.roots) == 1


def after_the_end(team: Team) -> list[object]:
    """Return the looks that saw the only pipeline's workflow finished."""
    looks = [seen for seen in team.circleci.requests if seen.path.partition("?")[0].endswith("/workflow")]
    return [seen for seen in looks if "'status': 'success'" in str(seen.answer)]


async def test_a_task_of_a_newer_version_waits_for_a_worker_that_knows_it(team: Team) -> None:
    done = asyncio.Event()

    async def brand_new(name: str) -> None:
        assert name == "x"
        done.set()

    async with Docket(name="ci-chatops", url=team.app.docket.url) as newer:
        newer.register(brand_new, names=["brand_new"])
        await newer.add("brand_new", key="brand_new:x")("x")
        await team.slack.pause(1)
    assert not done.is_set()
    team.app.docket.register(brand_new, names=["brand_new"])
    async with asyncio.timeout(30):
        await done.wait()
