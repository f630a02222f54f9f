"""Who looks at a branch that is red: whoever may read it there, the first of several, until it is green."""

import asyncio
from datetime import timedelta
from pathlib import Path

from bot.actions import LookAt
from bot.models.circleci import ProjectSlug
from bot.models.red import Branch
from tests.operations.scene import BACKEND, presses, said, somewhere, team_under
from tests.stories.team import Team

LOOK = LookAt(project_slug=BACKEND, branch="main", since=2417)
HIDDEN = """
[[rules]]
name = "everyone looks"
roles = ["everyone"]
words = ["read"]

[[rules]]
name = "guests see no backend"
effect = "deny"
roles = ["guests"]
words = ["*"]
projects = ["acme/backend"]
"""


async def known(team: Team, **more: object) -> Branch:
    channel_id = team.deploys.id
    state = Branch.model_validate({"channel_id": channel_id, "project_slug": BACKEND, "branch": "main", **more})
    return await team.app.store.subscriptions.know(channel_id, ProjectSlug(BACKEND), "main", lambda _: state)


async def looking(team: Team) -> str:
    state = await team.app.store.subscriptions.known(team.deploys.id, ProjectSlug(BACKEND), "main")
    return state.looking if state else ""


async def test_the_first_of_several_looks_and_all_read_that(tmp_path: Path) -> None:
    async with team_under(HIDDEN, tmp_path) as team:
        ada, grace, guest, place = team.ada, team.grace, team.slack.person("guest"), somewhere(team)
        assert "is over: it is green again, broke anew, or" in said(await presses(team, ada, place, LOOK))
        await known(team, red_since=2417, number=2418, root_ts=place.ts)
        assert "You may not look at this" in said(await presses(team, guest, place, LOOK))
        assert not await looking(team)

        told = await asyncio.gather(*(presses(team, one, place, LOOK) for one in (ada, grace)))
        first = await looking(team)
        assert first in ("ada", "grace")
        assert [reply.text for reply in place.replies] == [f"{first} looks at it."]
        assert [said(one) for one in told if one] == [f"{first} looks at it already."]
        elsewhere = team.slack.workspace.post(
            team.slack.workspace.channel("general"), team.slack.workspace.bot_user_id, "A copy.", []
        )
        assert "is over" in said(await presses(team, grace, elsewhere, LOOK))

        await known(team, red_since=2419, number=2419)
        assert "is over" in said(await presses(team, grace, place, LOOK))
        assert not await looking(team)
        kept = await team.app.store.audit.lately(timedelta(hours=1), lambda one: one.what.startswith("look at"), 20)
        assert {one.outcome for one in kept} == {"done", "refused"}
