"""What an act leaves behind when it fails: what surely did nothing is free at once, whatever it was."""

from datetime import timedelta

import pytest

from bot.errors import (
    Locked,
    NotAllowed,
    NotFound,
    NothingToDo,
    NotTriggered,
    RateLimited,
    Rejected,
    SlackError,
    Spent,
    StoreError,
    Taken,
    Unauthorized,
    Unavailable,
    Unreadable,
    UsageError,
)
from bot.operations.frame import did_nothing

NOTHING = (
    UsageError("Which project?"),
    NotFound("project", "acme/nothing"),
    NotAllowed("U0ADA", "deploy", "no rule allows it"),
    Locked("acme/frontend", key="gh/acme/frontend", holder_id="U0GRACE", reason="", age=timedelta(0)),
    Taken("U0GRACE", "Cancel #2417"),
    NothingToDo("expired"),
    Unauthorized(),
    RateLimited(timedelta(seconds=1)),
    Spent(timedelta(seconds=1)),
    Rejected(403, "Plan is suspended."),
    NotTriggered("[skip ci]"),
    Unavailable("no connection", arrived=False),
    SlackError("chat.postMessage", "channel_not_found"),
)
UNSURE = (Unavailable("no answer in time"), StoreError("away"), Unreadable("lock"), ValueError("a mistake of ours"))


@pytest.mark.parametrize("error", NOTHING, ids=lambda error: type(error).__name__)
def test_an_answer_that_says_no_did_nothing(error: Exception) -> None:
    assert did_nothing(error)


@pytest.mark.parametrize("error", UNSURE, ids=lambda error: type(error).__name__)
def test_an_answer_that_never_came_may_have_done_it(error: Exception) -> None:
    assert not did_nothing(error)
