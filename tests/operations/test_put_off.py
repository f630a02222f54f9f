"""What CircleCI puts off is asked about once more before it is sent again: who may, and what is demanded of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.actions import ApproveJob, CancelPipeline, RerunFailed, TakeBack
from bot.models.attempt import Attempt
from bot.models.caller import Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.slack import Invocation, utc_now
from bot.watching.engine import HANDLE
from playground.slack.conversations import Message
from playground.slack.people import Person
from tests.operations.scene import (
    FRONTEND,
    ON_HOLD,
    OVER,
    RUNNING,
    answers,
    button,
    presses,
    pushed,
    said,
    somewhere,
    team_under,
    types,
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
        # It was let go on over a red commit, and another one is red by now.
        team.circleci.world.set_scenario(FRONTEND, "release/v4", "failing-tests")
        pushed(team, "release/v4", OVER)
        (red,) = await types(team, team.ada, "deploy acme/frontend release/v4")
        async with put_off(team, team.ada, team.ada.click(red, "Deploy all the same")) as told:
            pushed(team, "release/v4", OVER, revision="beef" * 10)
        (anew,) = told
        assert "another commit by now" in anew.visible
        assert await team.app.store.attempts.lately_of(ProjectSlug(FRONTEND), Ref(name="release/v4")) == []
        assert await presses(team, team.ada, anew, "Deploy all the same") == []
        assert len(writes(team)) == 4
        # Somebody pushed what the second person has not seen.
        pushed(team, "main", OVER)
        await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
        asked = await team.reads("Somebody else must agree")
        async with put_off(team, team.grace, team.grace.click(asked, "Agree and deploy")) as told:
            pushed(team, "main", OVER, revision="beef" * 10)
        assert "grace agreed" in asked.visible
        assert len(writes(team)) == 5
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
        assert len(writes(team)) == 7


TWO_OF_SOME = """
[roles.careful]
groups = ["S0RELEASE"]

[[rules]]
name = "all"
words = ["*"]

[[rules]]
name = "of some it takes two"
effect = "demand"
roles = ["careful"]
words = ["deploy", "rerun", "approve"]
second_person = true
"""


async def test_of_a_build_too_what_was_put_off_is_asked_about_once_more(tmp_path: Path) -> None:
    async with team_under(TWO_OF_SOME, tmp_path) as team:
        world, group = team.circleci.world, team.slack.workspace.usergroups["S0RELEASE"].users
        group[:] = [team.grace.id]
        # Somebody ran it again on CircleCI's page.
        build = pushed(team, "release/v2.0", OVER)
        rerun = team.ada.command("deploys", "/ci", f"rerun acme/frontend #{build.number}")
        async with put_off(team, team.ada, rerun) as told:
            world.rerun(build.runs[1].id)
        assert "Somebody ran #2417 again elsewhere while this waited" in said(told)
        assert len(build.runs) == 3
        # So did somebody approve it there.
        held = pushed(team, "hold/prod", ON_HOLD)
        run, job = held.runs[0], held.runs[0].job_ids["hold-prod"]
        hold = ApproveJob(pipeline_id=held.id, workflow_id=run.id, approval_request_id=job)
        async with put_off(team, team.ada, team.ada.click(somewhere(team), button(hold))) as told:
            world.approve(run.id, job)
        assert "It was approved on CircleCI" in said(told)
        # A newer build of the branch began: who types the same now is asked, and so are they.
        for branch, seconds, job in (("release/v2.0", OVER, ""), ("hold/prod", ON_HOLD, "hold-prod")):
            old = pushed(team, branch, seconds)
            press = button(RerunFailed(pipeline_id=old.id))
            if job:
                run = old.runs[0]
                ids = {"pipeline_id": old.id, "workflow_id": run.id}
                press = button(ApproveJob(**ids, approval_request_id=run.job_ids[job]))
            async with put_off(team, team.ada, team.ada.click(somewhere(team), press)) as told:
                pushed(team, branch, seconds)
            assert f"#{old.number + 1} of the same branch began while this waited" in said(told)
        # A second person is demanded by now; what they agreed to is over once somebody has pushed.
        held = pushed(team, "hold/prod", ON_HOLD)
        run, sent = held.runs[0], len(writes(team))
        hold = ApproveJob(pipeline_id=held.id, workflow_id=run.id, approval_request_id=run.job_ids["hold-prod"])
        async with put_off(team, team.ada, team.ada.click(somewhere(team), button(hold))):
            group.append(team.ada.id)
            team.app.permissions.forget()
        asked = await team.reads("Somebody else must agree")
        async with put_off(team, team.grace, team.grace.click(asked, "Agree and approve")):
            pushed(team, "hold/prod", ON_HOLD, revision="beef" * 10)
        assert "grace agreed" in asked.visible
        assert "nothing was started" in asked.visible
        assert len(writes(team)) == sent + 2  # both put off


async def test_what_slack_does_not_take_is_not_sent_and_is_shown_as_standing_nowhere(tmp_path: Path) -> None:
    async with team_under(TWO_OF_SOME, tmp_path) as team:
        group, lately_of = team.slack.workspace.usergroups["S0RELEASE"].users, team.app.store.attempts.lately_of
        group[:] = []
        async with put_off(team, team.ada, team.ada.command("deploys", "/ci", "deploy acme/frontend main")) as told:
            group.append(team.ada.id)
            team.app.permissions.forget()
            team.slack.refuse("chat.postMessage", "restricted_action", times=1)
        assert "Nothing was sent to CircleCI" in said(told)
        assert "acme/frontend main" not in said(await types(team, team.ada, "mine"))
        assert await lately_of(ProjectSlug(FRONTEND), Ref(name="main")) == []
        await types(team, team.ada, "deploy acme/frontend main")
        await team.reads("Somebody else must agree")
        assert said(await types(team, team.ada, "mine")).count("Waits for a second person") == 1
        assert len(writes(team)) == 1  # which was put off


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


IN_ITS_CHANNEL = """
[[rules]]
name = "everybody"
words = ["read", "cancel"]

[[rules]]
name = "deploys are made in their channel, by those in charge"
roles = ["in-charge"]
words = ["deploy"]
channels = ["C0DEPLOYS"]

[roles.in-charge]
groups = ["S0RELEASE"]
"""


async def test_what_waits_for_its_turn_is_shown_to_who_asked_and_taken_back(tmp_path: Path) -> None:
    async with team_under(IN_ITS_CHANNEL, tmp_path) as team:
        team.slack.workspace.usergroups["S0RELEASE"].users.append(team.ada.id)
        store, place = team.app.store, {"channel_id": team.deploys.id}
        asker = {"user_id": team.ada.id, "team_id": team.slack.workspace.team_id}
        deploy = Invocation(id="Ev9", kind="mention", text="deploy acme/frontend main", **asker, **place)
        waits = Attempt(
            id=deploy.id,
            project_slug=ProjectSlug(FRONTEND),
            project_title="acme/frontend",
            ref=Ref(name="main"),
            thread=Place(**place),
            asker_id=team.ada.id,
            asked_at=utc_now(),
            sent_by=deploy.id,
        )
        assert await store.attempts.begin(waits, [])
        shown = "your deploy of acme/frontend main"
        assert [shown in said(await types(team, team.ada, line)) for line in ("mine", "cancel acme/frontend")] == [
            True
        ] * 2
        assert shown not in said(await types(team, team.grace, "mine"))
        assert "goes out all the same" in said(await types(team, team.ada, "lock acme/frontend"))
        assert shown not in said(await types(team, team.ada, "cancel acme/frontend try/slow"))
        (asked,) = await types(team, team.ada, "cancel acme/frontend main")
        assert "Only who asked" in said(
            await presses(team, team.grace, somewhere(team), asked.element("Do not deploy it"))
        )
        # Their own they take back, though they may not deploy any more.
        team.slack.workspace.usergroups["S0RELEASE"].users.remove(team.ada.id)
        team.app.permissions.forget()
        assert "is not deployed" in said(await presses(team, team.ada, asked, "Do not deploy it"))
        (gone,) = await store.attempts.those([waits.id])
        assert gone.refusal
        assert gone.refusal.person_id == team.ada.id  # so who agreed to it is told who took it back
        assert "does not wait for its turn any more" in said(await presses(team, team.ada, asked, "Do not deploy it"))
        # Neither the run that waited nor one after it sends it.
        assert not await store.attempts.send(waits.model_copy(update={"sent_at": utc_now()}))
        await store.deliveries.record(deploy)
        await team.app.engine.add(HANDLE, deploy.id)
        await team.is_done()
        assert "You took it back: acme/frontend main is not deployed." in said(team.ada.sees_only)
        assert writes(team) == []


async def test_what_is_taken_back_before_it_is_recorded_or_while_it_is_out_is_not_sent_later(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        store, place = team.app.store, {"channel_id": team.deploys.id}
        asker = {"user_id": team.ada.id, "team_id": team.slack.workspace.team_id}
        for name, branch in (("Ev7", "try/green"), ("Ev8", "try/slow")):
            deploy = Invocation(id=name, kind="mention", text=f"deploy acme/frontend {branch}", **asker, **place)
            await store.deliveries.record(deploy)
        back = TakeBack(attempt_id="Ev7")
        assert "Only who asked" in said(await presses(team, team.grace, somewhere(team), back))
        assert "acme/frontend try/green is not deployed" in said(await presses(team, team.ada, somewhere(team), back))
        out = Attempt(
            id="Ev8",
            project_slug=ProjectSlug(FRONTEND),
            project_title="acme/frontend",
            ref=Ref(name="try/slow"),
            thread=Place(**place),
            asker_id=team.ada.id,
            asked_at=utc_now(),
            sent_at=utc_now(),
            sent_by="Ev8",
        )
        assert await store.attempts.begin(out, [])
        told = said(await presses(team, team.ada, somewhere(team), TakeBack(attempt_id="Ev8")))
        assert "acme/frontend try/slow is on its way to CircleCI, which has not answered yet." in told
        await store.attempts.put_off(out)  # CircleCI answers that it has to wait
        for name in ("Ev7", "Ev8"):
            await team.app.engine.add(HANDLE, name)
        await team.is_done()
        for branch in ("try/green", "try/slow"):
            assert f"You took it back: acme/frontend {branch} is not deployed." in said(team.ada.sees_only)
        assert writes(team) == []


async def test_what_has_gone_out_is_not_taken_back(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        await types(team, team.ada, "deploy acme/frontend main")
        sent = await on_record(team, "main")
        told = said(await presses(team, team.ada, somewhere(team), TakeBack(attempt_id=sent.id)))
        assert "Nothing was taken back: acme/frontend main has gone out as #2417." in told
        assert await on_record(team, "main") == sent
