"""Test results as they may be shown: decoded, each cut to what anybody would read."""

from collections.abc import Iterable
from typing import Any

from bot.circleci.answers import decode
from bot.models.circleci import TestResult
from bot.models.fields import CUT_AWAY

LONGEST = {"name": 500, "classname": 500, "file": 500, "message": 2000}


def decode_tests(items: Iterable[Any]) -> list[TestResult]:
    """Return the results in an answer; raises Unavailable for what is none."""
    return [_cut(decode(TestResult, _shortened(item))) for item in items]


def _shortened(item: Any) -> Any:
    """Leave out what nobody will read before it is masked, which is what takes time."""
    if not isinstance(item, dict):
        return item
    long = {
        name: value[: most + CUT_AWAY] for name, most in LONGEST.items() if isinstance(value := item.get(name), str)
    }
    return {**item, **long}


def _cut(test: TestResult) -> TestResult:
    return test.model_copy(update={name: getattr(test, name)[:most] for name, most in LONGEST.items()})
