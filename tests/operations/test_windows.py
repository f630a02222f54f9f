"""Stories of windows: what is sent with one counts as said where it was opened, by who opened it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.actions import VariableForm
from playground.slack.conversations import Message
from playground.slack.modals import View
from tests.operations.scene import FRONTEND, button, fills_in, opens, presses, said, somewhere, team_under, writes
from tests.stories.team import Team

POLICY = """
[roles.in-deploys]
channels = ["C0DEPLOYS"]

[[rules]]
name = "everybody reads"
words = ["read"]

[[rules]]
name = "members deploy in #deploys"
roles = ["members"]
words = ["deploy", "rerun"]
channels = ["C0DEPLOYS"]

[[rules]]
name = "whoever speaks in #deploys keeps secrets"
roles = ["in-deploys"]
words = ["secrets"]

[[rules]]
name = "two people"
effect = "demand"
words = ["deploy"]
branches = ["main"]
second_person = true

[[rules]]
name = "typed"
effect = "demand"
words = ["deploy"]
branches = ["hold/prod"]
typed = true
"""
VARIABLE = VariableForm(project_slug=FRONTEND, name="TOKEN")


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under(POLICY, tmp_path) as team:
        yield team


def elsewhere(team: Team) -> Message:
    workspace = team.slack.workspace
    return workspace.post(workspace.channel("releases"), workspace.bot_user_id, "It bears a button.", [])


def carrying(window: View, other: View) -> View:
    """Make a window carry what another one does."""
    window.content["private_metadata"] = other.content["private_metadata"]
    window.content["callback_id"] = other.content["callback_id"]
    return window


async def test_under_rules_with_channels_windows_work_where_they_were_opened(team: Team) -> None:
    await team.ada.command("deploys", "/ci", "deploy acme/frontend main")
    request = await team.reads("Somebody else must agree")
    window = await opens(team, team.grace, request, "Decline")
    assert "ada wants to deploy acme/frontend main." in window.visible.replace("*", "")
    await team.grace.submit(window, {"reason": "   "})
    assert "Say why not" in window.visible
    await team.grace.submit(window, {"reason": "x" * 501})
    assert "longer than 500 characters" in window.visible
    await team.grace.submit(window, {"reason": "ken has it:\nthe token=s3cretvalue12345 <!channel>"})
    assert "This seems to hold a secret" in window.visible
    async with Redis.from_url(team.app.docket.url) as redis:
        assert not [key async for key in redis.scan_iter() if b"s3cret" in (await redis.dump(key) or b"")]
    assert "Declined" in await fills_in(team.grace, window, reason="&" * 500)
    assert f"grace declined acme/frontend main: {'&' * 500}." in request.visible

    await team.ada.command("deploys", "/ci", "deploy acme/frontend hold/prod")
    asked = await team.is_told(team.ada, "type its branch or tag once more")
    window = await opens(team, team.ada, asked, "Type it")
    assert "To deploy acme/frontend, type its branch or tag" in window.visible
    assert "hold/prod" not in window.visible
    assert "It goes on" in await fills_in(team.ada, window, typed="hold/prod")
    assert "is set" in await fills_in(team.ada, await opens(team, team.ada, somewhere(team), VARIABLE), value="s3cret")
    assert len(writes(team)) == 2


async def test_a_window_of_another_channel_is_refused_however_it_is_forged(team: Team) -> None:
    refused = said(await presses(team, team.ada, elsewhere(team), button(VARIABLE)))
    assert "You may not look at or change secrets" in refused
    named = VARIABLE.model_copy(update={"name": "OTHER"})
    allowed = await opens(team, team.ada, somewhere(team), named)
    allowed.content["private_metadata"] = VARIABLE.pack()
    sent = allowed.content["callback_id"]
    assert "OTHER is set" in (await fills_in(team.ada, allowed, value="s3cret")).replace("`", "")
    twice = await opens(team, team.ada, somewhere(team), named)
    twice.content["callback_id"] = sent  # the same once more, under another view's id
    await fills_in(team.ada, twice, value="other")
    of_ada = await opens(team, team.ada, somewhere(team), VARIABLE)
    of_grace = carrying(await opens(team, team.grace, somewhere(team), named), of_ada)
    assert "is not yours" in await fills_in(team.grace, of_grace, value="s3cret")
    of_ada.content["callback_id"] = of_ada.content["callback_id"].replace("variable_form", "ssh_key_form")
    await team.ada.submit(of_ada, {"value": "s3cret"})
    assert "press “Paste the key” in the message once more" in of_ada.visible
    assert len(writes(team)) == 1


async def test_a_window_that_stood_open_for_too_long_says_which_button_to_press(team: Team) -> None:
    window = await opens(team, team.ada, somewhere(team), VARIABLE)
    async with Redis.from_url(team.app.docket.url) as redis:
        (key,) = await redis.keys("ci:window:*")
        assert 0 < await redis.ttl(key) <= 3600
        await redis.delete(key)  # an hour has gone by
    await team.ada.submit(window, {"value": "s3cret"})
    assert "press “Type the value” in the message once more" in window.visible
    assert writes(team) == []
