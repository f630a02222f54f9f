"""Stories of a deploy that the policy lets through only with a second person, typed, or over a green branch."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from playground.slack.conversations import Message
from tests.stories.team import Team, team_at_work

POLICY = """
[[rules]]
name = "members deploy"
roles = ["members"]
words = ["read", "deploy"]

[[rules]]
name = "admins approve"
roles = ["admins"]
words = ["approve"]

[[rules]]
name = "production needs a second person"
effect = "demand"
words = ["deploy"]
branches = ["main"]
second_person = true

[[rules]]
name = "production is typed"
effect = "demand"
words = ["deploy"]
branches = ["hold/*"]
typed = true

[[rules]]
name = "no deploy over a red branch"
effect = "demand"
words = ["deploy"]
branches = ["release/*"]
green = true
"""


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    async with team_at_work(tmp_path / "data", policy_file=file, admins="U0ADMIN") as team:
        yield team


async def request(team: Team, text: str = "deploy acme/frontend main") -> Message:
    await team.ada.command("deploys", "/ci", text)
    return await team.reads("Somebody else must agree")


def shows(team: Team, words: str) -> bool:
    return team.ada.modal is not None and words in team.ada.modal.visible


async def test_a_second_person_agrees_and_it_is_deployed(team: Team) -> None:
    asked = await request(team, "deploy acme/frontend main env=prod")
    assert "ada wants to deploy acme/frontend main" in asked.visible
    assert "env=prod" in asked.visible
    assert team.posts("/pipeline") == []
    await team.ada.click(asked, "Agree and deploy")
    await team.is_told(team.ada, "You asked for it, so somebody else must agree.")
    guest = team.slack.person("guest")
    await guest.click(asked, "Agree and deploy")
    await team.is_told(guest, "You may not deploy")
    button = asked.element("Agree and deploy")
    await team.grace.click(asked, button)
    await team.reads("Passed in")
    assert "grace agreed: acme/frontend main is on its way, as ada asked. It is #2417" in asked.visible
    assert "env=prod" in asked.visible
    assert asked.buttons == []
    await team.slack.person("admin").click(asked, button)
    await team.is_told(team.slack.person("admin"), "@grace was first")
    assert team.posts("/pipeline") == [{"branch": "main", "parameters": {"env": "prod"}}]


async def test_what_will_ship_stands_in_the_request(team: Team) -> None:
    world = team.circleci.world
    world.trigger("gh/acme/frontend", branch="main", parameters={}, by="linus")
    team.circleci.world.set_scenario("gh/acme/frontend", "main", "failing-tests")
    await team.until(lambda: world.pipelines[0].runs[0].status(world.clock.now()) == "success")
    world.trigger("gh/acme/frontend", branch="main", parameters={}, by="barbara")
    asked = await request(team)
    assert "1 commit that CircleCI built since the last green build, #2417" in asked.visible
    assert "barbara · #2418" in asked.visible


async def test_a_decline_gives_its_reason_to_who_asked(team: Team) -> None:
    asked = await request(team)
    agree = asked.element("Agree and deploy")
    await team.grace.click(asked, "Decline")
    view = await team.slack.wait_for(lambda: team.grace.modal)
    assert view is not None
    await team.grace.submit(view, {"reason": "The <!channel> freeze lasts until Monday"})
    told = await team.reads("@ada, grace declined it")
    assert "freeze lasts until Monday" in told.visible
    assert "<!channel>" not in str(told.blocks)
    assert told.thread_ts == asked.ts
    assert "grace declined acme/frontend main" in asked.visible
    assert asked.buttons == []
    await team.slack.person("admin").click(asked, agree)
    await team.is_told(team.slack.person("admin"), "grace declined acme/frontend main")
    assert team.posts("/pipeline") == []


async def test_a_request_expires_and_is_asked_for_again_word_for_word(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    async with team_at_work(tmp_path / "data", policy_file=file, approval_minutes=0.01) as team:
        asked = await request(team, 'deploy acme/frontend main note="so be it" dry="true"')
        told = await team.reads("nobody agreed in time")
        assert '`/ci deploy gh/acme/frontend main note="so be it" dry="true"` asks again.' in told.visible
        assert "@ada" in told.visible
        assert "Nobody decided on acme/frontend main in time" in asked.visible
        assert asked.buttons == []
        await team.grace.click(told, "Ask again: deploy main")
        again = await team.reads("grace wants to deploy")
        assert "note=so be it" in again.visible
        assert 'dry="true"' in again.visible
        assert team.posts("/pipeline") == []


async def test_an_agreement_that_circleci_refuses_says_so_in_its_place(team: Team) -> None:
    asked = await request(team)
    team.circleci.faults.add("POST", "*/pipeline", status=403, body={"message": "Plan is suspended."})
    await team.grace.click(asked, "Agree and deploy")
    await team.is_told(team.grace, "Plan is suspended.")
    await team.slack.wait_for(lambda: "nothing was started" in asked.visible)


async def test_a_lock_set_meanwhile_holds(team: Team) -> None:
    asked = await request(team)
    admin = team.slack.person("admin")
    await admin.command("deploys", "/ci", "lock acme/frontend:main incident")
    await team.is_told(admin, "is locked")
    await team.grace.click(asked, "Agree and deploy")
    await team.is_told(team.grace, "@admin locked acme/frontend main")
    assert team.posts("/pipeline") == []


async def test_the_target_is_typed_by_who_asked(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy acme/frontend hold/prod")
    told = await team.is_told(team.ada, "type its branch or tag once more")
    for typed, words in (("hold/pord", "That is not"), ("hold/prod", "It goes on")):
        await team.ada.click(told, "Type it")
        view = await team.slack.wait_for(lambda: team.ada.modal)
        assert view is not None
        await team.ada.submit(view, {"typed": typed})
        await team.slack.wait_for(partial(shows, team, words))
        shown = team.ada.modal
        assert shown is not None
        await team.ada.close(shown)
    await team.reads("Waiting for approval")
    assert len(team.posts("/pipeline")) == 1


async def test_a_red_branch_is_not_deployed_over_unless_somebody_says_so(team: Team) -> None:
    world = team.circleci.world
    world.trigger("gh/acme/frontend", branch="release/v2.0", parameters={}, by="barbara")
    await team.until(lambda: world.pipelines[0].runs[1].status(world.clock.now()) == "failed")
    await team.ada.command("deploys", "/ci", "deploy acme/frontend release/v2.0")
    told = await team.is_told(team.ada, "is red: unit-tests")
    assert told.buttons == []  # she may not say so, and reads who may
    assert "somebody who may approve (the people in ADMINS: admin) asks for the same and says so" in told.visible
    admin = team.slack.person("admin")
    await admin.command("deploys", "/ci", "deploy acme/frontend release/v2.0")
    told = await team.is_told(admin, "is red: unit-tests")
    anyway = told.element("Deploy all the same")
    await team.ada.click(told, anyway)
    await team.is_told(team.ada, "You may not approve")
    assert team.posts("/pipeline") == []
    await admin.click(told, anyway)
    await team.reads("The branch was not green; admin let it be deployed all the same.")
    assert len(team.posts("/pipeline")) == 1


async def test_in_direct_messages_nobody_else_could_agree(team: Team) -> None:
    await team.ada.message_bot("deploy acme/frontend main")
    await team.slack.wait_for(lambda: "Ask for it in a channel" in str([m.visible for m in team.ada.direct_messages]))
    assert team.posts("/pipeline") == []
