"""The end of a build in a few words, for the root: who only scans a channel reads no more than that."""

from collections.abc import Collection, Mapping

from bot.models.build import Build, Report, State
from bot.models.history import Turn
from bot.models.slack import Closing
from bot.triage.diagnosis import Triage
from bot.triage.verdicts import Kind, Verdict
from formatters.blocks import literal
from formatters.report import tests_noun, tests_words
from formatters.stopped import why
from formatters.words import count

_WORDS: Mapping[Kind, str] = {
    Kind.NEW: "new",
    Kind.NOT_SURE: "unsure",
    Kind.RED_ON_BASE: "red on {base}",
    Kind.INFRASTRUCTURE: "likely infrastructure",
}


def closing(build: Build, report: Report | None, triage: Triage | None = None) -> Closing:
    """Return what the root says of an end; the verdicts of `triage` come later than the rest."""
    files = report is None or bool(report.artifacts or report.artifacts_problem)
    return Closing(fingerprint=build.fingerprint, verdict=_verdict(build, report, triage), has_files=files)


def _verdict(build: Build, report: Report | None, triage: Triage | None) -> str:
    match build.outcome:
        case State.FAILED:
            return _what_failed(build, report, triage)
        case State.PASSED:
            return _fixed(triage)
        case State.COULD_NOT_RUN:
            return why(build)
        case _:
            return ""


def tests_failed(report: Report | None) -> str:
    """Return how many tests failed; what stands in jobs that were not looked into is not counted, and that is said."""
    if report is None:
        return ""
    left_out = report.jobs_left_out and report.tests_failed
    return f"at least {count(report.tests_failed, tests_noun(report))}" if left_out else tests_words(report)


def _what_failed(build: Build, report: Report | None, triage: Triage | None) -> str:
    jobs = [job for run in build.real_runs for job in run.failed_jobs]
    base = triage.extent.base if triage else ""
    tests, of_jobs = tests_failed(report), dict(triage.jobs) if triage else {}
    if tests and report is not None:
        told = triage.tests.values() if triage and len(triage.tests) == report.tests_failed else ()
        return " · ".join(filter(None, [tests + _of(told, base), _others(of_jobs.values(), base)]))
    total = sum(job.type != "approval" for run in build.real_runs for job in run.jobs)
    names = literal(jobs[0].name, 80) if len(jobs) == 1 else f"{len(jobs)} of {count(total, 'job')}"
    whole = {job.id for job in jobs} == set(of_jobs)
    return f"{names}{_of(of_jobs.values() if whole else (), base)}" if jobs else ""


def _others(verdicts: Collection[Verdict], base: str) -> str:
    """Return the jobs whose failure no test explains."""
    return f"{count(len(verdicts), 'more job')}{_of(verdicts, base)}" if verdicts else ""


def _of(verdicts: Collection[Verdict], base: str) -> str:
    """Return how many are what, the most urgent first; nothing where nothing is known of any."""
    counted = [(kind, sum(one.kind is kind for one in verdicts)) for kind in Kind]
    found = [(kind, number) for kind, number in counted if number]
    match found:
        case [] | [(Kind.NOT_SURE, _)]:
            return ""
        case [(kind, number)]:
            return f": {'all ' if number > 1 else ''}{_word(kind, number, base)}"
    return ": " + ", ".join(f"{number} {_word(kind, number, base)}" for kind, number in found)


def _word(kind: Kind, number: int, base: str) -> str:
    if kind is Kind.FLAKE:
        return "flake" if number == 1 else "flakes"
    return _WORDS[kind].format(base=literal(base, 60))


def _fixed(triage: Triage | None) -> str:
    turned = triage.transition if triage else None
    if turned is None or turned.turn is not Turn.FIXED or turned.workflow:
        return ""
    how = "green again, on the same commit," if turned.same_commit_as else "fixed"
    return f"{how} after {count(turned.times, 'red build')}"
