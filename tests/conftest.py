"""The test run: its options, what runs beside what, what coverage looks at, and short logs."""

import gc
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis.utils
import structlog
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Coverage doubles what a test costs. Of those that start a bot, or try very many values, it looks at a few that are
# named in a file: each of the others goes ways that these have gone.
COSTLY = (
    *("tests/faults/", "tests/golden/", "tests/operations/", "tests/oracle/", "tests/processes/", "tests/stories/"),
    *("tests/agents/test_desk.py", "tests/agents/test_over_http.py", "tests/agents/test_protocol.py"),
    *(
        "tests/agents/test_tasks.py",
        "tests/browser/",
        "tests/upgrade/",
        "tests/circleci/test_bodies.py",
        "tests/circleci/test_outputs.py",
    ),
    *("tests/formatters/test_blocks.py", "tests/formatters/test_lookalikes.py", "tests/formatters/test_messages.py"),
    *("tests/lines/test_played.py", "tests/masks/test_shapes.py", "tests/models/test_prose.py"),
    *("tests/test_linear.py", "tests/test_permissions.py", "tests/test_registry.py", "tests/test_secrecy.py"),
    "tests/intents/test_reading.py::test_each_phrase_of_the_table_is_understood",  # each beside all others
)
MEASURED = frozenset(Path(__file__).with_name("measured.txt").read_text().splitlines())
# They wait more than they work, so they run beside those that work all the time; and share what is costly to start.
WAITING = ("tests/faults/", "tests/processes/", "tests/browser/", "tests/stories/test_troubles.py")
# What starts processes, breaks them, presses everything, plays for a while or tells many long stories is left to
# `make test-all`, which CI runs; those that coverage looks at stay.
LONG = (
    *(
        "tests/browser/",
        "tests/faults/",
        "tests/processes/",
        "tests/upgrade/",
        "tests/oracle/test_nobody_gets_round.py",
    ),
    *("tests/agents/test_desk.py", "tests/golden/test_answers.py", "tests/golden/test_courses.py"),
    *("tests/golden/test_every_button.py", "tests/golden/test_gate.py", "tests/golden/test_presses.py"),
    *("tests/golden/test_told_events.py", "tests/golden/test_troubles.py", "tests/golden/test_verdicts.py"),
    "tests/lines/test_played.py",
    *("tests/operations/test_agreed.py", "tests/operations/test_lock_ends.py", "tests/operations/test_lost.py"),
    *("tests/operations/test_locks.py", "tests/operations/test_once.py", "tests/operations/test_put_off.py"),
    "tests/operations/test_subscribing.py",
    *("tests/operations/test_reads_asked.py", "tests/stories/test_acting.py", "tests/stories/test_cases.py"),
    *("tests/stories/test_deploy.py", "tests/stories/test_looking.py", "tests/stories/test_named.py"),
    *("tests/stories/test_scenarios.py", "tests/stories/test_signs.py", "tests/stories/test_triage.py"),
    *("tests/stories/test_troubles.py", "tests/watching/test_line.py"),
)
SHARING = ("tests/browser/test_page.py", "tests/test_door.py", "tests/operations/test_demand_table.py")
_firsts = set[str]()  # of each test, where it has many sets of values
_tracer = sys.gettrace()  # of coverage, whose own stop and start take milliseconds


# It reads its version from the disk for each connection, and a bot has a dozen.
redis.utils.get_lib_version = cache(redis.utils.get_lib_version)

# How long an example takes is for `tests/test_linear.py`: a busy machine is no fault of a change.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nothing-skipped", action="store_true", help="fail each test that would be skipped")
    parser.addoption("--short", action="store_true", help="leave out what takes long, as `make test` does")
    parser.addoption("--golden", action="store_true", help="write tests/golden/messages anew instead of comparing")


@pytest.fixture
def golden(pytestconfig: pytest.Config) -> bool:
    """Say whether what people read is to be recorded anew."""
    return bool(pytestconfig.getoption("--golden"))


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        # The bots that a test starts run as fast as for their users.
        pytest.MonkeyPatch().delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        if config.workerinput["workerid"] != "gw0":  # they all import the same
            sys.settrace(None)
    # Its default draws each traceback with every local variable, which takes seconds.
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ]
    )


class _Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out each test by itself, but those of a file that share what is costly to start."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in SHARING else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Return who hands out tests; a mark for a group has no effect with this pytest and this xdist."""
    return _Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out those that take long, where asked; put those that wait among the first two thirds of the others."""
    if config.getoption("--short"):
        items[:] = [item for item in items if not _takes_long(item)]
    if not hasattr(config, "workerinput"):
        return
    waiting = [item for item in items if item.nodeid.startswith(WAITING)]
    working = [item for item in items if not item.nodeid.startswith(WAITING)]
    every = max(1, len(working) * 2 // 3 // max(1, len(waiting)))
    for place, item in enumerate(waiting):
        working.insert(place * (every + 1), item)
    items[:] = working


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let Python not look through all that was imported, again and again, for what is garbage."""
    _firsts.update({_function(item): item.nodeid for item in reversed(session.items)}.values())
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    sys.settrace(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if not _is_to_be_measured(item):
        return (yield)
    sys.settrace(_tracer)
    try:
        return (yield)
    finally:
        sys.settrace(None)


def _takes_long(item: pytest.Item) -> bool:
    return item.nodeid.startswith(LONG) and _function(item) not in MEASURED


def _is_to_be_measured(item: pytest.Item) -> bool:
    """Say whether coverage looks at a test."""
    if item.nodeid.startswith(COSTLY):
        return _function(item) in MEASURED and item.nodeid in _firsts
    return True


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--nothing-skipped"):
        reason: Any = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {reason[-1] if isinstance(reason, tuple) else reason}"
    return report
