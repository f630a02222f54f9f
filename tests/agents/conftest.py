"""The team of the stories of agents."""

from tests.stories.conftest import team

__all__ = ["team"]
