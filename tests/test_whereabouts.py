"""Who asks alone asks for one channel, a crowd once for all; that we are not in one is asked anew each time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.messenger import Messenger
from bot.whereabouts import Whereabouts
from playground.slack.api import Slack
from playground.slack.limits import Limits
from playground.slack.workspace import default_workspace

LIST, ONE = "users.conversations", "conversations.info"


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        slack.limits = Limits()
        yield slack


@pytest.fixture
async def whereabouts(slack: Slack) -> AsyncIterator[Whereabouts]:
    async with Messenger(token=SecretStr(slack.bot_token), api_url=slack.url) as messenger:
        yield Whereabouts(messenger)


def channel(slack: Slack, number: int, *members: str) -> str:
    """Return a new channel; nobody but `members` is in it."""
    return slack.workspace.add_channel(f"C1TEAM{number}", f"team-{number}", *members).id


async def test_who_asks_alone_costs_one_call_and_the_next_one_none(whereabouts: Whereabouts, slack: Slack) -> None:
    ours, theirs = channel(slack, 1, slack.workspace.bot_user_id), channel(slack, 2, "U0ADA")
    assert [await whereabouts.is_in(one) for one in (ours, ours, theirs)] == [True, True, False]
    assert (len(slack.calls_of(LIST)), len(slack.calls_of(ONE))) == (0, 2)


async def test_a_hundred_channels_cost_two_calls_together(whereabouts: Whereabouts, slack: Slack) -> None:
    # Slack lets us ask for some fifty single channels a minute.
    bot = slack.workspace.bot_user_id
    channels = [channel(slack, number, bot) for number in range(100)]
    assert all(await asyncio.gather(*map(whereabouts.is_in, channels)))
    assert all([await whereabouts.is_in(one) for one in channels])
    assert (len(slack.calls_of(LIST)), len(slack.calls_of(ONE))) == (1, 1)


async def test_who_invites_us_is_believed_at_once(whereabouts: Whereabouts, slack: Slack) -> None:
    channel_id = channel(slack, 1, "U0ADA")
    assert not await whereabouts.is_in(channel_id)
    slack.workspace.channels[channel_id].members.append(slack.workspace.bot_user_id)
    assert await whereabouts.is_in(channel_id)


async def test_where_slack_gives_no_list_it_is_asked_for_the_one(whereabouts: Whereabouts, slack: Slack) -> None:
    slack.refuse(LIST, "missing_scope", times=2)
    assert await whereabouts.is_in(channel(slack, 1, slack.workspace.bot_user_id))
    assert not await whereabouts.is_in(channel(slack, 2, "U0ADA"))
    assert len(slack.calls_of(ONE)) == 2


async def test_our_direct_messages_with_somebody_are_asked_for_once(whereabouts: Whereabouts, slack: Slack) -> None:
    assert [await whereabouts.is_with("U0ADA", one) for one in ("D0ADA", "D0ADAGRACE", "D0ADA")] == [True, False, True]
    assert len(slack.calls_of("conversations.open")) == 1
    slack.refuse("conversations.open", "user_disabled")
    assert await whereabouts.is_with("U0GRACE", "D0ANY")  # what it takes from us will tell


async def test_where_somebody_is_is_what_slack_shows_us_of_it(whereabouts: Whereabouts, slack: Slack) -> None:
    bot = slack.workspace.bot_user_id
    public, private, hidden = (f"C1TEAM{number}" for number in range(3))
    slack.workspace.add_channel(public, public.lower(), "U0GUEST")
    slack.workspace.add_channel(private, private.lower(), "U0GUEST", bot, kind="private")
    slack.workspace.add_channel(hidden, hidden.lower(), "U0GUEST", kind="private")
    theirs = await whereabouts.shared_with("U0GUEST")
    assert theirs == {"C0DEPLOYS", "C0GENERAL", public, private}
    slack.workspace.channels[private].members.remove("U0GUEST")
    assert await whereabouts.shared_with("U0GUEST") == theirs - {private}
    slack.refuse(LIST, "missing_scope")
    assert await whereabouts.shared_with("U0GUEST") == frozenset()  # nothing is shown to who may not read it


async def test_whether_a_mention_would_reach_somebody_is_asked_once_for_a_hundred(
    whereabouts: Whereabouts, slack: Slack
) -> None:
    bot = slack.workspace.bot_user_id
    private = slack.workspace.add_channel("C1TEAM", "team", "U0ADA", bot, kind="private").id
    assert [await whereabouts.reads(one, private) for one in ("U0ADA", "U0GRACE") * 50] == [True, False] * 50
    assert len(slack.calls_of(LIST)) == 2
    assert [await whereabouts.reads("U0ADA", one) for one in ("D0ADA", "D0GRACE")] == [True, False]
    slack.refuse(LIST, "missing_scope")
    slack.refuse("conversations.open", "user_disabled")
    assert await whereabouts.reads("U0GUEST", private) is None
    assert await whereabouts.reads("U0GUEST", "D0GUEST") is False


class SlowRooms:
    """A Slack that answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def channels(self) -> dict[str, str]:
        self.asked.set()
        await self.answers.wait()
        return {"C1TEAM": "team"}

    async def is_in(self, channel_id: str) -> bool:
        await self.answers.wait()
        return channel_id == "C1TEAM"

    async def channels_of(self, user_id: str) -> frozenset[str]:
        raise AssertionError(user_id)

    async def direct_channel(self, user_id: str) -> str:
        raise AssertionError(user_id)


async def test_who_goes_away_while_slack_is_asked_leaves_the_others_their_answer() -> None:
    rooms = SlowRooms()
    whereabouts = Whereabouts(rooms)
    alone, first, second = (asyncio.create_task(whereabouts.is_in(one)) for one in ("C2TEAM", "C1TEAM", "C1TEAM"))
    await rooms.asked.wait()
    first.cancel()
    rooms.answers.set()
    assert await second
    assert not await alone
    assert first.cancelled()
