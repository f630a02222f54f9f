"""Several reads of which some may fail: what was read counts, and what was not is said."""

from collections.abc import Coroutine, Sequence
from typing import Any, Generic, TypeVar

from bot.errors import CircleCIError, RateLimited, Unauthorized
from bot.together import together

T = TypeVar("T")


class Partial(Generic[T]):
    """What was read, and the error of each read that failed."""

    def __init__(self, found: Sequence[T], errors: Sequence[CircleCIError]) -> None:
        self.found = list(found)
        self.errors = list(errors)

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is missing."""
        return not self.errors

    @property
    def was_limited(self) -> bool:
        """Say whether CircleCI asked to slow down."""
        return any(isinstance(error, RateLimited) for error in self.errors)

    @property
    def tried(self) -> int:
        """How many reads there were."""
        return len(self.found) + len(self.errors)


async def whatever_can_be_read(*reads: Coroutine[Any, Any, T]) -> Partial[T]:
    """Do all reads side by side; raises only when none of them succeeded, or the token is refused."""
    results = await together(*(_caught(read) for read in reads))
    errors = [one for one in results if isinstance(one, CircleCIError)]
    found = [one for one in results if not isinstance(one, CircleCIError)]
    refused = next((error for error in errors if isinstance(error, Unauthorized)), None)
    if refused or (errors and not found):
        raise refused or errors[0]
    return Partial(found, errors)


async def _caught(read: Coroutine[Any, Any, T]) -> T | CircleCIError:
    try:
        return await read
    except CircleCIError as error:
        return error
