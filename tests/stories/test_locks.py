"""Stories of locks: who holds one, who asks for it, who takes it over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.slack.conversations import Message
from tests.stories.team import Team, team_at_work


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path) as team:
        yield team


async def says(team: Team, name: str, text: str, words: str) -> Message:
    person = team.slack.person(name)
    before = person.mark
    await person.command("deploys", "/ci", text)
    found = await team.slack.wait_for(lambda: [one for one in person.sees_only_since(before) if words in one.visible])
    return found[0]


async def hears(team: Team, name: str, words: str) -> Message:
    person = team.slack.person(name)
    found = await team.slack.wait_for(lambda: [one for one in person.direct_messages if words in one.visible])
    return found[0]


async def test_a_lock_refuses_others_and_not_its_holder(team: Team) -> None:
    await says(team, "grace", "lock acme/frontend:main database migration", "is locked. I refuse deploys")
    refused = await says(team, "ada", "deploy acme/frontend main", "@grace locked acme/frontend main")
    assert "database migration" in refused.visible
    assert refused.buttons == ["Ask for it", "Take over", "Tell me when it ends"]
    assert team.posts("/pipeline") == []
    await team.ada.command("deploys", "/ci", "deploy acme/frontend try/green")
    await team.reads("try/green")
    await team.grace.command("deploys", "/ci", "deploy acme/frontend main")
    await team.slack.wait_for(lambda: len(team.posts("/pipeline")) == 2, timeout=30)


async def test_a_lock_on_the_project_holds_for_every_branch(team: Team) -> None:
    await says(team, "grace", "lock acme/frontend incident 42", "is locked")
    await says(team, "ada", "deploy acme/frontend main", "incident 42")
    await says(team, "ada", "deploy acme/frontend tag:v2.0", "incident 42")
    listed = await says(team, "ada", "locks", "1 lock.")
    assert "acme/frontend · @grace" in listed.visible
    await says(team, "grace", "unlock acme/frontend", "acme/frontend is unlocked")
    await says(team, "grace", "unlock acme/frontend", "is not locked")
    await says(team, "ada", "locks", "Nothing is locked.")
    await team.deploys_branch("main")
    await team.reads("Passed in")


async def test_the_holder_is_asked_once_and_unlocks_with_a_press(team: Team) -> None:
    await says(team, "grace", "lock acme/frontend:main", "is locked")
    refused = await says(team, "ada", "deploy acme/frontend main", "@grace locked acme/frontend main")
    await team.ada.click(refused, "Ask for it")
    await team.is_told(team.ada, "I have asked @grace")
    await team.ada.click(refused, "Ask for it")
    await team.is_told(team.ada, "I do not ask twice")
    asked = await hears(team, "grace", "@ada would like to deploy acme/frontend main")
    await team.grace.click(asked, "Unlock")
    await team.is_told(team.grace, "acme/frontend main is unlocked.")
    free = await hears(team, "ada", "The lock on acme/frontend main that stopped you is gone: grace lifted it.")
    assert free.buttons == ["Deploy main"]
    assert len([one for one in team.grace.direct_messages if "would like" in one.visible]) == 1


async def test_a_lock_is_taken_over_once_and_its_holder_told(team: Team) -> None:
    await says(team, "grace", "lock acme/frontend:main hotfix", "is locked")
    text = 'deploy acme/frontend main env=prod note="so be it"'
    refused = await says(team, "ada", text, "@grace locked acme/frontend main")
    again = await says(team, "admin", "lock acme/frontend:main mine", "@grace has locked acme/frontend main already")
    await team.ada.click(refused, "Take over")
    taken = await team.is_told(team.ada, "You hold the lock on acme/frontend main now")
    await hears(team, "grace", "@ada has taken over your lock on acme/frontend main: hotfix.")
    admin = team.slack.person("admin")
    await admin.click(again, "Take over")
    await team.is_told(admin, "There is another lock by now: @ada locked acme/frontend main")
    await team.ada.click(taken, "Deploy main")
    await team.reads("Passed in")
    assert team.posts("/pipeline") == [{"branch": "main", "parameters": {"env": "prod", "note": "so be it"}}]


async def test_taking_over_a_whole_project_offers_what_was_stopped_and_guesses_nothing(team: Team) -> None:
    await says(team, "grace", "lock acme/frontend incident 42", "is locked")
    refused = await says(team, "ada", "deploy acme/frontend try/green", "incident 42")
    await team.ada.click(refused, "Take over")
    taken = await team.is_told(team.ada, "You hold the lock on acme/frontend now")
    assert taken.buttons == ["Deploy try/green", "Unlock"]
    again = await says(team, "admin", "lock acme/frontend", "has locked acme/frontend already")
    admin = team.slack.person("admin")
    await admin.click(again, "Take over")
    assert (await team.is_told(admin, "You hold the lock")).buttons == ["Unlock"]


async def test_what_a_lock_says_of_others_and_of_itself(team: Team) -> None:
    await says(team, "grace", "lock acme/frontend incident 42", "Your reason: incident 42")
    await says(team, "grace", "lock acme/frontend", "You had locked all of acme/frontend already. Your reason is s")
    await says(team, "grace", "lock acme/frontend incident 43", "reason is now: incident 43 (it was: incident 42).")
    why = await says(team, "ada", "why deploy acme/frontend main", "You may deploy")
    assert "But @grace locked acme/frontend" in why.visible
    assert "incident 43" in why.visible
    assert "locked" not in (await says(team, "ada", "why cancel acme/frontend main", "You may cancel")).visible
    await says(team, "ada", "unlock acme/frontend:main", "@grace has locked acme/frontend as a whole.")
    await says(team, "ada", "lock acme/frontend:main mine", "acme/frontend main is locked.")
    await says(team, "ada", "unlock acme/frontend:main", "is gone, but @grace has locked acme/frontend as a whole")


async def test_who_removes_anothers_lock_is_named_to_them(team: Team) -> None:
    await says(team, "grace", "lock acme/frontend", "is locked")
    await says(team, "ada", "unlock acme/frontend", "is unlocked")
    await hears(team, "grace", "@ada has removed your lock on acme/frontend")


async def test_a_guest_can_lock_nothing(team: Team) -> None:
    await says(team, "guest", "lock acme/frontend", "guests may only read")
    await says(team, "guest", "locks", "Nothing is locked.")


async def test_what_cannot_be_understood_is_named(team: Team) -> None:
    await says(team, "ada", "lock", "Which project?")
    await says(team, "ada", "lock acme/frontend:", "Which branch?")
    await says(team, "ada", "unlock acme/frontend why not", "I expected nothing after this.")
    await says(team, "ada", "lock acme/nowhere x", "knows no project")


async def test_a_button_refused_by_a_lock_may_be_pressed_again(team: Team) -> None:
    await team.deploys_branch("try/no-workflow")
    await team.reads("Could not run")
    again = team.root.element("Deploy try/no-workflow again")
    await says(team, "grace", "lock acme/frontend", "is locked")
    await team.ada.click(team.root, again)
    await team.is_told(team.ada, "@grace locked acme/frontend")
    await says(team, "grace", "unlock acme/frontend", "is unlocked")
    await team.ada.click(team.root, again)
    await team.until(lambda: len(team.posts("/pipeline")) == 2)
