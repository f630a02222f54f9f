"""Turns at Slack are shared by all processes: rates, bursts, pauses, and a share that the polite ones leave."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.budgets import NO_WAIT, Budget, Window, window
from bot.errors import SlackLimited
from bot.messenger import Messenger
from bot.slack_calls import SlackBudgets
from bot.store import Store
from bot.store.turns import Turns
from formatters.blocks import Message, section
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.one_redis import redis_url

WORDS = Message(text="A sentence.", blocks=(section("A sentence."),))


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Turns, Turns]]:
    """Two processes' views of one Redis."""
    stores = tuple(Store(redis_url(tmp_path), retention=timedelta(days=1)) for _ in range(2))
    yield stores[0].turns, stores[1].turns
    for store in stores:
        await store.close()


@pytest.mark.parametrize(
    ("per_second", "burst", "share", "expected"),
    [
        (10, 1, 1, Window(10, 1)),
        (10, 1, 0.8, Window(8, 1)),
        (1, 3, 1, Window(3, 3)),
        (1, 3, 0.8, Window(2, 3)),
        (50 / 60, 10, 1, Window(10, 12)),
        (0.1, 1, 1, Window(1, 10)),
        (0.1, 1, 0.8, Window(1, 10)),
        (0, 1, 1, None),
    ],
)
def test_a_rate_becomes_a_window(per_second: float, burst: float, share: float, expected: Window | None) -> None:
    assert window(per_second, burst=burst, share=share) == expected


async def test_two_processes_share_one_budget(both: tuple[Turns, Turns]) -> None:
    ours, theirs = (Budget(turns, "slack", 4) for turns in both)
    taken = [await budget.turn() for budget in (ours, theirs, ours, theirs)]
    assert taken == [NO_WAIT] * 4
    assert timedelta(0) < await ours.turn() <= timedelta(seconds=1)
    assert timedelta(0) < await theirs.turn() <= timedelta(seconds=1)
    assert await theirs.turn(patience=timedelta(seconds=5)) == NO_WAIT


async def test_each_key_has_turns_of_its_own(both: tuple[Turns, Turns]) -> None:
    posts = Budget(both[0], "slack:posts", 1)
    assert await posts.turn("C1") == await posts.turn("C2") == NO_WAIT
    assert await posts.turn("C1")


async def test_the_polite_ones_leave_a_share(both: tuple[Turns, Turns]) -> None:
    budget = Budget(both[0], "slack", 10)
    polite = [await budget.turn(polite=True) for _ in range(10)]
    assert polite.count(NO_WAIT) == 8
    assert [await budget.turn() for _ in range(2)] == [NO_WAIT] * 2
    assert await budget.turn()


async def test_a_pause_holds_for_everybody_and_is_not_cut_short(both: tuple[Turns, Turns]) -> None:
    ours, theirs = (Budget(turns, "slack", 0) for turns in both)
    await ours.pause(timedelta(seconds=30))
    await theirs.pause(timedelta(seconds=5))
    for budget in (ours, theirs):
        assert timedelta(seconds=28) < await budget.turn() < timedelta(seconds=31)


async def test_after_a_pause_all_is_as_before(both: tuple[Turns, Turns]) -> None:
    budget = Budget(both[0], "slack", 0)
    await budget.pause(timedelta(milliseconds=50))
    assert await budget.turn(patience=timedelta(seconds=2)) == NO_WAIT


async def test_edits_stop_when_their_budget_is_spent_but_the_last_word_does_not(both: tuple[Turns, Turns]) -> None:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        slack.limits = None
        channel = slack.workspace.channel("deploys")
        turns = both[0]
        budgets = SlackBudgets(Budget(turns, "posts"), Budget(turns, "updates", 1, burst=5), Budget(turns, "slack"))
        async with Messenger(token=SecretStr(slack.bot_token), api_url=slack.url, budgets=budgets) as messenger:
            ts = await messenger.post(channel.id, WORDS)
            shown = [await messenger.update(channel.id, ts, Message(text=f"{number}.")) for number in range(6)]
            assert shown == [True] * 4 + [False] * 2
            assert await messenger.update(channel.id, ts, Message(text="The end."), urgent=True)
        assert channel.messages[0].visible == "The end."


async def test_what_slack_asks_of_one_holds_for_all(both: tuple[Turns, Turns]) -> None:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        slack.limits = None
        deploys, random = slack.workspace.channel("deploys"), slack.workspace.channel("releases")
        slack.refuse("chat.postMessage", "ratelimited", retry_after=20)
        ours, theirs = (
            Messenger(
                token=SecretStr(slack.bot_token),
                api_url=slack.url,
                budgets=SlackBudgets(Budget(turns, "posts"), Budget(turns, "updates"), Budget(turns, "slack")),
            )
            for turns in both
        )
        async with ours, theirs:
            with pytest.raises(SlackLimited):
                await ours.post(deploys.id, WORDS)
            with pytest.raises(SlackLimited) as limited:
                await theirs.post(deploys.id, WORDS)
            assert limited.value.retry_after > timedelta(seconds=15)
            await theirs.post(random.id, WORDS)
        assert len(slack.calls_of("chat.postMessage")) == 2


async def test_waiting_callers_get_their_turns_one_after_the_other(both: tuple[Turns, Turns]) -> None:
    budgets = [Budget(turns, "slack", 20) for turns in both] * 15
    waits = await asyncio.gather(*(budget.turn(patience=timedelta(seconds=10)) for budget in budgets))
    assert waits == [NO_WAIT] * 30
