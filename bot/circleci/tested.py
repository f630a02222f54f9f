"""Test results as they may be shown: decoded, without secrets, each cut to what anybody would read."""

from collections.abc import Iterable
from typing import Any

from bot.circleci.answers import decode
from bot.masks import masked
from bot.models.circleci import TestResult

LONGEST_NAME, LONGEST_MESSAGE, LONGEST_MASKED = 500, 2000, 20_000


def decode_tests(items: Iterable[Any]) -> list[TestResult]:
    """Return the results in an answer; raises Unavailable for what is none."""
    return [_masked(decode(TestResult, item)) for item in items]


def _masked(test: TestResult) -> TestResult:
    """Return a test without the secrets that its words may quote."""
    name, message = masked(test.name[:LONGEST_MASKED])[:LONGEST_NAME], masked(test.message[:LONGEST_MASKED])
    where = {"classname": test.classname[:LONGEST_NAME], "file": test.file[:LONGEST_NAME]}
    return test.model_copy(update={"name": name, "message": message[:LONGEST_MESSAGE], **where})
