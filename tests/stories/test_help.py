"""Stories of people who do not know the bot yet."""

from playground.slack.conversations import Message
from tests.stories.team import Team


async def greetings(team: Team) -> list[Message]:
    return [one for one in team.ada.direct_messages if "Hello." in one.visible]


async def test_who_opens_the_direct_messages_is_greeted_once(both_ways: Team) -> None:
    team = both_ways
    await team.ada.open_messages()
    greeting = (await team.slack.wait_for(lambda: team.ada.direct_messages))[0]
    assert greeting.buttons == ["All commands", "How to deploy"]
    await team.ada.open_messages()
    for _ in range(2):
        await team.ada.click(greeting, "How to deploy")
    await team.slack.wait_for(lambda: len([one for one in team.ada.sees_only if "tag:v2.0" in one.visible]) == 2)
    assert len(await greetings(team)) == 1


async def test_who_has_talked_with_it_before_is_not_greeted(team: Team) -> None:
    await team.ada.message_bot("help deploy")
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "tag:v2.0" in one.visible])
    await team.ada.open_messages()
    await team.ada.open_home()
    await team.ada.message_bot("help")
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "Ship" in one.visible])
    assert await greetings(team) == []


async def test_a_greeting_is_answered_where_it_was_said(team: Team) -> None:
    await team.ada.message_bot("hello")
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "Try first" in one.visible])
    await team.ada.command("deploys", "/ci", "hello you")
    await team.is_told(team.ada, "This word stands alone.")


async def test_where_the_command_is_called_otherwise_help_calls_it_so_too(team: Team) -> None:
    await team.ada.command("deploys", "/circle", "help deploy")
    told = await team.is_told(team.ada, "/circle deploy")
    assert "/ci deploy" not in told.visible


async def test_another_word_for_an_act_is_offered_behind_a_dialog_and_one_for_a_look_is_a_word(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "ship acme/frontend main")
    told = await team.is_told(team.ada, "I read this as `deploy acme/frontend main`")
    assert "release" not in told.element("Deploy main")["confirm"]["text"]["text"]
    assert "acme/frontend, branch main" in told.element("Deploy main")["confirm"]["text"]["text"]
    await team.ada.click(told, "Deploy main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "history")
    await team.is_told(team.ada, "acme/frontend")


async def test_a_slip_in_a_long_line_is_answered_all_the_same(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "dploy acme/frontend " + '"' * 1400)
    told = await team.is_told(team.ada, "I do not know this word.")
    assert told.buttons == []


async def test_a_slip_before_the_name_of_a_secret_offers_nothing_but_says_the_word(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "evn set acme/frontend TOKEN")
    told = await team.is_told(team.ada, "Did you mean `env`?")
    assert told.buttons == []


async def test_a_project_spelled_alike_is_offered_and_a_look_needs_no_dialog(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "status acme/fronted main")
    told = await team.is_told(team.ada, "CircleCI knows no project")
    assert told.element("Status acme/frontend main").get("confirm") is None
    await team.ada.click(told, "Status acme/frontend main")
    await team.is_told(team.ada, "✅")
