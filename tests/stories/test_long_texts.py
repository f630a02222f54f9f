"""Stories of people who say far too much: they hear so at once, and nobody waits for it."""

import pytest

from tests.stories.team import Team
from tests.stories.test_secrets import in_redis

# To take it apart took 8 s once, and Slack waits 3 s for the ack.
QUOTES = 'x="' + '="' * 6000
TOO_LONG = "This is too long for me: I read at most 4,000 characters. You wrote `12,003 characters`."


async def test_a_command_that_goes_on_and_on_is_acknowledged_and_answered_at_once(both_ways: Team) -> None:
    delivery = await both_ways.ada.command("deploys", "/ci", QUOTES)
    assert delivery.acked
    told = await both_ways.is_told(both_ways.ada, TOO_LONG)
    assert "/ci help" in told.visible
    await kept_nowhere(both_ways)


async def test_a_mention_that_goes_on_and_on_is_answered_at_once(both_ways: Team) -> None:
    delivery = await both_ways.ada.mention("deploys", QUOTES)
    assert delivery.acked
    await both_ways.is_told(both_ways.ada, TOO_LONG)
    await kept_nowhere(both_ways)


async def test_a_direct_message_that_goes_on_and_on_is_answered_at_once(both_ways: Team) -> None:
    delivery = await both_ways.ada.message_bot(QUOTES)
    assert delivery.acked
    await both_ways.is_told(both_ways.ada, TOO_LONG)
    await kept_nowhere(both_ways)


@pytest.mark.parametrize("project", ["acme/frontend", "`" * 3500, "<!channel>" * 300])
async def test_a_value_in_a_text_that_is_too_long_is_still_called_one(team: Team, project: str) -> None:
    await team.ada.command("deploys", "/ci", f"env set {project} DEPLOY_TOKEN {'hunter2-' * 1000}")
    told = await team.is_told(team.ada, "I do not take a secret from a message")
    assert "hunter2" not in told.visible
    assert not any("hunter2-" in kept for kept in await in_redis(team))


async def test_the_longest_text_that_is_read_is_read_in_full(team: Team) -> None:
    said = ("deploy acme/frontend main " + 'x="="=' * 700)[:3999] + "z"
    delivery = await team.ada.command("deploys", "/ci", said)
    assert delivery.acked
    await team.is_told(team.ada, "CircleCI takes at most 512 characters in a value")


async def kept_nowhere(team: Team) -> None:
    assert not any('="="' in kept for kept in await in_redis(team))
