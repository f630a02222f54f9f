"""Agents that ask for acts, as their face would have them ask."""

from collections.abc import Awaitable
from datetime import timedelta

import pytest

from bot.answers.acts import Acted
from bot.answers.questions import SecondPerson, Waits
from bot.errors import UserError
from bot.models.agent import WORDS, Agent, digest_of
from bot.models.caller import Caller, Place
from bot.models.circleci import ProjectSlug, Ref
from bot.models.pending import Deployment
from bot.models.slack import utc_now
from playground.slack.people import Person
from tests.operations.scene import FRONTEND
from tests.stories.team import Team

WHY = "v2 is cut, tests are green on main"
TITLES = {FRONTEND: "acme/frontend", "circleci/5e0c5f62/9f1c2d7a": "acme/mobile"}


async def made(
    team: Team, owner: Person, name: str = "laptop", *, own: bool = False, channel_id: str = "", days: float = 30
) -> Agent:
    """Keep an agent of somebody's, whose requests stand in the channel."""
    now = utc_now()
    agent = Agent(
        name=name,
        owner_id=owner.id,
        owner_name=owner.user.name,
        channel_id=channel_id or team.deploys.id,
        own=own,
        words=WORDS,
        made_at=now,
        expires_at=now + timedelta(days=days),
        digest=digest_of(name),
    )
    assert await team.app.store.agents.add(agent)
    return agent


def speaking(agent: Agent, delivery_id: str = "mcp:1", reason: str = WHY) -> Caller:
    """Return who calls for an agent."""
    return Caller(
        person_id=agent.owner_id,
        name=agent.owner_name,
        agent=agent.name,
        agent_since=agent.made_at,
        own=agent.own,
        reason=reason,
        place=Place(channel_id=agent.channel_id),
        delivery_id=delivery_id,
    )


def deployment(branch: str, slug: str = FRONTEND, **parameters: str | int | bool) -> Deployment:
    """Return the wish for a branch."""
    return Deployment(
        project_slug=ProjectSlug(slug), project_title=TITLES[slug], ref=Ref(name=branch), parameters=parameters
    )


async def waits(act: Awaitable[Acted]) -> str:
    """Let an agent ask for what somebody must agree to; returns its id."""
    with pytest.raises(Waits) as found:
        await act
    assert isinstance(found.value.question, SecondPerson)
    return found.value.question.pending.id


async def refused(act: Awaitable[Acted]) -> UserError:
    """Let an agent ask for what it cannot have; returns why."""
    with pytest.raises(UserError) as found:
        await act
    return found.value
