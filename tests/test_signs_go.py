"""A sign goes when the message of its build stands, and says until then how long that waits for its turn."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.models.caller import Place
from bot.models.circleci import PipelineId, ProjectSlug
from bot.models.slack import Invocation, Watch, utc_now
from bot.slack.signs import OFTEN, RESPONSE_URL, SOON, Signs
from playground.slack.conversations import Message
from playground.slack.responses import Origin
from tests.stories.team import Team, team_at_work

BUILD = PipelineId("5034460f-c7c4-4c43-9457-de07e2029e7b")


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path, slack_posts_per_second_per_channel=1) as team:
        yield team


async def signed(team: Team, name: str, since: timedelta) -> Message:
    """Let Ada have deployed so long ago, see the sign of it, and nothing in the channel."""
    origin = Origin(team.deploys, team.ada.id)
    url = team.slack.url + team.slack.responses.mint("commands", origin)
    team.slack.responses.speak(origin, {"text": f"👀 Understood: {name}."})
    place = Place(channel_id=team.deploys.id)
    said = Invocation(
        id=name, kind="command", text="", user_id=team.ada.id, team_id="T", channel_id=place.channel_id, signed=True
    )
    await team.app.store.deliveries.record(said.model_copy(update={"response_url": url}))
    slug, asked_at = ProjectSlug("gh/acme/frontend"), utc_now() - since
    watch = Watch(
        id=name,
        pipeline_id=BUILD,
        pipeline_number=2417,
        project_slug=slug,
        project_title="acme/frontend",
        thread=place,
        asked_at=asked_at,
    )
    await team.app.store.watches.add(watch)
    assert origin.said is not None
    return origin.said


async def stands(team: Team, name: str) -> None:
    watches = team.app.store.watches
    (watch,) = [one for one in await watches.of(BUILD) if one.id == name]
    await watches.save(watch, watch.model_copy(update={"root_ts": "1.2"}))


async def test_a_sign_tells_its_turn_and_goes(team: Team) -> None:
    signs: Signs = team.app.signs
    first, second = [await signed(team, name, 2 * SOON) for name in ("first", "second")]
    young = await signed(team, "young", timedelta(0))
    for name in ("first", "second", "young", "second"):  # who looks twice says it once
        assert await signs.follow(name, BUILD) == OFTEN
    assert first.visible == "⏳ Waiting: the message of #2417 comes here. Slack takes one after the other."
    assert "comes here in about 1 s. " in second.visible
    assert young.visible == "👀 Understood: young."
    assert len(second.history) == 1
    for name, message in (("second", second), ("young", young)):
        await stands(team, name)
        assert await signs.follow(name, BUILD) is None
        assert message.deleted
    assert not first.deleted
    await signed(team, "old", RESPONSE_URL + SOON)
    assert await signs.follow("old", BUILD) is None
