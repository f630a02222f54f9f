"""A build that ended, with what failed, the verdicts and the telling lines, as agents read it."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.answers.builds import BuildTriaged
from bot.models.build import Build, FailingStep, JobReport, State
from bot.models.circleci import Job, TestResult
from bot.models.history import Advice, Fewer
from bot.triage.diagnosis import Triage, failure_id
from bot.triage.quoting import telling
from bot.triage.verdicts import Kind, Verdict
from formatters.links import Links
from formatters.stopped import why
from formatters.told.builds import every_job, following, head, newest_first
from formatters.told.words import (
    LINE,
    OF_BUILD,
    SAID,
    Data,
    address,
    call,
    fitted,
    in_words,
    known,
    listing,
    of_build,
    quoted,
    rows,
    span,
    state_word,
)
from formatters.verdicts import advice_line, counts_line, transition_line, verdict_words
from formatters.words import count

BASE = "the base branch"  # in words of ours, which hold no foreign name
MOST_TESTS, MOST_LINES, MOST_JOBS, SAID_LINES = 10, 18, 10, 3


class _Failure(NamedTuple):
    job: JobReport
    test: TestResult
    verdict: Verdict | None


def triaged(answer: BuildTriaged, links: Links) -> Data:
    """Return how it ended; of a failure what failed, the most urgent first, and what the evidence says to do."""
    build, report = answer.build, answer.report
    failures = sorted(_failures(answer), key=_urgency)
    left_out, several = report.jobs_left_out, len(report.jobs) > 1

    def test(failure: _Failure) -> Data:
        return _test(failure) | (known(job=failure.job.job.job_number) if several else {})

    def made(room: int) -> Data:
        tests = listing("failed_tests", failures, min(room, MOST_TESTS), test, total=report.tests_failed)
        of_all = len(report.jobs) + len(left_out)
        jobs = listing(
            "failed_jobs", report.jobs, min(room, MOST_JOBS), lambda one: _job(one, answer, room), total=of_all
        )
        return {
            "quoted_project": quoted(answer.title),
            **head(build, links),
            **known(
                state=state_word(build.outcome),
                why=in_words(why(build)) if build.outcome is State.COULD_NOT_RUN else "",
            ),
            **_errors(build),
            **_compared(answer, links),
            **(tests | _read(answer) if report.tests_failed or report.tests_total else {}),
            **(jobs if report.jobs else {}),
            **known(failed_jobs_not_looked_into=len(left_out) or None, newer_pipeline=answer.newer_number or None),
            **known(next=[*_rest(answer, tests), *_more_jobs(build, jobs), *_next(answer, links)]),
        }

    return fitted(made, OF_BUILD)


def _failures(answer: BuildTriaged) -> list[_Failure]:
    of = answer.triage.tests if answer.triage else {}
    return [
        _Failure(job, test, of.get(failure_id(job, test))) for job in answer.report.jobs for test in job.failed_tests
    ]


def _urgency(failure: _Failure) -> int:
    return [*Kind].index(failure.verdict.kind) if failure.verdict else 0


def _test(failure: _Failure) -> Data:
    test, said = failure.test, rows(telling(failure.test.message, SAID_LINES), SAID)
    return known(
        quoted_test=quoted(test.name or test.classname),
        quoted_file=quoted(test.file),
        verdict=_verdict(failure.verdict),
        quoted_message=quoted(" / ".join(said), SAID),
    )


def _verdict(verdict: Verdict | None) -> str:
    return in_words(verdict_words(verdict, BASE)) if verdict else ""


def _job(one: JobReport, answer: BuildTriaged, room: int) -> Data:
    build, triage, job = answer.build, answer.triage, one.job
    run = next((run for run in build.runs if run.workflow.name == one.workflow_name), None)
    lines = list(one.step.lines) if one.step and not one.failed_tests else []
    return known(
        quoted_job=quoted(build.called(job, run) if run else job.name),
        job=job.job_number,
        status=quoted(job.status, 40),
        verdict=_verdict(_of_job(job, triage)),
        tests_failed=one.tests_failed or None,
        step=_step(one.step, triage, job) if one.step else {},
        quoted_log=rows(lines[-min(2 * room, MOST_LINES) :] if room else [], LINE),
        quoted_reasons=quoted(" ".join(one.reasons), SAID),
        quoted_passed_when_tried_again=[quoted(test.name or test.classname) for test in one.flaky_tests[:room][:3]],
        quoted_problems=quoted(" ".join(one.problems), SAID),
    )


def _of_job(job: Job, triage: Triage | None) -> Verdict | None:
    return triage.jobs.get(job.id) if triage else None


def _step(step: FailingStep, triage: Triage | None, job: Job) -> Data:
    usual = triage.usual.get(job.id) if triage else None
    containers = f"{len(step.indexes)} of {step.parallelism}" if step.parallelism > 1 and step.indexes else ""
    return known(
        quoted_step=quoted(step.name),
        status=quoted(step.status, 40),
        exit_code=step.exit_code,
        lasted=span(step.run_time),
        usually=span(usual),
        failed_in_containers=containers,
    )


def _errors(build: Build) -> Data:
    errors = build.pipeline.errors
    said = [quoted(f"{one.type}: {one.message}", SAID) for one in errors[:2]]
    return known(quoted_errors=said) | ({"errors_in_all": len(errors)} if errors else {})


def _compared(answer: BuildTriaged, links: Links) -> Data:
    """Return what earlier builds tell, in words of ours; names of strangers stand beside them."""
    triage = answer.triage
    if triage is None:
        return {}
    extent = triage.extent
    ours = triage.model_copy(update={"extent": extent.model_copy(update={"base": BASE})})
    turned = triage.transition
    workflow = turned.workflow if turned else ""
    if turned and workflow:
        turned = turned.model_copy(update={"workflow": "named here"})
    data = f", {extent.with_data} with test data" if triage.tests else ""
    return known(
        transition=in_words(transition_line(turned, answer.build, links)),
        quoted_workflow=quoted(workflow),
        advice=_advice(answer, ours, links),
        counts=in_words(counts_line(ours)),
        quoted_base=quoted(extent.base),
        compared_with=f"{count(extent.builds, 'earlier build')}{data}" if not triage.problem else "",
        quoted_not_compared=quoted(triage.problem),
        jobs_unread=extent.unread or None,
        fewer_results=[_fewer(one) for one in triage.fewer[:3]],
    )


def _advice(answer: BuildTriaged, ours: Triage, links: Links) -> str:
    """Return what to do; nothing is run again of a build that is not the newest."""
    newer = answer.newer_number
    if newer and ours.advice is Advice.RERUN:
        return f"No rerun of this one: #{newer} is newer, of the same branch. See first how that ended."
    return in_words(advice_line(ours, links, answer.build))


def _fewer(fewer: Fewer) -> Data:
    return {"quoted_job": quoted(fewer.job_name), "results_when_it_failed": fewer.before, "results_now": fewer.now}


def _read(answer: BuildTriaged) -> Data:
    more = {"there_are_more_than_were_read": True} if answer.report.more_tests else {}
    return {"tests_read": answer.report.tests_total, **more}


def _rest(answer: BuildTriaged, tests: Data) -> Sequence[Data]:
    if not tests.get("failed_tests_left_out"):
        return ()
    numbers = [one.job.job_number for one in answer.report.jobs if one.tests_failed and one.job.job_number]
    slug = answer.build.pipeline.project_slug
    named = {"project": slug, "job": numbers[0]} if len(numbers) == 1 else of_build(answer.build)
    return [call("tests", "the rest of the failing tests", **named, start=len(tests.get("failed_tests", ())) + 1)]


def _more_jobs(build: Build, jobs: Data) -> Sequence[Data]:
    """Return how to see the jobs that there was no room for, or that were not looked into."""
    return [every_job(build)] if jobs.get("failed_jobs_left_out") else ()


def _next(answer: BuildTriaged, links: Links) -> Sequence[Data]:
    build, newer = answer.build, answer.newer_number
    if build.outcome is not State.FAILED:
        return following(build, newer)
    slug, is_new = build.pipeline.project_slug, answer.triage is not None and answer.triage.advice is Advice.OPEN_COMMIT
    told_by_log = [one.job.job_number for one in answer.report.jobs if one.step and not one.failed_tests]
    numbers = [one for one in told_by_log if one]
    logs = [call("logs", project=slug, job=numbers[0])] if numbers else []
    commit = address(links.commit(build.pipeline)) if is_new else ""
    waits = answer.triage is not None and answer.triage.advice is Advice.WAIT  # a rerun cannot help
    reruns = [] if waits or newer else [call("rerun", "the failed jobs", **of_build(build))]
    first = [newest_first(build, newer)] if newer else []
    return [*first, *([{"open": commit}] if commit else []), *logs, *reruns]
