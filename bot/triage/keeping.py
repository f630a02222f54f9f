"""Test results made small enough to be kept: who failed in full, who passed as a key. Pure."""

import base64
import hashlib
from collections.abc import Iterable, Sequence

from bot.models.circleci import TestResult
from bot.models.history import JobResults
from bot.triage.quoting import telling

MOST_FAILED, MOST_PASSED = 500, 50_000
LONGEST_NAME, LONGEST_MESSAGE = 300, 300
EDITION = 2  # the first one named tests without their file


def key(test: TestResult) -> str:
    """Return what names a test within its job, eight characters: its file, its class and its own name, each whole."""
    return _hash("\x1f".join(map(_cut, (test.file, test.classname, test.name))))


def are_ours(results: JobResults) -> bool:
    """Say whether results that were kept name their tests as `key` does, or were kept by an earlier version."""
    return results.edition == EDITION


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
        edition=EDITION,
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
    names = {"name": _cut(test.name), "classname": _cut(test.classname), "file": _cut(test.file)}
    return test.model_copy(update={**names, "message": message[:LONGEST_MESSAGE]})


def _cut(name: str) -> str:
    """Return a name as it is kept; what is cut off a long one still tells it from others that begin alike."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 9]}…{_hash(name)}"


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.blake2b(text.encode(errors="replace"), digest_size=6).digest()).decode()
