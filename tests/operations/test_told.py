"""Why a channel was told of a build: to who may read it, and of its subscriptions what they may read alone."""

from pathlib import Path

from tests.operations.scene import BACKEND, FRONTEND, OVER, mentions, pushed, said, team_under, types
from tests.operations.test_looking import subscribed
from tests.operations.test_subscribing import POLICY


async def test_who_may_not_read_it_learns_nothing_of_it_or_of_its_rules(tmp_path: Path) -> None:
    async with team_under(POLICY, tmp_path) as team:
        guest = team.slack.person("guest")
        hidden, seen = pushed(team, "main", OVER, slug=BACKEND), pushed(team, "try/slow", OVER)
        await subscribed(team)
        for branch in ("merger", "release/*"):
            await subscribed(team, id=branch, project_slug=FRONTEND, project_title="acme/frontend", branches=(branch,))
        assert "may not look at this" in said(await types(team, guest, f"told acme/backend #{hidden.number}"))
        for person, sees_all in ((guest, False), (team.ada, True)):
            told = said(await types(team, person, f"told acme/frontend #{seen.number}"))
            assert "No subscription of this channel is about try/slow of acme/frontend" in told
            assert ("release/*" in told, "merger" in told) == (True, sees_all)
        await mentions(team, team.ada, f"told acme/backend #{hidden.number}")
        assert "is about" not in said(await types(team, guest, "told nowhere/else #1"))
