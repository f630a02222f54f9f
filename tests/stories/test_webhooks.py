"""Stories of CircleCI calling the bot: a webhook is a reason to look, and nothing more."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.models.slack import utc_now
from playground.circleci.pipelines import Pipeline
from tests.stories.team import Team, team_at_work

SECRET = "webhook-secret"
INTERVAL = 0.5


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    # Of what is on hold the next look is an hour away: what is seen sooner was a webhook's doing.
    async with team_at_work(
        tmp_path,
        poll_interval_seconds=INTERVAL,
        on_hold_seconds=3600,
        circleci_webhook_secret=SECRET,
        public_url="https://ci.acme.example",
        admins="U0ADMIN",
    ) as team:
        team.time_stands_still()
        yield team


async def knock(team: Team, body: dict[str, object], secret: str = SECRET) -> int:
    """Deliver an event as CircleCI does; returns the status of the answer."""
    assert team.app.server is not None
    raw = json.dumps(body).encode()
    signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"circleci-signature": f"v1={signature}", "circleci-event-type": str(body.get("type"))}
    address = f"http://127.0.0.1:{team.app.server.port}/circleci/webhook"
    async with aiohttp.ClientSession() as session, session.post(address, data=raw, headers=headers) as answer:
        return answer.status


def ended(pipeline_id: str, event_id: str = "e1", *, ago: timedelta = timedelta()) -> dict[str, object]:
    """Return a workflow's end, in CircleCI's words."""
    happened = (utc_now() - ago).isoformat()
    pipeline = {"id": pipeline_id, "number": 2417, "created_at": happened, "trigger": {"type": "api"}}
    return {
        "id": event_id,
        "type": "workflow-completed",
        "happened_at": happened,
        "pipeline": pipeline,
        "workflow": {"id": "w", "name": "build", "status": "success"},
    }


async def received(team: Team, outcome: str) -> float:
    """Return how many deliveries ended so, by the metrics."""
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        text = await answer.text()
    name = f'ci_webhooks_received_total{{outcome="{outcome}"}} '
    return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0)


async def on_hold(team: Team) -> Pipeline:
    """Let Ada deploy what stops at a hold, and return it."""
    await team.runs("hold/prod", for_seconds=60)
    await team.reads("Waiting for approval")
    return team.circleci.world.pipelines[-1]


def goes_on(team: Team, pipeline: Pipeline) -> None:
    """Let somebody approve it on CircleCI's own page, and let it end."""
    (run,) = pipeline.runs
    team.circleci.world.approve(run.id, run.job_ids["hold-prod"])
    team.circleci.world.clock.advance(timedelta(minutes=5))


def looks(team: Team, pipeline: Pipeline) -> int:
    """Return how often the bot has asked how it stands."""
    return sum(seen.path.endswith(f"{pipeline.id}/workflow") for seen in team.circleci.requests)


async def test_a_webhook_pulls_the_look_forward_once(team: Team) -> None:
    pipeline = await on_hold(team)
    woke, doubled = await received(team, "woke"), await received(team, "duplicate")
    goes_on(team, pipeline)
    assert await knock(team, ended(pipeline.id)) == 200
    await team.reads("Finishing, green so far")
    assert await knock(team, ended(pipeline.id)) == 200
    assert await received(team, "woke") == woke + 1
    assert await received(team, "duplicate") == doubled + 1


async def test_what_is_no_news_wakes_nobody(team: Team) -> None:
    pipeline = await on_hold(team)
    before = len(team.circleci.requests)
    assert await knock(team, ended(pipeline.id), secret="wrong") == 401
    assert await knock(team, ended(pipeline.id, ago=timedelta(hours=2))) == 200
    assert await knock(team, ended("somebody-else")) == 200
    assert await knock(team, {"id": "p", "type": "ping", "happened_at": utc_now().isoformat()}) == 200
    assert await knock(team, {"hello": "world"}) == 200
    assert len(team.circleci.requests) == before


async def test_a_storm_of_webhooks_is_few_looks_and_the_last_is_not_lost(team: Team) -> None:
    pipeline = await on_hold(team)
    before, began = looks(team, pipeline), time.monotonic()
    for batch in range(10):
        await asyncio.gather(*(knock(team, ended(pipeline.id, f"e{batch}.{nth}")) for nth in range(20)))
    turns = (time.monotonic() - began) / (INTERVAL / 2)
    assert looks(team, pipeline) - before <= turns + 2
    goes_on(team, pipeline)
    assert await knock(team, ended(pipeline.id, "last")) == 200
    await team.reads("Finishing, green so far")
    assert await received(team, "woke") > 100  # on a busy machine some are put off, and come again


async def test_an_admin_sets_it_up_once(team: Team) -> None:
    admin = team.slack.person("admin")
    await admin.command("releases", "/ci", "webhook acme/frontend")
    told = await team.is_told(admin, "CircleCI does not tell me of acme/frontend yet.")
    await admin.click(told, "Set up the webhook")
    await team.is_told(admin, "✅ CircleCI tells me of acme/frontend")
    await admin.click(told, told.element("Set up the webhook"))
    await team.slack.wait_for(lambda: sum("✅ CircleCI tells me" in one.visible for one in admin.sees_only) == 2)
    (made,) = team.circleci.webhooks
    assert made["url"] == "https://ci.acme.example/circleci/webhook"
    assert made["signing-secret"] == SECRET
    await team.ada.command("releases", "/ci", "webhook acme/frontend")
    await team.is_told(team.ada, "only my admins may (admin)")


async def test_without_an_address_it_says_what_is_missing(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, admins="U0ADMIN") as team:
        await team.slack.person("admin").command("releases", "/ci", "webhook acme/frontend")
        await team.is_told(team.slack.person("admin"), "set PUBLIC_URL and CIRCLECI_WEBHOOK_SECRET")
