"""Whatever people say, press, fill in or forge: CircleCI hears what the file lets them, once, and it is on record."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.oracle.play import played
from tests.oracle.rules import Rule, Rules

LONGEST = 5


@pytest.mark.parametrize("seed", range(4))
def test_nobody_gets_round(tmp_path: Path, seed: int) -> None:
    tally = asyncio.run(played(Random(seed), tmp_path, policies=5, longest=LONGEST))
    assert not tally.wrong, "\n\n".join(tally.wrong)
    assert tally.accepted > 2, "too little was tried"


def test_who_judges_by_another_file_would_see_it(tmp_path: Path) -> None:
    everything = Rules(rules=(Rule("everybody does it all", "allow", ("everyone",), ("*",)),))
    nothing = Rules(rules=(Rule("nobody does", "deny", ("everyone",), ("*",)),))
    tally = asyncio.run(played(Random(3), tmp_path, policies=3, longest=LONGEST, rules=everything, judged_by=nothing))
    assert any(one.startswith("nobody may have done this") for one in tally.wrong)
    assert any("may not read" in one for one in tally.wrong)
