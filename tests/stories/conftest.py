"""The team for a story, over Socket Mode, or over both ways where a story asks for `both_ways`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.team import Team, team_at_work


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path) as team:
        yield team


@pytest.fixture(params=[True, False], ids=["socket", "http"])
async def both_ways(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at_work(tmp_path, socket_mode=request.param) as team:
        yield team
