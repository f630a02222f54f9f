"""A deploy as people ask for it: by slash command and by mention, over Socket Mode and over HTTP."""

from tests.stories.team import Team


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
    assert team.posts("/pipeline") == []
    await team.ada.click(asked, "Deploy main")
    said = await team.slack.wait_for(
        lambda: [m for m in team.ada.direct_messages if "Passed in" in m.visible], timeout=30
    )
    assert len(said) == 1
    assert team.slack.workspace.channel("random").messages == []
    assert team.posts("/pipeline") == [{"branch": "main", "parameters": {"env": "prod"}}]
    assert team.slack.workspace.channel("releases").messages == []  # the operator has no trouble


async def test_a_direct_message_is_answered_where_it_was_said(both_ways: Team) -> None:
    team = both_ways
    await team.ada.message_bot("help")
    await team.slack.wait_for(lambda: [m for m in team.ada.direct_messages if "Name one, such as" in m.visible])
    assert team.ada.sees_only == []
