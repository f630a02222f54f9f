"""A short chaos; `make chaos` has the long one."""

from pathlib import Path

from tests.faults.chaos import chaos


async def test_five_kills_cost_nobody_a_deploy_or_a_word(tmp_path: Path) -> None:
    toll = await chaos(tmp_path, seed=7, kills=5, at_once=6, pause=1)
    assert toll.wrong == [], toll
    assert toll.kills == 5
    assert toll.deploys >= 6
    assert toll.keys_left == toll.tasks_left == 0
