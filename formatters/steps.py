"""One job with its steps: how each ended, how long it took, the slowest and the failed marked."""

from collections.abc import Sequence
from datetime import timedelta

from bot.actions import SendLog
from bot.answers.jobs import JobSteps, NoLog, StepLog
from bot.models.circleci import FAILED_JOB_STATUSES, ClassicBuild, Step
from formatters.blocks import (
    Message,
    actions,
    assemble,
    button,
    code,
    code_block,
    context,
    literal,
    paragraphs,
    section,
)
from formatters.buttons import short
from formatters.dialogs import asks_of_build
from formatters.words import count, duration, ref_words, status

MOST_NAME = 200  # of a step, in a button
MOST_NAMED = 15
FEW = 40


def job(answer: JobSteps) -> Message:
    """Return a job's steps in order."""
    build = answer.build
    what = f"{literal(build.workflows.job_name, 80)} {build.build_num}".strip()
    of = _whose(answer)
    heading = section(f"{status(build.status)} · *{what}* · {of}")
    if not build.steps:
        why = _why_none(build)
        return assemble(f"{what} of {of}: {why}", heading, section(why))
    times = [_took(step) for step in build.steps]
    slowest = max(range(len(times)), key=lambda number: times[number])
    lines = [
        _line(step, times[number], slowest=number == slowest and len(times) > 1)
        for number, step in enumerate(build.steps)
    ]
    text = f"{count(len(lines), 'step')}, {duration(sum(times, timedelta()))} in all."
    shown, taken = paragraphs(_failed_first(lines, build.steps))
    rest = f" {len(lines) - taken} of them are not shown." if taken < len(lines) else ""
    said = [section(_said(build))] if build.reasons and not build.has_failing_step else []
    return assemble(f"{what} of {of}: {text}", heading, *said, *shown, context(text + rest))


def _why_none(build: ClassicBuild) -> str:
    """Say why there are no steps: in CircleCI's words, or that it has none."""
    if build.reasons:
        return _said(build)
    if build.status in FAILED_JOB_STATUSES or build.has_begun:
        return "CircleCI lists no steps of it, and gives no reason. The steps of old jobs are not kept."
    return "It has not begun: it has no steps yet."


def _said(build: ClassicBuild) -> str:
    return f"CircleCI says: {literal(' '.join(build.reasons), 1500)}"


def _failed_first(lines: Sequence[str], steps: Sequence[Step]) -> list[str]:
    """Return the lines of very many steps with those of the failed ones first; of fewer as they are."""
    if len(lines) <= FEW:
        return list(lines)
    failed = [any(action.is_failed for action in step.actions) for step in steps]
    return [line for first in (True, False) for line, bad in zip(lines, failed, strict=True) if bad is first]


def _took(step: Step) -> timedelta:
    return max((action.run_time for action in step.actions if action.run_time is not None), default=timedelta())


def _line(step: Step, took: timedelta, *, slowest: bool) -> str:
    failed = [action for action in step.actions if action.is_failed]
    worst = failed[0].status or "failed" if failed else step.actions[0].status if step.actions else "success"
    codes = [f"exit code {action.exit_code}" for action in failed[:1] if action.exit_code is not None]
    where = (
        [f"in {len(failed)} of {len(step.actions)} containers"]
        if failed and 1 < len(step.actions) != len(failed)
        else []
    )
    marks = ["*slowest*"] if slowest else []
    attempt = max((action.auto_rerun_number or 0 for action in step.actions), default=0) + 1
    marks += [f"attempt {attempt}: CircleCI ran it again by itself"] if attempt > 1 else []
    name = literal(step.name or "a step without a name", 100)
    return " · ".join([status(worst), f"*{name}*" if failed else name, duration(took), *codes, *where, *marks])


def log(answer: StepLog) -> Message:
    """Return the end of a step's log, and offer the whole."""
    name, step = _name(answer), answer.step
    note = "This is only its end." if answer.shortened else "This is all of it."
    note = "The job still runs: this is the end of what there is so far." if answer.is_running else note
    whose = _whose(answer)
    text = f"The log of {literal(step, 100)} in {literal(name, 100)} of {whose}."
    offer = SendLog(project_slug=answer.project_slug, job_number=answer.job_number, step=step[:MOST_NAME])
    sure = asks_of_build(
        "Post the whole log?",
        f"The whole log of {short(step, 60)} in {short(name, 60)} is posted here as a file. All here can read it.",
        "Post it",
        "Not now",
    )
    return assemble(
        text,
        section(f"*{literal(name, 100)}* · {whose} · {code(step, 120)}"),
        section(code_block(answer.lines, 2800) or "It is empty."),
        context(note),
        actions(button(offer, "Post the whole log here", confirm=sure)) if answer.lines and answer.shortened else None,
    )


def no_log(answer: NoLog) -> Message:
    """Say which steps there are where the one asked for is not, or has no log; or that it has no log any more."""
    text = "CircleCI does not keep this log any more." if answer.is_gone else _steps_with_one(answer)
    return assemble(text, section(text))


def _steps_with_one(answer: NoLog) -> str:
    name = literal(_name(answer), 100)
    known = ", ".join(code(step, 60) for step in answer.steps[:MOST_NAMED])
    known += f" and {len(answer.steps) - MOST_NAMED} more" if len(answer.steps) > MOST_NAMED else ""
    if known:
        so_far = " so far" if answer.is_running else ""
        return f"I find no such step with a log in {name}. Steps with one{so_far}: {known}."
    if not answer.has_begun:
        return f"{name} has not begun: there is no log of it yet."
    if answer.is_running:
        line = code(f"job {answer.project_slug} {answer.job_number}")
        return f"{name} still runs, and none of its steps has a log so far. {line} shows its steps."
    return f"CircleCI keeps no log of {name}: it was quiet, or it is too old."


def _whose(answer: JobSteps | StepLog) -> str:
    """Name the project, and the branch or the tag: who reads it may not have read what was asked."""
    title = literal(answer.title or answer.project_slug)
    return f"{title} · {ref_words(answer.ref)}" if answer.ref else title


def _name(answer: StepLog | NoLog) -> str:
    return f"{answer.job_name} {answer.job_number}".strip()
