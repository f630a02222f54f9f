"""Agents as they are kept: found by name and by token, removed as the one that is meant, and by nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.models.agent import Agent, digest_of, new_token
from bot.store import Store

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def agent(token: str, **changes: object) -> Agent:
    kept = {"name": "laptop", "owner_id": "U0ADA", "channel_id": "C0DEPLOYS", "made_at": NOW}
    return Agent.model_validate(kept | {"expires_at": NOW + timedelta(days=90), "digest": digest_of(token)} | changes)


async def test_nobody_has_more_than_may_be_whoever_asks_at_the_same_moment(store: Store) -> None:
    wanted = [agent(new_token(), name=f"{owner}-{number}", owner_id=owner) for number in range(5) for owner in "ab"]
    made = await asyncio.gather(*(store.agents.add(one, most=3) for one in wanted))
    assert sum(made) == 6
    assert [one.owner_id for one in await store.agents.all()] == ["a"] * 3 + ["b"] * 3
    assert not await store.agents.add(wanted[-1], most=3)
    assert await store.agents.remove((await store.agents.all())[-1])
    assert await store.agents.add(wanted[-1], most=3)


async def test_a_name_is_taken_once_and_its_token_is_good_until_it_is_removed(store: Store) -> None:
    token = new_token()
    first, second = agent(token), agent(new_token(), owner_id="U0GRACE")
    assert await store.agents.add(first)
    assert not await store.agents.add(second)
    assert await store.agents.of_token(digest_of(token)) == first
    assert await store.agents.of_token(second.digest) is None
    await store.agents.note_use(first, NOW)
    assert (await store.agents.all(), await store.agents.last_used()) == ([first], {"laptop": NOW})
    # Who holds an older one of this name removes nothing.
    assert not await store.agents.remove(second)
    assert await store.agents.get("laptop") == first
    assert await store.agents.remove(first)
    assert not await store.agents.remove(first)
    assert await store.agents.of_token(digest_of(token)) is None
    assert (await store.agents.get("laptop"), await store.agents.last_used()) == (None, {})
    assert await store.agents.add(second)
