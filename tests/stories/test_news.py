"""Stories of builds that nobody typed: a push is told where somebody subscribed to its branch."""

from datetime import timedelta
from pathlib import Path

from bot.models.circleci import ProjectSlug
from bot.settings import Projects
from tests.stories.team import Team, team_at_work
from tests.stories.test_webhooks import SECRET, ended, knock

SLUG, OTHER = ProjectSlug("gh/acme/frontend"), ProjectSlug("gh/acme/backend")

PROJECTS = Projects(people={"octo-ada": "U0ADA"})


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


async def test_somebody_is_told_of_a_push_of_theirs_once_by_list_and_by_webhook(tmp_path: Path) -> None:
    """Nobody has subscribed to its branch, and of the other project there are webhooks alone."""
    async with team_at_work(
        tmp_path, projects=PROJECTS, subscription_seconds=0.5, settle_seconds=0.5, circleci_webhook_secret=SECRET
    ) as team:
        world, direct = team.circleci.world, team.slack.workspace.open_im("U0ADA")
        await subscribes(team)
        await team.ada.command("deploys", "/ci", "notify me failed waiting")
        await team.until(lambda: any("when a build of yours fails" in one.visible for one in team.ada.sees_only))
        notice = await team.app.store.notices.get(team.ada.id)
        assert notice
        # CircleCI's time flies here, so that what ends now is soon over for hours.
        await team.app.store.notices.put(notice.model_copy(update={"since": notice.since - timedelta(days=9)}))
        for slug, branch, scenario in (
            (SLUG, "fix/ada", "failing-tests"),
            (SLUG, "fix/ken", "failing-tests"),
            (OTHER, "fix/ada", "on-hold"),
        ):
            world.set_scenario(slug, branch, scenario)
        pushed = world.trigger(SLUG, branch="fix/ada", parameters={}, by="octo-ada")
        world.trigger(SLUG, branch="fix/ken", parameters={}, by="octo-ken")
        for nth in range(3):
            about = {"project": {"slug": "github/acme/frontend"}}
            assert await knock(team, {**ended(pushed.id, f"e{nth}"), **about}) == 200
        await team.until(lambda: f"#{pushed.number}" in "".join(one.visible for one in direct.roots))
        held = world.trigger(OTHER, branch="fix/ada", parameters={}, by="octo-ada")
        about = {"project": {"slug": "github/acme/backend"}}
        assert await knock(team, {**ended(held.id, "e9"), **about}) == 200
        await team.until(lambda: any("Approve hold-prod" in one.buttons for one in direct.roots))
        assert [one.text.partition(":")[0] for one in direct.roots] == [
            f"acme/frontend fix/ada #{pushed.number}",
            f"acme/backend fix/ada #{held.number}",
        ]
        assert len(team.deploys.roots) == 1  # who subscribed
