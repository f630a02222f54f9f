"""One job with its steps: how each ended, how long it took, the slowest and the failed marked."""

from datetime import timedelta

from bot.actions import SendLog
from bot.models.circleci import ClassicBuild, Step
from formatters.blocks import Message, actions, assemble, button, code, code_block, context, fit, literal, section
from formatters.words import count, duration, status


def job(build: ClassicBuild, name: str) -> Message:
    """Return a job's steps in order."""
    what = f"{literal(name, 80)} {build.build_num}".strip()
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


def log(name: str, step: str, lines: tuple[str, ...], *, offer: SendLog | None, shortened: bool) -> Message:
    """Return the end of a step's log."""
    note = "This is only its end." if shortened else "This is all of it."
    text = f"The log of {literal(step, 100)} in {literal(name, 100)}."
    return assemble(
        text,
        section(f"{literal(name, 100)} · {code(step, 120)}"),
        section(code_block(lines, 2800) or "It is empty."),
        context(note),
        actions(button(offer, "The whole as a file")) if offer and shortened else None,
    )


def no_log(name: str, steps: tuple[str, ...]) -> Message:
    """Say which steps there are where the one asked for is not, or has no log."""
    known = ", ".join(code(step, 60) for step in steps[:15])
    text = (
        f"I find no such step with a log in {literal(name, 100)}. Steps with one: {known}."
        if known
        else f"CircleCI keeps no log of {literal(name, 100)}: it has not begun, it was quiet, or it is too old."
    )
    return assemble(text, section(text))
