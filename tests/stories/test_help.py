"""Stories of people who do not know the bot yet."""

from pathlib import Path

from playground.slack.conversations import Message
from tests.operations.scene import MOBILE, again_until, said, team_under, types
from tests.operations.test_subscribing import POLICY
from tests.stories.team import Team

BY_NAME = """
[[rules]]
name = "everybody"
words = ["read", "deploy"]

[[rules]]
name = "mobile is not for grace"
effect = "deny"
words = ["read"]
roles = ["grace"]
projects = ["acme/mobile"]

[roles.grace]
users = ["U0GRACE"]
"""


async def greetings(team: Team) -> list[Message]:
    return [one for one in team.ada.direct_messages if "Hello." in one.visible]


def told_of_the_hold(team: Team) -> list[Message]:
    return [one for one in team.ada.sees_only if "hold-prod waits for an approval" in one.visible]


async def test_who_opens_the_direct_messages_is_greeted_once(both_ways: Team) -> None:
    team = both_ways
    await team.ada.open_messages()
    greeting = (await team.slack.wait_for(lambda: team.ada.direct_messages))[0]
    assert greeting.buttons == ["What can I do here?", "How to deploy"]
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
    await team.slack.wait_for(lambda: [one for one in team.ada.direct_messages if "Name one" in one.visible])
    assert await greetings(team) == []


async def test_what_waits_stands_first_and_all_else_is_a_press_away(team: Team) -> None:
    guest = team.slack.person("guest")
    await team.deploys_branch("try/on-hold")
    await team.reads("Waiting for approval")
    # What a look has seen is told before it is kept.
    await again_until(lambda: types(team, team.ada, ""), lambda: told_of_the_hold(team))
    told = told_of_the_hold(team)[0]
    await team.ada.click(told, "Show what waits: #2417")
    shown = await team.is_told(team.ada, "1 job of acme/frontend waits")
    assert "Approve hold-prod" in shown.buttons
    await team.ada.click(told, "More")
    await team.is_told(team.ada, "says more about one of them")
    await guest.command("deploys", "/ci", "")
    told = await team.is_told(guest, "hold-prod waits for an approval")
    assert told.buttons == ["Status of #2417", "Why red: try/on-hold", "My builds", "More"]
    await guest.click(told, "More")
    seen = (await team.is_told(guest, "What you may not use is left out.")).visible
    assert not [word for word in ("`/ci deploy ", "`/ci env", "`/ci audit", "`/ci doctor") if word in seen]


async def test_a_press_on_what_help_offers_deploys_it_once_a_dialog_has_named_it(team: Team) -> None:
    await team.deploys_branch("main")
    await team.reads("Passed in")
    await team.ada.command("deploys", "/ci", "help")
    told = await team.is_told(team.ada, "is what you did here last")
    assert "Project acme/frontend, branch main" in told.element("Deploy main")["confirm"]["text"]["text"]
    await team.ada.click(told, "Deploy main")
    await team.until(lambda: len(team.posts("/pipeline")) == 2)
    assert team.posts("/pipeline") == [{"branch": "main"}] * 2


async def test_nobody_waits_for_circleci_where_rules_name_projects_and_a_slug_is_made_of_ids(tmp_path: Path) -> None:
    async with team_under(BY_NAME, tmp_path, poll_interval_seconds=3600) as team:
        await types(team, team.ada, f"use {MOBILE} main")
        asked = len(team.circleci.requests)
        (told,) = await types(team, team.ada, "help")
        assert "This channel uses acme/mobile:" in told.visible
        (whole,) = await types(team, team.ada, "help all")
        (page,) = await types(team, team.ada, "deploy --help")
        assert f"`/ci deploy {MOBILE} main`" in page.visible
        assert MOBILE in whole.visible
        for text in ("", "help all", "status --help"):
            (told,) = await types(team, team.grace, text)
            assert "mobile" not in told.visible
            assert MOBILE not in str(told.blocks)
        assert len(team.circleci.requests) == asked


async def test_what_the_channel_hears_is_counted_as_far_as_they_may_read_and_offered_where_it_hears_nothing(
    tmp_path: Path,
) -> None:
    offer, guest_reads = "`/ci subscribe acme/frontend` lets this channel hear", "There is 1 subscription here"
    policy = POLICY.replace('"read", "cancel"', '"read", "cancel", "deploy"', 1)
    async with team_under(policy, tmp_path) as team:
        guest = team.slack.person("guest")
        assert offer not in said(await types(team, team.ada, ""))
        await types(team, team.ada, "use acme/frontend main")
        assert offer in said(await types(team, team.ada, ""))
        for line in ("acme/frontend", "acme/backend", "acme/frontend merger"):
            await types(team, team.ada, f"subscribe {line}")
        told = said(await types(team, team.ada, ""))
        assert ("There are 3 subscriptions here: `/ci subscriptions` lists them." in told, offer in told) == (
            True,
            False,
        )
        assert guest_reads in said(await types(team, guest, ""))
        await types(team, team.ada, "unsubscribe acme/frontend broke fixed")
        assert offer in said(await types(team, guest, ""))  # of the others nobody tells them
        team.circleci.faults.add("GET", "/api/v2/project", status=503)
        assert "There are 2 subscriptions here" in said(await types(team, team.grace, ""))


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
