"""`make test` and `make test-all`: format, lint, types, floors, tests and coverage, and how long all of it took.

The first leaves out what takes long (`tests/conftest.py: LONG`) and may take so much; CI runs the second.
Types and floors are looked at beside the tests, which mostly wait. The time is told and judged by people: a slow
machine is no fault of a change. For the same reason what fails in the second, where browsers and killed processes run
beside seven thousand other tests, is tried once more by itself; it is named then, to be made steadier. Not so what
plays games of chance: what they find once is there.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

SECONDS = 150  # on two cores
CORES = os.cpu_count() or 2
WORKERS = min(3 * CORES, 12)  # each takes seconds to start, and half of the tests wait

FORMAT, LINT = ("ruff", "format", "--check", "."), ("ruff", "check", ".")
TYPES, FLOORS = ("mypy",), ("lint-imports",)
ALL = "--all"
TESTS = ("coverage", "run", "-m", "pytest", "-n", str(WORKERS), "--cache-clear")
AGAIN, MOST_AGAIN = ("python", "-m", "pytest", "--last-failed", "-n0"), 3  # tests: more are no accident
NEVER_AGAIN = ("tests/faults/", "tests/oracle/")
FAILED = Path(".pytest_cache/v/cache/lastfailed")
COMBINE, REPORT = ("coverage", "combine", "--quiet"), ("coverage", "report")


async def main(arguments: list[str]) -> int:
    """Run everything; returns 1 when any of it failed."""
    name, pytest_arguments = _asked(arguments)
    began = time.monotonic()
    well = await _run(FORMAT) and await _run(LINT) and await _run(("coverage", "erase"))
    if well:
        beside = [asyncio.create_task(_run_beside(step)) for step in (TYPES, FLOORS)]
        well = await _run((*TESTS, *pytest_arguments)) or (ALL in arguments and await _pass_alone(pytest_arguments))
        told = await asyncio.gather(*beside)
        print("\n".join(told), flush=True)
        well = all(told) and well and await _run(COMBINE) and await _run(REPORT)
    print(_took(name, time.monotonic() - began))
    return 0 if well else 1


def _asked(arguments: list[str]) -> tuple[str, list[str]]:
    """Return the name of what was asked for, and what pytest is to be told."""
    if ALL in arguments:
        return "make test-all", [word for word in arguments if word != ALL]
    return "make test", ["--short", *arguments]


async def _pass_alone(arguments: list[str]) -> bool:
    """Try the few tests that failed once more, with nothing beside them; says whether all of them pass then."""
    failed = _failed()
    if not 0 < len(failed) <= MOST_AGAIN or any(one.startswith(NEVER_AGAIN) for one in failed):
        return False
    well = await _run((*AGAIN, *arguments))
    print(f"Failed beside the others{', passed alone' if well else ' and alone'}: {', '.join(failed)}", flush=True)
    return well


def _failed() -> list[str]:
    return list(json.loads(FAILED.read_text())) if FAILED.exists() else []


async def _run(step: tuple[str, ...]) -> bool:
    """Run a tool in the foreground; says whether it was content."""
    process = await asyncio.create_subprocess_exec(*_command(step))
    return await process.wait() == 0


async def _run_beside(step: tuple[str, ...]) -> str:
    """Run a tool; returns its last line, or says at once all it has to say and returns nothing."""
    process = await asyncio.create_subprocess_exec(
        *_command(step), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told = (await process.communicate())[0].decode().strip()
    if process.returncode == 0:
        return told.splitlines()[-1]
    print(f"\n{told}\n{step[0]} is not content; the tests go on.", flush=True)
    return ""


def _command(step: tuple[str, ...]) -> tuple[str, ...]:
    tool, *arguments = step
    return (str(Path(sys.executable).with_name(tool)), *arguments)


def _took(name: str, seconds: float) -> str:
    times = os.times()
    busy = times.children_user + times.children_system
    told = f"{name} took {seconds:.0f} s ({busy:.0f} s of CPU on {CORES} cores; make test may take {SECONDS} s on two)."
    return told if seconds <= SECONDS else f"{told} Where: {name} PYTEST_ARGS=--durations=20"


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(sys.argv[1:])))
    except KeyboardInterrupt:
        sys.exit(130)
