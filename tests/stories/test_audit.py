"""Stories of the record: every act, done or refused, with who, what, by which rule and what came of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.stories.team import Team, team_at_work


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path, admins="U0ADMIN", audit_log=True) as team:
        yield team


async def audit(team: Team, rest: str, words: str) -> str:
    admin = team.slack.person("admin")
    before = admin.mark
    await admin.command("releases", "/ci", f"audit {rest}".strip())
    found = await team.slack.wait_for(lambda: [one for one in admin.sees_only_since(before) if words in one.visible])
    return found[0].visible


async def test_acts_are_kept_done_or_refused(team: Team, capfd: pytest.CaptureFixture[str]) -> None:
    await team.deploys_branch("hold/prod")
    held = await team.slack.wait_for(
        lambda: [one for one in team.deploys.messages if "Approve hold-prod" in one.buttons], timeout=15
    )
    guest = team.slack.person("guest")
    await guest.click(held[0], "Approve hold-prod")
    await team.is_told(guest, "guests may only read")
    await team.grace.click(held[0], "Approve hold-prod")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "status acme/frontend main")
    told = await audit(team, "", "3 acts in the last 7 days")
    deploy = next(line for line in told.splitlines() if "deploy acme/frontend hold/prod" in line)
    assert "ada" in deploy
    assert "#2417" in deploy
    assert "full members may deploy, rerun, cancel and approve" in deploy
    assert any("guest" in line and "guests may only read" in line for line in told.splitlines())
    assert "status" not in told
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith('{"at"')]
    assert [(line["user_id"], line["word"]) for line in lines[:3]] == [
        ("U0ADA", "deploy"),
        ("U0GUEST", "approve"),
        ("U0GRACE", "approve"),
    ]


async def test_the_record_is_asked_by_project_person_and_time(team: Team) -> None:
    await team.deploys_branch("main")
    await team.grace.command("deploys", "/ci", "deploy acme/backend main")
    await team.slack.wait_for(lambda: team.count("Passed in") == 2, timeout=30)
    assert "acme/backend" not in await audit(team, "acme/frontend", "1 act in")
    assert "grace" in await audit(team, "@grace 12h", "1 act in the last 12 hours")
    await audit(team, "acme/cli", "Nobody did anything")
    await audit(team, "9999d", "in the last 365 days (I keep no more)")
    await audit(team, "0d", "I expected a project, a time such as 7d, or a @name.")
    await audit(team, "yesterday", "I expected a project, a time such as 7d, or a @name.")
    await team.ada.command("deploys", "/ci", "audit")
    await team.is_told(team.ada, "only my admins may (admin)")


async def test_what_was_typed_into_a_window_is_never_kept(team: Team) -> None:
    admin = team.slack.person("admin")
    await admin.command("releases", "/ci", "env set acme/frontend DEPLOY_TOKEN")
    told = await team.is_told(admin, "Nothing is set yet")
    await admin.click(told, "Type the value")
    view = await team.slack.wait_for(lambda: admin.modal)
    assert view is not None
    await admin.submit(view, {"value": "hunter2-SECRET"})
    await team.slack.wait_for(lambda: admin.modal and "is set" in admin.modal.visible)
    shown = await audit(team, "acme/frontend", "1 act in")
    assert "set DEPLOY_TOKEN of acme/frontend" in shown
    async with Redis.from_url(team.app.docket.url, decode_responses=True) as redis:
        assert "hunter2" not in str(await redis.xrange("ci:audit"))
