"""Test results of one or several jobs."""

from collections.abc import Sequence

from bot.models.circleci import TestResult
from formatters.blocks import Message, assemble, clean, code, context, literal, section
from formatters.report import failing
from formatters.words import count

MOST_FAILING, MOST_SLOW = 20, 3


def summary(title: str, lists: Sequence[Sequence[TestResult]], *, left_out: int = 0) -> Message:
    """Return what failed, how many there are, and the slowest; `left_out` jobs were not asked."""
    every = [test for found in lists for test in found]
    failed = [test for test in every if test.is_failed]
    skipped = sum(test.result == "skipped" for test in every)
    if not every:
        text = f"{clean(title)} stored no test results: its jobs need the step store_test_results."
        return assemble(text, section(text))
    rest = f", {skipped} skipped" if skipped else ""
    verdict = f"{len(failed)} of {count(len(every), 'test')} failed{rest}"
    asked = f" {count(left_out, 'job')} were not asked." if left_out else ""
    return assemble(
        f"{clean(title)}: {verdict}.",
        section(f"{'❌' if failed else '✅'} *{literal(title)}*: {verdict}.{asked}"),
        section(failing(failed, MOST_FAILING)) if failed else None,
        context(f"Slowest: {_slowest(every)}") if any(test.run_time for test in every) else None,
    )


def _slowest(every: Sequence[TestResult]) -> str:
    slow = sorted(every, key=lambda test: -(test.run_time or 0))[:MOST_SLOW]
    return " · ".join(f"{code(test.name, 80)} {test.run_time or 0:.1f} s" for test in slow)
