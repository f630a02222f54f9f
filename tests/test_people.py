"""Who people are is asked one by one of a few, once of a crowd, and of nobody is it guessed or refused for haste."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.errors import SlackLimited
from bot.messenger import Messenger
from bot.people import A_FEW, People
from bot.policy import Kind
from playground.slack.api import Slack
from playground.slack.limits import Limits
from playground.slack.workspace import default_workspace

ONE, LIST = "users.info", "users.list"


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        slack.limits = Limits()
        yield slack


@pytest.fixture
async def people(slack: Slack) -> AsyncIterator[People]:
    async with Messenger(token=SecretStr(slack.bot_token), api_url=slack.url) as messenger:
        await messenger.identity()
        yield People(messenger)


def crowd(slack: Slack, many: int) -> list[str]:
    return [slack.workspace.add_user(f"U1PERSON{number}", f"person{number}").id for number in range(many)]


async def test_a_hundred_who_ask_in_one_moment_are_all_known(people: People, slack: Slack) -> None:
    # One by one they would meet Slack's limit, and be refused because nobody says who they are.
    found = await asyncio.gather(*map(people.kind_of, crowd(slack, 100)))
    assert set(found) == {Kind.MEMBER}
    assert (len(slack.calls_of(ONE)), len(slack.calls_of(LIST))) == (A_FEW, 1)


async def test_in_a_crowd_everybody_is_who_they_are(people: People, slack: Slack) -> None:
    await asyncio.gather(*map(people.kind_of, crowd(slack, A_FEW)))
    asked = ("U0ADA", "U0GUEST", "U0STRANGER")
    one_by_one = [Kind.MEMBER, Kind.GUEST, Kind.STRANGER]
    assert [await people.kind_of(one) for one in asked] == one_by_one
    assert len(slack.calls_of(LIST)) == 1
    assert "U0STRANGER" in {call.arguments["user"] for call in slack.calls_of(ONE)}  # whom no list of ours names


async def test_where_slack_gives_no_list_each_is_asked_about(people: People, slack: Slack) -> None:
    slack.refuse(LIST, "internal_error", times=100)
    assert set(await asyncio.gather(*map(people.kind_of, crowd(slack, 20)))) == {Kind.MEMBER}
    assert len(slack.calls_of(ONE)) == 20


class Busy:
    """A Slack that is busy once, for so long."""

    def __init__(self, seconds: float) -> None:
        self.refusals = [SlackLimited(ONE, timedelta(seconds=seconds))]

    async def kind_of(self, user_id: str) -> Kind:  # noqa: ARG002  # everybody is alike
        if self.refusals:
            raise self.refusals.pop()
        return Kind.MEMBER

    async def kinds(self) -> dict[str, Kind]:
        return {}

    async def members_of(self, group_id: str) -> frozenset[str]:
        raise AssertionError(group_id)

    async def channels_of(self, user_id: str) -> frozenset[str]:
        raise AssertionError(user_id)

    async def user_name(self, user_id: str) -> str:
        return user_id


async def test_who_meets_slacks_limit_waits_a_while_and_is_not_unknown() -> None:
    assert await People(Busy(0.01)).kind_of("U0ADA") is Kind.MEMBER
    with pytest.raises(SlackLimited):
        await People(Busy(60)).kind_of("U0ADA")
