"""The test run: its options, what runs beside what, what coverage looks at, and short logs."""

import gc
import sys
from collections.abc import Generator
from functools import cache
from typing import Any

import pytest
import redis.utils
import structlog
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Coverage doubles what a test costs. These go ways that others have gone, so what it counts is the less.
UNMEASURED = (
    *("tests/oracle/", "tests/faults/", "tests/upgrade/", "tests/browser/", "tests/processes/", "tests/test_linear.py"),
    *("tests/stories/", "tests/operations/", "tests/formatters/test_messages.py", "tests/formatters/test_blocks.py"),
    *("tests/golden/test_every_button.py", "tests/golden/test_presses.py", "tests/golden/test_courses.py"),
    *("tests/golden/test_verdicts.py", "tests/lines/test_played.py", "tests/masks/test_shapes.py"),
    *("tests/test_permissions.py", "tests/test_secrecy.py", "tests/test_registry.py", "tests/models/test_prose.py"),
    *("tests/circleci/test_bodies.py", "tests/circleci/test_outputs.py", "tests/formatters/test_lookalikes.py"),
)
# But these go ways of their own; of a long one with many sets of values the first that comes.
MEASURED = (
    *(f"tests/stories/test_{name}.py" for name in ("operations", "signs", "asked_once", "classic", "named", "help")),
    *(f"tests/stories/test_{name}.py" for name in ("webhooks", "troubles", "long_texts", "locks", "flaky", "gate")),
    *(f"tests/stories/test_{name}.py" for name in ("old_builds", "why_red")),
    *(f"tests/operations/test_{name}.py" for name in ("demand_table", "windows", "asked_once", "late", "record")),
    *(f"tests/operations/test_{name}.py" for name in ("agreed", "locks")),
)
# They wait more than they work, so they run beside those that work all the time; and share what is costly to start.
WAITING = ("tests/faults/", "tests/processes/", "tests/browser/", "tests/stories/test_troubles.py")
SHARING = ("tests/browser/test_page.py", "tests/test_door.py", "tests/operations/test_demand_table.py")
_measured = set[str]()
_tracer = sys.gettrace()  # of coverage, whose own stop and start take milliseconds


# It reads its version from the disk for each connection, and a bot has a dozen.
redis.utils.get_lib_version = cache(redis.utils.get_lib_version)

# How long an example takes is for `tests/test_linear.py`: a busy machine is no fault of a change.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nothing-skipped", action="store_true", help="fail each test that would be skipped")
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
    """Put those that wait among the first two thirds of the others."""
    if not hasattr(config, "workerinput"):
        return
    waiting = [item for item in items if item.nodeid.startswith(WAITING)]
    working = [item for item in items if not item.nodeid.startswith(WAITING)]
    every = max(1, len(working) * 2 // 3 // max(1, len(waiting)))
    for place, item in enumerate(waiting):
        working.insert(place * (every + 1), item)
    items[:] = working


def pytest_collection_finish() -> None:
    """Let Python not look through all that was imported, again and again, for what is garbage."""
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


def _is_to_be_measured(item: pytest.Item) -> bool:
    """Say whether coverage looks at a test."""
    name = item.nodeid.partition("[")[0]
    if name.startswith(MEASURED):
        known = name in _measured
        _measured.add(name)
        return not known
    return not name.startswith(UNMEASURED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--nothing-skipped"):
        reason: Any = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {reason[-1] if isinstance(reason, tuple) else reason}"
    return report
