"""A deploy as people ask for it: by slash command and by mention, over Socket Mode and over HTTP."""

from pathlib import Path

from bot.actions import RerunAll, RunCommand
from playground.slack.conversations import Message
from tests.operations.scene import OVER, fills_in, opens, presses, pushed, said, team_under, types, writes
from tests.stories.team import Team

BY_CHANNEL = """
[[rules]]
name = "all look in deploys"
words = ["read"]
channels = ["C0DEPLOYS"]

[[rules]]
name = "all act in random"
words = ["read", "deploy", "rerun", "cancel"]
channels = ["C0RANDOM"]

[[rules]]
name = "all ship the tool"
words = ["deploy"]
projects = ["acme/cli"]

[[rules]]
name = "nobody looks at the tool"
effect = "deny"
words = ["read"]
projects = ["acme/cli"]
"""
DEMANDS = """
[[rules]]
name = "everybody does it all"
words = ["*"]

[[rules]]
name = "main needs a second person"
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
"""


async def test_a_deploy_is_started_followed_and_ends_green(both_ways: Team) -> None:
    team = both_ways
    delivery = await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
    assert delivery.acked
    final = await team.reads("Passed in")
    root = team.deploys.roots[0]
    assert final in root.replies
    assert "Passed" in root.visible
    assert "app.tar.gz" in final.visible
    assert team.posts("/pipeline") == [{"branch": "main"}]


async def test_a_mention_is_answered_in_its_own_thread(both_ways: Team) -> None:
    team = both_ways
    await team.ada.mention("deploys", "deploy acme/frontend main")
    final = await team.reads("Passed in")
    assert [message.user for message in team.deploys.roots] == [team.ada.id]
    assert "asked by ada" in team.deploys.roots[0].replies[0].visible.lower()
    assert final in team.deploys.roots[0].replies
    assert team.posts("/pipeline") == [{"branch": "main"}]


async def test_the_same_mention_three_times_starts_one_pipeline(both_ways: Team) -> None:
    team = both_ways
    # C30
    delivery = await team.ada.mention("deploys", "deploy acme/frontend main")
    await team.reads("Passed in")
    for _ in range(2):
        await team.ada.redeliver(delivery)
    await team.ada.command("deploys", "/ci", "deply")  # what is answered after the redeliveries were taken
    await team.is_told(team.ada, "Did you mean")
    assert len(team.posts("/pipeline")) == 1


async def test_an_unknown_word_is_answered_with_the_near_miss(both_ways: Team) -> None:
    team = both_ways
    await team.ada.command("deploys", "/ci", "deply acme/frontend main")
    await team.is_told(team.ada, "Did you mean")
    assert team.deploys.messages == []
    assert team.posts("/pipeline") == []


async def test_an_unknown_project_is_said_with_what_it_may_mean(both_ways: Team) -> None:
    team = both_ways
    await team.ada.command("deploys", "/ci", "deploy acme/nothing")
    await team.is_told(team.ada, "or my token may not see it")
    assert team.posts("/pipeline") == []


async def test_a_stranger_of_another_workspace_may_only_read(both_ways: Team) -> None:
    team = both_ways
    stranger = team.slack.person("stranger")
    await stranger.command("deploys", "/ci", "deploy acme/frontend main")
    await team.is_told(stranger, "You may not deploy here")
    await stranger.command("deploys", "/ci", "help")
    told = await team.is_told(stranger, "says more about one word")
    assert "How to deploy" not in told.buttons
    assert team.posts("/pipeline") == []


async def test_where_the_bot_is_no_member_the_asker_is_asked_and_gets_it_directly(both_ways: Team) -> None:
    team = both_ways
    # C35
    await team.ada.command("random", "/ci", "deploy acme/frontend main env=prod")
    asked = await team.is_told(team.ada, "I am not in this channel, so nobody here would hear how acme/frontend main")
    assert [len(team.slack.calls_of(one)) for one in ("conversations.info", "users.conversations")] == [1, 0]
    assert team.posts("/pipeline") == []
    (how,) = await presses(team, team.ada, asked, "Invite me")
    (anew,) = await presses(team, team.ada, how, "Deploy main here")
    await presses(team, team.ada, asked, "Tell me in direct messages")
    assert "is started. I tell you how it goes in our direct messages." in asked.visible
    assert asked.buttons == []
    await presses(team, team.ada, anew, "Invite me")
    await team.is_told(team.ada, "You answered this already: deploy gh/acme/frontend main env=prod is #2417.")
    said = await team.slack.wait_for(
        lambda: [m for m in team.ada.direct_messages if "Passed in" in m.visible], timeout=30
    )
    assert len(said) == 1
    assert not any("I cannot write" in one.visible for one in team.ada.direct_messages)
    await presses(team, team.ada, how, "Deploy main here")
    await team.is_told(team.ada, "You answered this already: deploy gh/acme/frontend main env=prod is #2417.")
    assert team.slack.workspace.channel("random").messages == []
    assert team.posts("/pipeline") == [{"branch": "main", "parameters": {"env": "prod"}}]
    assert team.slack.workspace.channel("releases").messages == []  # the operator has no trouble


async def test_whatever_would_be_told_in_a_channel_without_the_bot_is_asked_first(tmp_path: Path) -> None:
    async with team_under(DEMANDS, tmp_path) as team:
        pushed(team, "release/v2.0", OVER)
        workspace = team.slack.workspace
        random, bot = workspace.channel("random"), workspace.bot_user_id

        async def asked(line: str) -> Message:
            mark = team.ada.mark
            await team.ada.command("random", "/ci", line)
            await team.is_done()
            return next(one for one in team.ada.sees_only_since(mark) if "Invite me" in one.buttons)

        rerun, watch = await asked("rerun acme/frontend #2417"), await asked("watch acme/frontend #2417")
        second, typed = await asked("deploy acme/frontend main"), await asked("deploy acme/frontend hold/prod")
        assert writes(team) == []
        assert list(second.buttons) == ["Invite me"]
        assert "Somebody else must agree to it, which they can in a channel that I am in." in second.visible
        (asks,) = await presses(team, team.ada, typed, "Tell me in direct messages")
        view = await opens(team, team.ada, asks, "Type it")
        await fills_in(team.ada, view, typed="hold/prod")
        await team.slack.wait_for(lambda: any("hold/prod" in one.visible for one in team.ada.direct_messages))
        await presses(team, team.ada, watch, "Tell me in direct messages")
        await team.slack.wait_for(lambda: any("release/v2.0" in one.visible for one in team.ada.direct_messages))
        passed = pushed(team, "try/green", OVER)
        green = await asked(f"rerun acme/frontend #{passed.number}")
        (offered,) = await presses(team, team.ada, green, "Tell me in direct messages")
        team.slack.refuse("conversations.open", "user_disabled")
        told, sent = await presses(team, team.ada, offered, "Rerun all"), len(writes(team))
        assert "its news would come there. Nothing was done." in said(told)
        await presses(team, team.ada, offered, "Rerun all")  # it was asked before, and is not asked again
        assert len(writes(team)) == sent + 1
        await team.slack.wait_for(lambda: any("try/green" in one.visible for one in team.ada.direct_messages))
        random.members.append(bot)
        (how,) = await presses(team, team.ada, rerun, "Invite me")
        await presses(team, team.ada, how, "Rerun #2417 here")
        await team.slack.wait_for(lambda: any("rerun by ada" in one.visible for one in random.messages))
        assert writes(team)[0].endswith("/pipeline")
        assert [one.partition("/workflow/")[2][-6:] for one in writes(team)[1:]] == ["/rerun", "/rerun"]


async def test_nothing_is_told_in_direct_messages_to_who_may_not_look_at_it_there(tmp_path: Path) -> None:
    async with team_under(BY_CHANNEL, tmp_path) as team:
        failed = pushed(team, "try/failing-tests", OVER)
        for line in (
            "deploy acme/frontend main",
            f"rerun acme/frontend #{failed.number}",
            f"watch acme/frontend #{failed.number}",
        ):
            mark = team.ada.mark
            await team.ada.command("random", "/ci", line)
            await team.is_done()
            (asked,) = [one for one in team.ada.sees_only_since(mark) if one.buttons]
            assert list(asked.buttons) == ["Invite me"]
            assert "You may not look at it in direct messages." in asked.visible
        again = RunCommand(text="deploy acme/frontend main", directly=True)  # as an earlier message offers it
        random = team.slack.workspace.channel("random")
        there = team.slack.workspace.post(random, team.slack.workspace.bot_user_id, "It bears a button.", [])
        assert "You may not look at it" in said(await presses(team, team.ada, there, again))
        assert "You may not look at it" in said(
            await presses(team, team.ada, there, RerunAll(pipeline_id=failed.id, follow=True))
        )
        assert "Who could: everyone, from #random." in said(await types(team, team.ada, "help rerun"))
        await team.ada.message_bot("deploy acme/cli main")  # which a rule lets them start anywhere, and not look at
        await team.slack.wait_for(
            lambda: any("Ask for it in a channel" in one.visible for one in team.ada.direct_messages)
        )
        assert writes(team) == []


async def test_what_is_asked_between_two_people_is_told_to_who_asked_alone(tmp_path: Path) -> None:
    async with team_under("", tmp_path) as team:
        people = (team.ada.id, team.grace.id)
        between = team.slack.workspace.add_channel("D0ADAGRACE", "ada-grace", *people, kind="im")
        await team.ada.command(between, "/ci", "deploy acme/frontend main")
        asked = await team.is_told(team.ada, "These direct messages are not mine, so nobody here would hear")
        assert writes(team) == []
        assert list(asked.buttons) == ["Tell me in direct messages"]
        await presses(team, team.ada, asked, "Tell me in direct messages")
        await team.slack.wait_for(lambda: any("asked by ada" in one.visible for one in team.ada.direct_messages))
        assert between.messages == []
        assert len(writes(team)) == 1


async def test_a_direct_message_is_answered_where_it_was_said(both_ways: Team) -> None:
    team = both_ways
    await team.ada.message_bot("help")
    await team.slack.wait_for(lambda: [m for m in team.ada.direct_messages if "Name one, such as" in m.visible])
    assert team.ada.sees_only == []
