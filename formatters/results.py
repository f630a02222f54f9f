"""Test results of one or several jobs."""

from bot.answers.jobs import TestResults
from formatters import unread
from formatters.blocks import Message, assemble, clean, code, context, literal, section
from formatters.report import failing
from formatters.words import count

MOST_FAILING = 20


def summary(answer: TestResults) -> Message:
    """Return what failed, how many there are, and the slowest; with what could not be read."""
    return unread.add(_summary(answer), answer.unread)


def _summary(answer: TestResults) -> Message:
    title, failed = answer.title, answer.tests_failed
    if not answer.tests_total:
        text = f"{clean(title)} stored no test results: its jobs need the step store_test_results."
        return assemble(text, section(text))
    rest = f", {answer.tests_skipped} skipped" if answer.tests_skipped else ""
    verdict = f"{failed} of {count(answer.tests_total, 'test')} failed{rest}"
    asked = f" {count(answer.jobs_left_out, 'job')} were not asked." if answer.jobs_left_out else ""
    return assemble(
        f"{clean(title)}: {verdict}.",
        section(f"{'❌' if failed else '✅'} *{literal(title)}*: {verdict}.{asked}"),
        section(failing(answer.failed, MOST_FAILING, total=failed)) if failed else None,
        context(f"Slowest: {_slowest(answer)}") if answer.slowest else None,
    )


def _slowest(answer: TestResults) -> str:
    return " · ".join(f"{code(test.name, 80)} {test.run_time or 0:.1f} s" for test in answer.slowest)
