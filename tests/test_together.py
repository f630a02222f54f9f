"""What fails side by side fails as itself, and leaves the task as it was."""

import asyncio

import pytest

from bot.together import together


async def _fails(error: type[Exception]) -> None:
    await asyncio.sleep(0)
    raise error


async def _never() -> None:
    await asyncio.Event().wait()


async def test_results_come_in_order() -> None:
    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert await together(after(3), after(0), after(1)) == [3, 0, 1]


async def test_the_first_failure_is_raised_as_itself_and_ends_the_others() -> None:
    with pytest.raises(KeyError):
        await together(_fails(KeyError), _never())


async def test_a_time_limit_after_a_failure_is_a_time_limit_still() -> None:
    """Python 3.11.2, which Debian has, took it for a cancel, as the group's own was left counted."""
    with pytest.raises(KeyError):
        await together(_fails(KeyError), _never())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await _never()


async def test_who_is_cancelled_meanwhile_is_cancelled_still() -> None:
    async def asks() -> None:
        await together(_never(), _never())

    task = asyncio.create_task(asks())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
