"""Stories of agents being made and removed: nothing before a press, the token in one window alone, and by whom."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.actions import AgentForm, RemoveAgent
from bot.models.agent import digest_of
from bot.models.audit import Outcome
from bot.models.slack import utc_now
from playground.slack.people import Person
from tests.operations.scene import (
    button,
    fills_in,
    on_record,
    opens,
    presses,
    record,
    said,
    somewhere,
    team_under,
    types,
)
from tests.stories.team import Team

TOKEN = re.compile(r"cia_[\w-]{43}")
LAPTOP = AgentForm(name="laptop", channel_id="C0DEPLOYS", days=30)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_under("", tmp_path, agents=True) as team:
        yield team


def admin_of(team: Team) -> Person:
    return team.slack.person("admin")


async def made(team: Team, form: AgentForm, who: Person) -> str:
    """Let somebody press the button of a form and send its window; returns what that says."""
    return await fills_in(who, await opens(team, who, somewhere(team), form))


async def test_an_agent_is_made_by_a_window_which_shows_its_token_alone(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    (offer,) = await types(team, team.ada, "agent add laptop words=deploy days=30")
    assert "Nothing is made yet" in offer.visible
    assert "It asks for deploys of what you may" in offer.visible
    assert await team.app.store.agents.all() == []
    window = await opens(team, team.ada, offer, "Make the agent")
    assert "keep it like a password" in window.visible
    told = await fills_in(team.ada, window)
    (token,) = set(TOKEN.findall(told))
    assert f'claude mcp add --transport http ci http://127.0.0.1:0/mcp --header "Authorization: Bearer {token}"' in told
    for client in ("Codex", "Cursor", "VS Code"):
        assert client in told
    agent = await team.app.store.agents.of_token(digest_of(token))
    assert agent is not None
    assert (agent.name, agent.owner_id, agent.channel_id) == ("laptop", "U0ADA", "C0DEPLOYS")
    assert (agent.words, (agent.expires_at - agent.made_at).days) == (("read", "deploy"), 30)
    # It is nowhere else: no message, no record, no key of Redis, no line of the log.
    entry = await on_record(team, "add the agent laptop")
    assert entry.result.startswith("it may read, deploy until 20")
    everywhere = [*team.slack.workspace.ephemerals, *team.deploys.messages]
    assert not any(token in one.visible for one in everywhere)
    assert token not in str(await record(team))
    async with Redis.from_url(team.app.docket.url) as redis:
        kept = [(key, await redis.dump(key)) async for key in redis.scan_iter()]
    assert not [key for key, value in kept if token.encode() in (value or b"")]
    assert token not in capsys.readouterr().out
    # Its name is taken by now, for the same button and for who asks for it anew.
    assert "It is yours: if its token is lost" in said(await presses(team, team.ada, offer, "Make the agent"))
    assert "Choose another name" in said(await types(team, team.grace, "agent add laptop"))


async def test_an_agent_is_seen_and_removed_by_its_owner_and_by_admins_alone(team: Team) -> None:
    first = await opens(team, team.ada, somewhere(team), LAPTOP)
    second = await opens(team, team.grace, somewhere(team), LAPTOP)
    assert TOKEN.search(await fills_in(team.ada, first))
    assert "Choose another name" in await fills_in(team.grace, second)
    assert "You have no agent" in said(await types(team, team.grace, "agents"))
    assert "laptop" in said(await types(team, team.ada, "agents"))
    told = said(await types(team, team.ada, "agent add my laptop"))
    assert "Nothing was made. You wrote `laptop`." in told
    assert len(await team.app.store.agents.all()) == 1
    assert "has not asked yet" in said(await types(team, team.ada, "agent remove laptop"))
    await team.app.store.agents.note_use((await team.app.store.agents.all())[0], utc_now())
    assert "last asked" in said(await types(team, team.ada, "agent remove laptop"))
    refused = said(await types(team, team.grace, "agent remove laptop"))
    assert "my admins" in refused
    (kept,) = await team.app.store.agents.all()
    remove = RemoveAgent(name="laptop", made_at=kept.made_at)
    assert "my admins" in said(await presses(team, team.grace, somewhere(team), remove))
    assert (await on_record(team, "remove the agent laptop")).outcome is Outcome.REFUSED
    assert await team.app.store.agents.all() == [kept]
    assert "for ada" in said(await types(team, admin_of(team), "agents"))
    (asked,) = await types(team, admin_of(team), "agent remove laptop")
    assert "is removed" in said(await presses(team, admin_of(team), asked, "Remove laptop"))
    assert await team.app.store.agents.all() == []
    await team.slack.wait_for(lambda: "admin removed your agent" in said(team.ada.direct_messages))
    # One of the same name that was made later is another one.
    await made(team, LAPTOP, team.ada)
    assert "is not there any more" in said(await presses(team, team.ada, somewhere(team), remove))
    assert len(await team.app.store.agents.all()) == 1


async def test_one_of_its_own_is_made_by_admins_alone_and_any_stands_where_its_owner_is(team: Team) -> None:
    own = LAPTOP.model_copy(update={"name": "release-bot", "own": True})
    assert "my admins" in said(await types(team, team.ada, "agent add release-bot own"))
    assert "my admins" in said(await presses(team, team.ada, somewhere(team), button(own)))
    assert "what the policy's roles let it by its name" in said(
        await types(team, admin_of(team), "agent add release-bot own")
    )
    assert TOKEN.search(await made(team, own, admin_of(team)))
    (kept,) = await team.app.store.agents.all()
    assert kept.own

    workspace = team.slack.workspace
    workspace.add_channel("C0HIDDEN", "hidden", "U0GRACE", workspace.bot_user_id, kind="private")
    no = "This is no channel that you and I are both in"
    assert no in said(await types(team, team.ada, "agent add laptop channel=#hidden"))
    assert no in said(await types(team, team.ada, "agent add laptop channel=#nowhere"))
    assert no in said(await types(team, team.ada, "agent add laptop channel=<#C0HIDDEN|hidden>"))
    forged = LAPTOP.model_copy(update={"channel_id": "C0HIDDEN"})
    assert no in said(await presses(team, team.ada, somewhere(team), button(forged)))
    assert "its requests stand in" in said(await types(team, team.grace, "agent add laptop channel=#hidden"))
    assert await team.app.store.agents.all() == [kept]


async def test_what_no_rule_lets_it_do_is_said_before_and_after(team: Team) -> None:
    guest = team.slack.person("guest")
    (offer,) = await types(team, guest, "agent add phone")
    assert "none lets it deploy, rerun or cancel anything" in offer.visible
    await fills_in(guest, await opens(team, guest, offer, "Make the agent"))
    assert "(no rule lets it deploy, rerun or cancel)" in said(await types(team, guest, "agents"))
    assert "none lets it" not in said(await types(team, team.ada, "agent add desktop"))
