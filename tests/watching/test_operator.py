"""The operator is told once, of what holds; what was not heard, or not found out, is tried again."""

from typing import cast

import pytest
from structlog.testing import capture_logs

from bot.circleci.reads import Reads
from bot.errors import CircleCIError, Unauthorized, Unavailable
from bot.messenger import Messenger
from bot.models.circleci import User
from bot.store import Store
from bot.watching.operator import CHECKED, Operator
from playground.slack.api import Slack

MINE = User.model_validate({"id": "u", "login": "bot", "name": "Bot"})


class Tokens:
    """A CircleCI that says whose the default token is."""

    def __init__(self, *answers: User | CircleCIError | Exception) -> None:
        self.answers = list(answers)

    async def owners(self) -> dict[str, User | CircleCIError]:
        answer = self.answers.pop(0)
        if isinstance(answer, User | CircleCIError):
            return {"": answer}
        raise answer


def operator_reads(slack: Slack) -> list[str]:
    return [one.visible for one in slack.workspace.channel("releases").messages]


async def test_a_check_that_failed_is_made_again(operator: Operator, store: Store, slack: Slack) -> None:
    tokens = Tokens(Unavailable("503"), RecursionError("too deep"), Unauthorized(), MINE)
    reads = cast("Reads", tokens)
    await operator.check_tokens(reads)
    await operator.check_tokens(reads)
    assert len(tokens.answers) == 3  # not at once
    await store.claims.release("tokens-checking")  # five minutes later
    with pytest.raises(RecursionError):
        await operator.check_tokens(reads)
    await store.claims.release("tokens-checking")
    assert not await store.claims.is_taken(CHECKED)
    await operator.check_tokens(reads)
    assert len(operator_reads(slack)) == 1
    await store.claims.release("tokens-checking")
    await operator.check_tokens(reads)
    assert tokens.answers == [MINE]  # that was today's


async def test_what_slack_was_too_busy_for_is_told_later(operator: Operator, store: Store, slack: Slack) -> None:
    slack.refuse("chat.postMessage", "internal_error")
    await operator.channel_gone("C0DEPLOYS", "is_archived")
    await operator.channel_gone("C0DEPLOYS", "is_archived")
    assert operator_reads(slack) == []
    await store.claims.release("operator:C0RELEASES:channel:C0DEPLOYS")  # five minutes later
    for _ in range(2):
        await operator.channel_gone("C0DEPLOYS", "is_archived")
    assert len(operator_reads(slack)) == 1
    slack.problems.clear()


async def test_nobody_is_called_told_who_was_not(messenger: Messenger, store: Store, slack: Slack) -> None:
    before = Operator(messenger, store.claims, None)
    with capture_logs() as logged:
        assert [await before.token_refused("gh/acme") for _ in range(2)] == [False, False]
    assert ["PROJECTS_FILE, [tokens], gh/acme" in one["fix"] for one in logged] == [True]
    after = Operator(messenger, store.claims, "C0RELEASES")  # set since, and restarted with the same memory
    slack.refuse("chat.postMessage", "not_in_channel")
    with capture_logs() as logged:
        assert [await after.token_refused("gh/acme") for _ in range(2)] == [False, False]
    assert [one["event"] for one in logged] == ["circleci_token_refused", "operator_not_told"]
    await store.claims.release("operator:C0RELEASES:circleci-token:gh/acme")  # five minutes later
    assert [await after.token_refused("gh/acme") for _ in range(2)] == [True, True]
    assert len(operator_reads(slack)) == 1
    slack.problems.clear()


async def test_each_start_looks_at_the_tokens(operator: Operator, store: Store) -> None:
    tokens = Tokens(MINE, Unauthorized())
    for _ in range(2):
        await operator.forget_check()
        await operator.check_tokens(cast("Reads", tokens))
    assert tokens.answers == []
