"""Today's bot over subscriptions, and a branch that was told to be red, as they were kept when they were new."""

from pathlib import Path

from tests.stories.team import Team
from tests.upgrade.sample import upgraded
from tests.upgrade.scenes import types
from tests.upgrade.test_taken_over import FAST, nothing_breaks, said_twice

__all__ = ["nothing_breaks"]
FIRST = "b7645a3"
PATIENCE = 90  # seconds: what a busy machine does not tell at once is told a minute later


async def reads(team: Team, words: str) -> None:
    await team.slack.wait_for(lambda: [one for one in team.deploys.messages if words in one.visible], timeout=PATIENCE)


async def test_a_branch_that_is_red_goes_on_in_its_thread_until_it_is_green(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "subscribed", version=FIRST, speed=FAST) as team:
        (root,) = [one for one in team.deploys.roots if "v2.0 is red" in one.visible]
        await reads(team, "Still red, 2nd build*: the same 3 tests")
        team.circleci.world.set_scenario("gh/acme/frontend", "release/v2.0", "green")
        repaired = team.circleci.world.trigger("gh/acme/frontend", branch="release/v2.0", parameters={}, by="push")
        await reads(team, f"Fixed by #{repaired.number}")
        await reads(team, "release/v2.0 is green again")
        assert len(root.replies) == 2
        assert [one for one in team.deploys.roots if "v2.0 is red" in one.visible] == []
        assert not said_twice(team)


async def test_what_was_subscribed_to_is_listed_told_and_ended_by_the_line_of_then(tmp_path: Path) -> None:
    async with upgraded(tmp_path, "subscribed", version=FIRST, speed=FAST) as team:
        lines = [one.visible.partition("/ci unsubscribe ")[2].partition("`")[0] for one in team.deploys.roots]
        await types(team, "ada", "subscriptions")
        listed = team.ada.sees_only[-1].visible
        assert all(line in listed for line in lines)
        passed = team.circleci.world.trigger("gh/acme/backend", branch="main", parameters={}, by="push")
        await reads(team, f"#{passed.number} by push")
        for line in filter(None, lines):
            await types(team, "ada", f"unsubscribe {line}")
        assert [one.project_slug for one in await team.app.store.subscriptions.all()] == []
