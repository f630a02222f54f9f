"""Test results as they may be shown: decoded, each cut to what anybody would read."""

from collections.abc import Iterable
from typing import Any

from bot.circleci.answers import decode
from bot.models.circleci import TestResult

LONGEST_NAME, LONGEST_MESSAGE = 500, 2000


def decode_tests(items: Iterable[Any]) -> list[TestResult]:
    """Return the results in an answer; raises Unavailable for what is none."""
    return [_cut(decode(TestResult, item)) for item in items]


def _cut(test: TestResult) -> TestResult:
    names = {"name": test.name, "classname": test.classname, "file": test.file}
    cut = {field: name[:LONGEST_NAME] for field, name in names.items()}
    return test.model_copy(update={**cut, "message": test.message[:LONGEST_MESSAGE]})
