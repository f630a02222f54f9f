"""What an operator sees at /metrics after a day's work."""

import re
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.stories.team import Team, team_at_work


async def metrics(team: Team) -> dict[str, float]:
    """Return every figure of ours by its name and labels."""
    assert team.app.server is not None
    address = f"http://127.0.0.1:{team.app.server.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        lines = (await answer.text()).splitlines()
    pairs = (line.rpartition(" ") for line in lines if line.startswith("ci_"))
    return {name: float(value) for name, _, value in pairs}


async def test_deploys_errors_and_the_far_sides_are_counted(team: Team) -> None:
    before = await metrics(team)
    await team.deploys_branch("main")
    await team.reads("Passed in")
    delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend no-such-branch")
    await team.is_told(team.ada, "CircleCI knows no branch")
    await team.ada.redeliver(delivery)
    await team.ada.command("deploys", "/ci", "frobnicate")
    await team.is_told(team.ada, "I do not know this word.")
    team.circleci.faults.add("POST", "*/pipeline", drop="after")
    await team.deploys_branch("try/green")
    await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=30)
    after = await metrics(team)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    expected = {
        'ci_deploys_total{outcome="asked"}': 3,
        'ci_deploys_total{outcome="started"}': 1,
        'ci_deploys_total{outcome="refused"}': 1,
        'ci_deploys_total{outcome="answer_lost"}': 1,
        'ci_deploys_total{outcome="found"}': 1,
        'ci_errors_total{kind="NotFound"}': 1,
        'ci_errors_total{kind="UsageError"}': 1,
        "ci_deliveries_dropped_total": 1,
        'ci_circleci_requests_total{status="400"}': 1,
    }
    assert {name: grown.get(name) for name in expected} == expected
    assert grown['ci_circleci_requests_total{status="201"}'] == 1
    assert "acme" not in "".join(after)


async def test_lateness_and_lag_are_measured_and_the_check_up_tells_them(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, admins=("U0ADA",)) as team:
        before = await metrics(team)
        await team.runs("main")
        await team.reads("Running")
        team.time_flies()
        await team.reads("Passed in")
        after = await metrics(team)
        assert after["ci_result_lag_seconds_count"] - before["ci_result_lag_seconds_count"] == 1
        looked = after["ci_poll_lateness_seconds_count"] - before["ci_poll_lateness_seconds_count"]
        in_time = 'ci_poll_lateness_seconds_bucket{le="2.5"}'
        assert 0 < after[in_time] - before[in_time] <= looked
        await team.ada.command("deploys", "/ci", "doctor")
        told = await team.is_told(team.ada, "the last 1 result came after")
        assert "1 pipeline followed" in told.visible or "0 pipelines followed" in told.visible


async def test_the_check_up_says_who_asked_to_be_left_alone(tmp_path: Path) -> None:
    async with team_at_work(tmp_path, admins=("U0ADA",)) as team:
        await team.app.store.turns.pause("slack:posts:C0DEPLOYS", timedelta(minutes=5))
        await team.ada.command("deploys", "/ci", "doctor")
        told = await team.is_told(team.ada, "asked to be left alone")
        assert "slack:posts:C0DEPLOYS for 4 min" in told.visible.replace("\u2060", "")


async def test_an_error_bears_the_reference_that_the_log_has(team: Team, capfd: pytest.CaptureFixture[str]) -> None:
    team.circleci.faults.add("GET", "*/me", status=403, body={"message": "Not today."}, times=None)
    await team.ada.command("deploys", "/ci", "me")
    told = await team.is_told(team.ada, "Not today.")
    (reference,) = re.findall(r"Reference ([0-9a-f]{6})", told.visible)
    assert reference in capfd.readouterr().out
    await team.ada.command("deploys", "/ci", "frobnicate")
    assert "Reference" not in (await team.is_told(team.ada, "I do not know this word.")).visible
