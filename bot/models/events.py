"""What channels can be told of a branch, and where."""

from enum import StrEnum


class Event(StrEnum):
    """What can happen to a branch: it broke or is fixed, or what any of its builds is news of."""

    BROKE = "broke"
    FIXED = "fixed"
    STILL_RED = "still-red"
    FAILED = "failed"
    PASSED = "passed"
    WAITING = "waiting"
    DEPLOYED = "deployed"
    FLAKY = "flaky"
    SLOW = "slow"


class Mode(StrEnum):
    """Where it is told: one thread for each branch that is red, or each a message of its own."""

    THREAD = "thread"
    CHANNEL = "channel"
