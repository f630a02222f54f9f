"""Where nothing may be skipped, a skipped test fails."""

from collections.abc import Generator
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nothing-skipped", action="store_true", help="fail each test that would be skipped")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--nothing-skipped"):
        reason: Any = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {reason[-1] if isinstance(reason, tuple) else reason}"
    return report
