"""Stories of builds that nobody typed: a push is told where somebody subscribed to its branch."""

from datetime import timedelta
from pathlib import Path

from bot.models.circleci import ProjectSlug
from tests.stories.team import Team, team_at_work
from tests.stories.test_webhooks import SECRET, ended, knock

SLUG = ProjectSlug("gh/acme/frontend")


async def subscribes(team: Team) -> None:
    """Let #deploys hear of the default branch of acme/frontend, and wait until its list was read."""
    await team.ada.command("deploys", "/ci", "subscribe acme/frontend")
    await team.until(lambda: any(seen.path.endswith("frontend/pipeline") for seen in team.circleci.requests))


async def test_a_push_that_breaks_a_branch_and_one_that_repairs_it_are_told_once(tmp_path: Path) -> None:
    async with team_at_work(
        tmp_path, subscription_seconds=0.5, settle_seconds=0.5, circleci_webhook_secret=SECRET
    ) as team:
        world = team.circleci.world
        await subscribes(team)
        world.set_scenario(SLUG, "main", "failing-tests")
        pushed = world.trigger(SLUG, branch="main", parameters={}, by="push")
        root = await team.reads("main is red")
        assert f"#{pushed.number}" in root.visible
        team.time_stands_still()
        world.set_scenario(SLUG, "main", "green")
        repaired = world.trigger(SLUG, branch="main", parameters={}, by="push")
        world.clock.advance(timedelta(minutes=30))
        about = {"project": {"slug": "github/acme/frontend"}}
        for nth in range(3):
            assert await knock(team, {**ended(repaired.id, f"e{nth}"), **about}) == 200
        await team.reads(f"#{repaired.number}")
        assert len(team.deploys.roots) == 2  # who subscribed, and what broke
        assert len(root.replies) == 1
