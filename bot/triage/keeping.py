"""Test results made small enough to be kept: who failed in full, who passed as a key. Pure."""

import base64
import hashlib
from collections.abc import Iterable, Sequence

from bot.models.circleci import TestResult
from bot.models.history import JobResults
from bot.triage.quoting import telling

MOST_FAILED, MOST_PASSED = 500, 50_000
LONGEST_NAME, LONGEST_MESSAGE = 300, 300


def key(test: TestResult) -> str:
    """Return what names a test within its job, eight characters: its class, or else its file, and its own name."""
    name = f"{(test.classname or test.file)[:LONGEST_NAME]}\x1f{test.name[:LONGEST_NAME]}"
    return base64.urlsafe_b64encode(hashlib.blake2b(name.encode(errors="replace"), digest_size=6).digest()).decode()


def results(tests: Sequence[TestResult], *, is_whole: bool) -> JobResults:
    """Return results as they are kept; a test that failed in the job and passed when it was tried again did both."""
    names = [key(test) for test in tests]
    failed = {name: test for name, test in zip(names, tests, strict=True) if test.is_failed}
    passed = (name for name, test in zip(names, tests, strict=True) if test.result == "success")
    small = [_small(test) for test in list(failed.values())[:MOST_FAILED]]
    return JobResults(
        failed=tuple(small),
        failed_keys=_packed(key(test) for test in small),
        passed=_packed(passed),
        total=len(tests) - sum(one in failed for one in names) + len(failed),
        is_whole=is_whole and len(failed) <= MOST_FAILED and len(tests) <= MOST_PASSED,
    )


def has_failed(results: JobResults, test_key: str) -> bool:
    """Say whether a test failed in a job."""
    return f" {test_key} " in results.failed_keys


def has_passed(results: JobResults, test_key: str) -> bool:
    """Say whether a test passed in a job."""
    return f" {test_key} " in results.passed


def failing(results: JobResults) -> tuple[TestResult, ...]:
    """Return the tests that failed in a job and did not pass there when they were tried again."""
    return tuple(test for test in results.failed if not has_passed(results, key(test)))


def _packed(keys: Iterable[str]) -> str:
    found = list(dict.fromkeys(keys))[:MOST_PASSED]
    return f" {' '.join(found)} " if found else ""


def _small(test: TestResult) -> TestResult:
    message = "\n".join(telling(test.message, 3))
    cut = {"name": test.name[:LONGEST_NAME], "message": message[:LONGEST_MESSAGE]}
    return test.model_copy(update={**cut, "classname": test.classname[:LONGEST_NAME], "file": test.file[:LONGEST_NAME]})
