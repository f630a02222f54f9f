"""What is told of, and to whom: one build, for one channel."""

from collections.abc import Sequence
from typing import Protocol

from bot.models.build import Build
from bot.models.circleci import ProjectSlug
from bot.models.subscription import Event


class About(Protocol):
    """One build for one channel, with what that wants to hear of it."""

    @property
    def build(self) -> Build: ...  # noqa: D102
    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def channel_id(self) -> str: ...  # noqa: D102
    @property
    def slug(self) -> ProjectSlug: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def wanted(self) -> frozenset[Event]: ...  # noqa: D102
    @property
    def mentioned(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def called_to_approve(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def has_threads(self) -> bool: ...  # noqa: D102

    async def whole(self) -> Build:
        """Return the build with its jobs."""
