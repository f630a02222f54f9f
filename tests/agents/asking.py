"""What stories of agents share: an agent with a token, and its calls, as the face passes them on."""

from datetime import timedelta
from typing import Any

from bot.agents.shapes import Reply
from bot.models.agent import Agent, digest_of, new_token
from bot.models.slack import utc_now
from tests.stories.team import Team

REASON = "v2.0 is cut, and its tests are green"


async def agent_of(team: Team, name: str = "laptop", owner: str = "ada", **changed: Any) -> Agent:
    """Give a person an agent, and return it."""
    made = utc_now()
    agent = Agent(
        name=name,
        owner_id=team.slack.person(owner).id,
        owner_name=owner,
        team_id=team.slack.workspace.team_id,
        channel_id=team.deploys.id,
        made_at=made,
        expires_at=made + timedelta(days=90),
        digest=digest_of(new_token()),
    ).model_copy(update=changed)
    assert await team.app.store.agents.add(agent)
    return agent


async def calls(team: Team, agent: Agent, tool: str, **arguments: Any) -> Reply:
    """Let an agent call a tool."""
    return await team.app.desk.call(agent, tool, arguments)


async def asks(team: Team, agent: Agent, tool: str, **arguments: Any) -> dict[str, Any]:
    """Let an agent ask for an act, and return how it stands."""
    reply = await calls(team, agent, tool, **{"reason": REASON, **arguments})
    assert not reply.is_error, reply.text
    return reply.data


async def follows_to_the_end(team: Team, agent: Agent, of: str) -> dict[str, Any]:
    """Let an agent follow until it is over."""
    for _ in range(60):
        told = (await calls(team, agent, "follow", of=of, wait=5)).data
        if told["finished"]:
            return told
    raise AssertionError(told)
