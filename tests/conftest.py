"""Options of the test run: fail what would be skipped, record anew what people read."""

from collections.abc import Generator
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nothing-skipped", action="store_true", help="fail each test that would be skipped")
    parser.addoption("--golden", action="store_true", help="write tests/golden/messages anew instead of comparing")


@pytest.fixture
def golden(pytestconfig: pytest.Config) -> bool:
    """Say whether what people read is to be recorded anew."""
    return bool(pytestconfig.getoption("--golden"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--nothing-skipped"):
        reason: Any = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {reason[-1] if isinstance(reason, tuple) else reason}"
    return report
