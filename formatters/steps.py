"""One job with its steps: how each ended, how long it took, the slowest and the failed marked."""

from datetime import timedelta

from bot.actions import SendLog
from bot.answers.jobs import JobSteps, NoLog, StepLog
from bot.models.circleci import Step
from formatters.blocks import Message, actions, assemble, button, code, code_block, context, fit, literal, section
from formatters.words import count, duration, status

MOST_NAME = 200  # of a step, in a button


def job(answer: JobSteps) -> Message:
    """Return a job's steps in order."""
    build = answer.build
    what = f"{literal(build.workflows.job_name, 80)} {build.build_num}".strip()
    heading = section(f"{status(build.status)} · *{what}*")
    if not build.steps:
        gone = "CircleCI keeps no steps of it: it has not begun, or it is too old."
        return assemble(f"{what}: {gone}", heading, section(gone))
    times = [_took(step) for step in build.steps]
    slowest = max(range(len(times)), key=lambda number: times[number])
    lines = [
        _line(step, times[number], slowest=number == slowest and len(times) > 1)
        for number, step in enumerate(build.steps)
    ]
    text = f"{count(len(lines), 'step')}, {duration(sum(times, timedelta()))} in all."
    return assemble(f"{what}: {text}", heading, section(fit(lines, 2900)), context(text))


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
    name = literal(step.name or "a step without a name", 100)
    return " · ".join([status(worst), f"*{name}*" if failed else name, duration(took), *codes, *where, *marks])


def log(answer: StepLog) -> Message:
    """Return the end of a step's log, and offer the whole."""
    name, step = _name(answer), answer.step
    note = "This is only its end." if answer.shortened else "This is all of it."
    text = f"The log of {literal(step, 100)} in {literal(name, 100)}."
    offer = SendLog(project_slug=answer.project_slug, job_number=answer.job_number, step=step[:MOST_NAME])
    return assemble(
        text,
        section(f"{literal(name, 100)} · {code(step, 120)}"),
        section(code_block(answer.lines, 2800) or "It is empty."),
        context(note),
        actions(button(offer, "The whole as a file")) if answer.lines and answer.shortened else None,
    )


def no_log(answer: NoLog) -> Message:
    """Say which steps there are where the one asked for is not, or has no log; or that it has no log any more."""
    text = "CircleCI does not keep this log any more." if answer.is_gone else _steps_with_one(answer)
    return assemble(text, section(text))


def _steps_with_one(answer: NoLog) -> str:
    name = literal(_name(answer), 100)
    known = ", ".join(code(step, 60) for step in answer.steps[:15])
    return (
        f"I find no such step with a log in {name}. Steps with one: {known}."
        if known
        else f"CircleCI keeps no log of {name}: it has not begun, it was quiet, or it is too old."
    )


def _name(answer: StepLog | NoLog) -> str:
    return f"{answer.job_name} {answer.job_number}".strip()
