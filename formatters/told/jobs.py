"""What jobs left behind, as agents read it: test results, steps, logs, artifacts."""

from collections.abc import Sequence
from datetime import timedelta

from bot.answers import File
from bot.answers.jobs import Artifacts, ArtifactTooLarge, JobSteps, NoLog, StepLog, TestResults, Unread
from bot.models.build import Build
from bot.models.circleci import Artifact, Step, TestResult
from bot.models.files import told_apart, whole
from bot.triage.quoting import telling
from formatters.files import KEPT
from formatters.links import Links
from formatters.told.builds import every_job
from formatters.told.words import (
    LINE,
    OF_BRANCH,
    OF_BUILD,
    OF_LOG,
    SAID,
    Data,
    address,
    call,
    fitted,
    known,
    listing,
    of_build,
    person,
    quoted,
    ref_of,
    rows,
    span,
    state_word,
)

LONGEST_PATH = 1_000  # characters of the address of a file, which is all that one may want of it
MOST_TESTS, MOST_SLOW, MOST_STEPS, MOST_FILES, MOST_NAMED = 10, 3, 40, 20, 15
WAYS_TO_REST = "the page of the job at CircleCI has all of it"


def tests(answer: TestResults) -> Data:
    """Return how many failed, which, and how to read the rest."""
    build, ahead = answer.build, answer.start - 1

    def made(room: int) -> Data:
        left = max(answer.tests_failed - ahead, 0)
        told = listing("failed_tests", answer.failed, min(room, MOST_TESTS), _test, total=left)
        after = ahead + len(told.get("failed_tests", ()))
        return known(
            quoted_of=quoted(answer.title),
            state=state_word(build.state) if build else "",
            tests=answer.tests_total,
            failed=answer.tests_failed,
            skipped=answer.tests_skipped,
            there_are_more_than_were_read=answer.more or None,
            jobs_not_asked=answer.jobs_left_out or None,
            unread=_unread(answer.unread),
            told_from=answer.start if ahead else None,
            **{name: one for name, one in told.items() if name != "failed_tests_in_all"},
            quoted_passed_when_tried_again=[quoted(_name(one)) for one in answer.flaky[: min(room, 5)]],
            passed_when_tried_again=len(answer.flaky) or None,
            failures_of_the_same_name=answer.repeated or None,
            slowest=[_slow(one) for one in answer.slowest[: min(room, MOST_SLOW)]],
            next=[
                *(_rest(answer, after) if told.get("failed_tests_left_out") else _why(build, answer)),
                *([every_job(build)] if answer.jobs_left_out and build else []),
            ],
        )

    return fitted(made, OF_BUILD)


def _test(test: TestResult) -> Data:
    said = rows(telling(test.message, 3), SAID)
    return known(
        quoted_test=quoted(_name(test)), quoted_file=quoted(test.file), quoted_message=quoted(" / ".join(said), SAID)
    )


def _name(test: TestResult) -> str:
    return test.name or test.classname


def _slow(test: TestResult) -> Data:
    return {"quoted_test": quoted(_name(test)), "seconds": round(test.run_time or 0, 1)}


def _rest(answer: TestResults, after: int) -> list[Data]:
    """Return how to read what was left out; what was not read with this answer only CircleCI has."""
    build, start = answer.build, after + 1
    if after >= answer.start - 1 + len(answer.failed):
        return [person(WAYS_TO_REST)]
    if build is not None:
        return [call("tests", "the next ones", **of_build(build), start=start)]
    slug, _, number = answer.title.rpartition(" ")
    job = int(number) if number.isdecimal() else None
    return [call("tests", "the next ones", project=slug, job=job, start=start)]


def _why(build: Build | None, answer: TestResults) -> list[Data]:
    if build is None or not (answer.tests_failed or build.is_red):
        return []
    return [call("triage", "is it new, flaky or red on main", **of_build(build))]


def _unread(unread: Unread | None) -> Data:
    if unread is None:
        return {}
    why = "CircleCI asked to slow down" if unread.limited else "CircleCI did not answer"
    return {"jobs": unread.tried, "not_read": unread.missed, "why": f"{why}; ask again"}


def steps(answer: JobSteps, links: Links) -> Data:
    """Return a job's steps; of very many those first that failed."""
    job, every = answer.build, answer.build.steps
    shown = sorted(every, key=lambda one: not _failed(one)) if len(every) > MOST_STEPS else list(every)
    slowest = max(every, key=_took, default=None)

    def made(room: int) -> Data:
        said = quoted(" ".join(job.reasons), SAID) if job.reasons and not job.has_failing_step else ""
        return {
            "quoted_project": quoted(answer.title or answer.project_slug),
            **ref_of(answer.ref),
            **known(quoted_job=quoted(job.workflows.job_name), job=job.build_num, status=quoted(job.status, 40)),
            **known(quoted_reasons=said, in_all=span(sum(map(_took, every), timedelta()))),
            **listing("steps", shown, min(room, MOST_STEPS), lambda one: _step(one, slowest=one is slowest)),
            **known(note="" if every else "CircleCI lists no steps of it." if job.has_begun else "It has not begun."),
            "link": address(f"{links.web_url}/jobs/{answer.project_slug}/{job.build_num}"),
            "next": [call("logs", "add `step` for one of them", project=answer.project_slug, job=job.build_num)],
        }

    return fitted(made, OF_BRANCH)


def _failed(step: Step) -> bool:
    return any(action.is_failed for action in step.actions)


def _took(step: Step) -> timedelta:
    return max((one.run_time for one in step.actions if one.run_time is not None), default=timedelta())


def _step(step: Step, *, slowest: bool) -> Data:
    failed = [action for action in step.actions if action.is_failed]
    worst = failed[0].status or "failed" if failed else step.actions[0].status if step.actions else "success"
    where = f"{len(failed)} of {len(step.actions)}" if failed and len(step.actions) > 1 else ""
    code = failed[0].exit_code if failed else None
    return known(
        quoted_step=quoted(step.name),
        status=quoted(worst, 40),
        lasted=span(_took(step)),
        exit_code=code,
        failed_in_containers=where,
        slowest=slowest or None,
    )


def log(answer: StepLog, links: Links) -> Data:
    """Return the end of a step's log; where it is cut in its middle, that is said."""
    lines = rows(answer.lines, LINE)
    url = address(f"{links.web_url}/jobs/{answer.project_slug}/{answer.job_number}")
    head = {
        "quoted_project": quoted(answer.title or answer.project_slug),
        **ref_of(answer.ref),
        **known(quoted_job=quoted(answer.job_name), job=answer.job_number, quoted_step=quoted(answer.step)),
        **known(still_runs=answer.is_running or None),
    }

    def made(room: int) -> Data:
        kept = lines[max(len(lines) - room, 0) :]
        is_end = answer.shortened or len(kept) < len(lines)
        note = f"This is its end alone: {WAYS_TO_REST}" if is_end else "This is all of it"
        note = "The job still runs: this is the end so far." if answer.is_running else f"{note}."
        return {**head, "lines": len(kept), "quoted_log": kept, "note": note, "link": url}

    return fitted(made, OF_LOG)


def no_log(answer: NoLog, links: Links) -> Data:
    """Return why there is none, and which steps have one."""
    why = "CircleCI keeps no log of it: it was quiet, or it is too old."
    if answer.steps and not answer.is_gone:
        why = "There is no such step with a log. Name one of these."
    elif not answer.has_begun:
        why = "It has not begun."
    elif answer.is_running:
        why = "It still runs, and none of its steps has a log so far."
    slug, number = answer.project_slug, answer.job_number
    named = next((one for one in answer.steps if len(one) <= LINE), "")
    tries = [call("logs", project=slug, job=number, step=named)] if named and not answer.is_gone else []

    def made(room: int) -> Data:
        return {
            "note": why,
            **known(quoted_job=quoted(answer.job_name), job=number),
            **(listing("quoted_steps", answer.steps, min(room, MOST_NAMED), quoted) if answer.steps else {}),
            "link": address(f"{links.web_url}/jobs/{slug}/{number}"),
            "next": [*tries, call("job", "its steps", project=slug, job=number)],
        }

    return fitted(made, OF_BRANCH)


def artifacts(answer: Artifacts) -> Data:
    """Return the files that were found, by their paths."""
    names = told_apart(answer.found[:MOST_FILES], whole)
    found = list(zip(answer.found, names, strict=False))

    def made(room: int) -> Data:
        files = listing("files", found, min(room, MOST_FILES), lambda one: _file(one, room), total=len(answer.found))
        left = KEPT - answer.age if answer.age is not None else None
        return known(
            quoted_of=quoted(answer.title),
            stored=answer.stored,
            quoted_wanted=[quoted(one, 40) for one in answer.wanted[:5]],
            **files,
            there_are_more_than_were_read=answer.more or None,
            jobs_not_asked=answer.jobs_left_out or None,
            unread=_unread(answer.unread),
            kept_for_about=span(max(left, timedelta())) if left is not None else "",
            next=[
                *(_narrower(answer) if files.get("files_left_out") else []),
                *([every_job(answer.build)] if answer.jobs_left_out and answer.build else []),
            ],
        )

    return fitted(made, OF_BRANCH)


def _file(one: tuple[Artifact, str], room: int) -> Data:
    artifact, name = one
    return known(quoted_path=quoted(name, 200 if room < MOST_NAMED else 100), link=address(artifact.link, LONGEST_PATH))


def _narrower(answer: Artifacts) -> Sequence[Data]:
    if answer.build is None:
        return [person("names more of the path: /ci artifacts <project> <words>")]
    return [call("artifacts", "add `wanted`: parts of the path you look for", **of_build(answer.build))]


def too_large(answer: ArtifactTooLarge) -> Data:
    """Return where a file is that is not sent."""
    return known(quoted_path=quoted(answer.artifact.path, 200), link=address(answer.artifact.link, LONGEST_PATH))


def file(answer: File) -> Data:
    """Return what there is of a file, which is not sent to agents."""
    return {"quoted_file": quoted(answer.name), "bytes": len(answer.content), "note": "Files are not sent to agents."}
