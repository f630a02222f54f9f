"""`make chaos POLICY=1`: thousands of random sequences under random policies, and a table of what came of them."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import structlog

from tests.oracle.offers import AGENTS
from tests.oracle.rules import Rules, drawn
from tests.oracle.stage import Tally, playing

SEQUENCES = 10  # under each policy


async def played(
    chance: Random,
    folder: Path,
    *,
    policies: int,
    longest: int,
    rules: Rules | None = None,
    judged_by: Rules | None = None,
) -> Tally:
    """Play so many policies, drawn unless `rules` are given, and judge by them unless by others."""
    tally = Tally()
    for number in range(policies):
        tally.policies += 1
        chosen = rules or drawn(chance, agents=[*AGENTS])
        async with playing(chosen, judged_by or chosen, chance, folder / str(number), tally) as play:
            for _ in range(SEQUENCES):
                await play.sequence(longest)
    return tally


def main(arguments: list[str]) -> int:
    """Play, print the table; returns 1 where anything was wrong."""
    parser = argparse.ArgumentParser(prog="make chaos POLICY=1")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--policies", type=int, default=200)
    parser.add_argument("--longest", type=int, default=8)
    asked = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(played(Random(asked.seed), Path(folder), policies=asked.policies, longest=asked.longest))
    print(f"seed {asked.seed}, {time.monotonic() - began:.0f} s")
    print("\n".join(f"  {name:<10} {value:>7,}" for name, value in vars(tally).items() if name != "wrong"))
    print("\n\n".join(f"WRONG: {one}" for one in tally.wrong) or "  nothing wrong")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
