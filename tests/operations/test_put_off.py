"""What CircleCI puts off is asked about once more before it is sent again: who may, and what is demanded of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.actions import CancelPipeline
from bot.models.attempt import Attempt
from bot.models.circleci import ProjectSlug, Ref
from playground.slack.conversations import Message
from playground.slack.people import Person
from tests.operations.scene import (
    FRONTEND,
    OVER,
    RUNNING,
    answers,
    button,
    presses,
    pushed,
    said,
    somewhere,
    team_under,
    writes,
)
from tests.stories.team import Team

POLICY = """
[roles.release-team]
groups = ["S0RELEASE"]

[[rules]]
name = "the release team"
roles = ["release-team"]
words = ["*"]

[[rules]]
name = "everybody reads"
words = ["read"]

[[rules]]
name = "no deploy over a red branch"
effect = "demand"
words = ["deploy"]
branches = ["release/*"]
green = true

[[rules]]
name = "main needs a second person"
effect = "demand"
words = ["deploy"]
branches = ["main"]
second_person = true
"""


@asynccontextmanager
async def put_off(team: Team, person: Person, act: Awaitable[object]) -> AsyncIterator[list[Message]]:
    """Do what CircleCI puts off, and let the block run while it waits. Yields what the person is told in the end."""
    told, before, sent = list[Message](), [*person.sees_only], len(writes(team))
    team.circleci.faults.add("POST", "*", status=429, headers={"Retry-After": "0.4"})
    await act
    await team.until(lambda: len(writes(team)) > sent)
    yield told
    await team.is_done()
    told += answers(person, before)


async def on_record(team: Team, branch: str) -> Attempt:
    (newest, *_) = await team.app.store.attempts.lately_of(ProjectSlug(FRONTEND), Ref(name=branch))
    (found,) = await team.app.store.attempts.those([newest])
    return found


async def test_what_was_put_off_is_asked_about_once_more(tmp_path: Path) -> None:
    async with team_under(POLICY, tmp_path) as team:
        group = team.slack.workspace.usergroups["S0RELEASE"].users
        group += {team.ada.id, team.grace.id} - {*group}
        # The branch turned red: it is deployed all the same, or not at all.
        team.circleci.world.set_scenario(FRONTEND, "release/v3", "green")
        pushed(team, "release/v3", OVER)
        deploy = team.ada.command("deploys", "/ci", "deploy acme/frontend release/v3")
        async with put_off(team, team.ada, deploy) as told:
            team.circleci.world.set_scenario(FRONTEND, "release/v3", "failing-tests")
            pushed(team, "release/v3", OVER)
        (red,) = told
        assert "is red" in red.visible
        assert await team.app.store.attempts.lately_of(ProjectSlug(FRONTEND), Ref(name="release/v3")) == []
        assert await presses(team, team.ada, red, "Deploy all the same") == []
        assert len(writes(team)) == 2
        # Somebody pushed what the second person has not seen.
        pushed(team, "main", OVER)
        await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
        asked = await team.reads("Somebody else must agree")
        async with put_off(team, team.grace, team.grace.click(asked, "Agree and deploy")) as told:
            pushed(team, "main", OVER, revision="beef" * 10)
        assert "grace agreed" in asked.visible
        assert len(writes(team)) == 3
        # Who agreed, or asked for something else than a deploy, is no longer in the group.
        await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
        asked = await team.reads("Somebody else must agree")
        async with put_off(team, team.grace, team.grace.click(asked, "Agree and deploy")) as told:
            group.remove(team.grace.id)
            team.app.permissions.forget()  # as after a minute
        assert "@grace may not deploy" in said(told)
        runs = pushed(team, "try/slow", RUNNING)
        cancel = team.ada.click(somewhere(team), button(CancelPipeline(pipeline_id=runs.id)))
        async with put_off(team, team.ada, cancel) as told:
            group.remove(team.ada.id)
            team.app.permissions.forget()
        assert "You may not cancel" in said(told)
        assert len(writes(team)) == 5


async def test_what_is_put_off_is_not_yet_sent_so_that_a_run_after_this_one_sends_it(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        team.circleci.faults.add("POST", "*/pipeline", status=429, headers={"Retry-After": "0.4"})
        await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
        await team.until(lambda: any(seen.status == 429 for seen in team.circleci.requests))
        async with asyncio.timeout(1):
            while (await on_record(team, "main")).sent_at is not None:
                await team.slack.pause(0.02)
        await team.is_done()
        assert (found := await on_record(team, "main")).sent_at is not None
        assert found.pipeline_id == team.circleci.world.pipelines[-1].id
        assert len(writes(team)) == 2
