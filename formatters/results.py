"""Test results of one or several jobs."""

from bot.answers.jobs import TestResults
from bot.models.build import OPEN_STATES, State
from formatters import unread
from formatters.blocks import Message, assemble, clean, code, context, fit, literal, paragraphs, section
from formatters.report import failure_line
from formatters.stopped import stored_nothing
from formatters.words import count


def summary(answer: TestResults) -> Message:
    """Return what failed, how many there are, and the slowest; with what could not be read."""
    return unread.add(_summary(answer), answer.unread)


def _summary(answer: TestResults) -> Message:
    title, failed = answer.title, answer.tests_failed
    if not answer.tests_total:
        known = stored_nothing(literal(title), answer.build, "test results") if answer.build else ""
        text = known or f"{literal(title)} stored no test results: its jobs need the step store_test_results."
        if answer.unread:
            text = f"{literal(title)}: no test results in the jobs that I could read."
        return assemble(text, section(text))
    rest = f", {answer.tests_skipped} skipped" if answer.tests_skipped else ""
    of = f"{'the first ' if answer.more else ''}{count(answer.tests_total, 'test')}"
    beyond = "; there are more tests than I read" if answer.more else ""
    verdict = f"{failed} of {of} failed{rest}{beyond}"
    shown, taken = paragraphs([failure_line(test) for test in answer.failed])
    asked = f" {count(answer.jobs_left_out, 'job')} were not asked." if answer.jobs_left_out else ""
    return assemble(
        f"{clean(title)}: {verdict}.{_but(answer)}",
        section(f"{_mark(answer)}*{literal(title)}*: {verdict}.{_but(answer)}{asked}"),
        *shown,
        context(f"and {failed - taken} more: CircleCI's page of the job has them all.") if failed > taken else None,
        context(_flaky(answer)) if answer.flaky else None,
        context(_repeated(answer)) if answer.repeated else None,
        context(f"Slowest: {_slowest(answer)}") if answer.slowest else None,
    )


def _mark(answer: TestResults) -> str:
    """Return what is seen at a glance; nothing where it is not known that all passed."""
    passed = answer.build is not None and answer.build.state is State.PASSED
    return "❌ " if answer.tests_failed else "✅ " if passed else ""


def _but(answer: TestResults) -> str:
    """Say of tests that passed that the build did not."""
    if answer.tests_failed or answer.build is None:
        return ""
    if answer.build.is_red:
        return " The build failed all the same."
    return " The build has not ended." if answer.build.state in OPEN_STATES else ""


def _repeated(answer: TestResults) -> str:
    more = f"{count(answer.repeated, 'further failure')} {'bears' if answer.repeated == 1 else 'bear'}"
    return f"{more} the name of one of them, and is counted with it: a tool may have tried it again."


def _flaky(answer: TestResults) -> str:
    names = fit([code(test.name or test.classname, 80) for test in answer.flaky], 400).replace("\n", ", ")
    return f"Failed, and passed when tried again: {names}."


def _slowest(answer: TestResults) -> str:
    return " · ".join(f"{code(test.name, 80)} {test.run_time or 0:.1f} s" for test in answer.slowest)
