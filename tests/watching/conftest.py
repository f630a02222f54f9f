"""The store of the tests of the store, and threads in a pretend Slack that a watcher can tell."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.messenger import Messenger
from bot.store import Store
from bot.watching.operator import Operator
from bot.watching.teller import Teller
from bot.watching.threads import Threads
from formatters.links import Links
from playground.slack.api import Slack
from playground.slack.workspace import default_workspace
from tests.store.conftest import store

__all__ = ["store"]


class Judged:
    """A policy that lets everybody see all; each of these errors comes before that, once."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.hidden: list[str] = []

    async def may_hear_alone(self, *_: object) -> bool:
        if self.errors:
            raise self.errors.pop()
        return True

    async def is_seen_in(self, channel_id: str, *_: object) -> bool:
        return channel_id not in self.hidden


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(default_workspace(), socket_mode=True) as slack:
        slack.limits = None
        yield slack


@pytest.fixture
async def messenger(slack: Slack) -> AsyncIterator[Messenger]:
    async with Messenger(token=SecretStr(slack.bot_token), api_url=slack.url) as messenger:
        yield messenger


@pytest.fixture
def operator(slack: Slack, messenger: Messenger, store: Store) -> Operator:
    return Operator(messenger, store.claims, slack.workspace.channel("releases").id)


@pytest.fixture
def judged() -> Judged:
    return Judged()


@pytest.fixture
def teller(messenger: Messenger, store: Store, operator: Operator, judged: Judged) -> Teller:
    return Teller(messenger, store.watches, Links(), operator, judged)


@pytest.fixture
def threads(store: Store, teller: Teller, operator: Operator) -> Threads:
    return Threads(store.watches, teller, operator, timedelta(seconds=5))
