"""Measure all figures, or those whose name is given, and print the table."""

import argparse
import asyncio
import gc
import os
import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import chain
from pathlib import Path

from tests.bench import figures
from tests.bench.agents import agents
from tests.bench.asking import alone, told
from tests.bench.crowd import crowd, one_channel
from tests.bench.news import subscriptions
from tests.bench.questions import questions
from tests.bench.stage import Figure
from tests.bench.verdicts import verdicts

VERDICTS = "verdicts"
ALL: dict[str, Callable[[Path], Awaitable[list[Figure]]]] = {
    "ready": figures.start_to_ready,
    "acks": figures.acks,
    "looks": figures.cpu_per_look,
    "thousand": figures.thousand_watches,
    "two-thousand": figures.two_thousand_watches,
    "lag": figures.result_lag,
    "huge": figures.huge_failure,
    "crowd-1": partial(crowd, 1),
    "crowd-20": partial(crowd, 20),
    "crowd-100": partial(crowd, 100),
    "one-channel": one_channel,
    "asking-alone": alone,
    "asking-told": told,
    "subscriptions": subscriptions,
    "questions": questions,
    "agents": agents,
}
GROUPS = {
    "crowd": ("crowd-1", "crowd-20", "crowd-100", "one-channel"),
    "asking": ("asking-alone", "asking-told"),
}
NAMES = (*ALL, *GROUPS, VERDICTS)


async def main(names: list[str], seed: int) -> int:
    """Print the table; returns 1 when a figure is not reached."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}\n")
    print("| Figure | Measured | To reach | Reached |\n| --- | --- | --- | --- |", flush=True)
    missed = False
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        for chosen in chain.from_iterable(GROUPS.get(one, (one,)) for one in names or [*ALL, VERDICTS]):
            measured = verdicts(seed) if chosen == VERDICTS else await ALL[chosen](Path(name))
            for figure in measured:
                print(figure, flush=True)
                missed = missed or figure.met is False
    return 1 if missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, *GROUPS, VERDICTS, []], help=", ".join(NAMES))
    parser.add_argument("--seed", type=int, default=1, help="of the histories that verdicts are tried on")
    chosen = parser.parse_args()
    gc.freeze()  # what was imported is not looked through while something is measured: that takes a tenth of a second
    sys.exit(asyncio.run(main(chosen.names, chosen.seed)))
