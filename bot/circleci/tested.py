"""Test results as they may be shown: decoded, each cut to what anybody would read."""

from collections.abc import Iterable
from typing import Any

from bot.circleci.answers import decode
from bot.models.circleci import PASSED_TEST_RESULTS, TestResult
from bot.models.fields import CUT_AWAY, prose
from bot.triage.quoting import telling

LONGEST = {"name": 500, "classname": 500, "file": 500, "message": 2000}
LOOKED_AT = 5000  # characters at either end of a longer message: a test may have printed a lot before it failed
MOST_LINES, LONGEST_LINE = 30, 300


def decode_tests(items: Iterable[Any]) -> list[TestResult]:
    """Return the results in an answer; raises Unavailable for what is none."""
    return [_cut(decode(TestResult, _shortened(item))) for item in items]


def _shortened(item: Any) -> Any:
    """Leave out what nobody will read before it is masked, which is what takes time."""
    if not isinstance(item, dict):
        return item
    message = item.get("message")
    if isinstance(message, str) and len(message) > LONGEST["message"] and item.get("result") not in PASSED_TEST_RESULTS:
        item = {**item, "message": _said(message)}
    long = {
        name: value[: most + CUT_AWAY] for name, most in LONGEST.items() if isinstance(value := item.get(name), str)
    }
    return {**item, **long}


def _said(message: str) -> str:
    """Return the lines of a long message that tell why it failed; masked before any are left out, and then cut."""
    if len(message) > 2 * LOOKED_AT:
        head, tail = prose(message[:LOOKED_AT]), prose(message[-LOOKED_AT:])
        # A secret that the cut went through is known by nothing.
        message = f"{head[:-CUT_AWAY]}\n{tail[CUT_AWAY:]}"
    return "\n".join(line[:LONGEST_LINE] for line in telling(prose(message), MOST_LINES))


def _cut(test: TestResult) -> TestResult:
    return test.model_copy(update={name: getattr(test, name)[:most] for name, most in LONGEST.items()})
