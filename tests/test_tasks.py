"""What breaks in a task costs one run, and a line in the log: not one for each try, nor tries without end."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from structlog.testing import capture_logs

from bot import metrics
from bot.errors import StoreError
from bot.store import Store
from bot.tasks import FIRST_PAUSE, LONGEST_PAUSE, MOST_TRIES, STORE_PAUSE, Steadily, count
from tests.store.conftest import store
from tests.store.test_watches import watch

__all__ = ["store"]
AGAIN = timedelta(seconds=1)


def failing(*errors: Exception | None) -> Callable[..., Awaitable[timedelta | None]]:
    """Return what raises these errors, run by run, and works where there is none."""
    left = list(errors)

    async def run(_: str) -> timedelta:
        if error := left.pop(0):
            raise error
        return AGAIN

    return run


async def test_what_breaks_is_tried_after_ever_longer_pauses_and_logged_when_it_begins_and_ends() -> None:
    error = RecursionError("too deep")
    task = Steadily(failing(*[error] * 7, None, None), "look_failed", most=None)
    with capture_logs() as said:
        pauses = [await task("p") for _ in range(9)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[5:] == [LONGEST_PAUSE, LONGEST_PAUSE, AGAIN, AGAIN]
    assert [(one["event"], one["log_level"]) for one in said] == [("look_failed", "error"), ("works_again", "info")]
    assert said[0]["exc_info"] is error


async def test_what_goes_on_breaking_is_given_up() -> None:
    task = Steadily(failing(*[KeyError("x")] * MOST_TRIES), "triage_failed")
    with capture_logs() as said:
        pauses = [await task("p") for _ in range(MOST_TRIES)]
    assert pauses.count(None) == 1
    assert pauses[-1] is None
    assert [one["event"] for one in said] == ["triage_failed", "given_up"]


async def test_a_lost_memory_is_no_fault_of_the_task() -> None:
    task = Steadily(failing(*[StoreError("Redis: gone")] * (MOST_TRIES + 1)), "triage_failed")
    with capture_logs() as said:
        assert {await task("p") for _ in range(MOST_TRIES + 1)} == {STORE_PAUSE}
    assert said == []


async def test_what_is_followed_is_counted_in_every_process(store: Store) -> None:
    metrics.WATCHES.set(99)
    await store.watches.add(watch())
    await count(store)
    assert metrics.WATCHES._value.get() == 1
