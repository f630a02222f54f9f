"""What became of an approval, a rerun or a cancel whose answer was lost, to who pressed it."""

from collections.abc import Sequence

from bot.models.build import Build, Run
from bot.models.circleci import Job
from bot.models.lost import Lost
from formatters.blocks import Block, Message, actions, assemble, literal, section
from formatters.buttons import approve_button, cancel_button
from formatters.nothing import STANDS
from formatters.words import listed

_LOST = "CircleCI's answer was lost, so I looked"
_AGAIN = "Press again if it is still wanted."


def approved(lost: Lost, build: Build) -> Message:
    """Say that the job is approved."""
    return _said(f"{_LOST}: {literal(lost.job_name, 200)} is approved, and {_outcome(lost, build)}.")


def reran(lost: Lost, build: Build, *, runs: bool) -> Message:
    """Say whether it runs again."""
    how = "has run again, and by now it" if runs else f"has not run again, as far as I see. {_AGAIN} By now it"
    return _said(f"{_LOST}: {_named(lost, build)} {how} {STANDS[build.state]}.")


def reran_in_part(lost: Lost, build: Build, again: Sequence[str], left: Sequence[str]) -> Message:
    """Say which of its workflows run again, and which do not."""
    done, rest = (listed(names) for names in (again, left))
    what = f"of {_named(lost, build)} {done} has run again, and {rest} has not"
    return _said(f"{_LOST}: {what}. {_AGAIN} By now it {STANDS[build.state]}.")


def still_held(lost: Lost, build: Build, run: Run, held: Job) -> Message:
    """Say that it shows nothing of it, with the button once more."""
    text = f"{_LOST}: {literal(lost.job_name, 200)} of {_named(lost, build)} still waits for an approval. {_AGAIN}"
    return _said(text, approve_button(held, run, build, lost.project_title))


def stands(lost: Lost, build: Build) -> Message:
    """Say how the build stands."""
    return _said(f"{_LOST}: {_outcome(lost, build)}.")


def stopped(lost: Lost, build: Build, left: Sequence[str], gone: Sequence[str]) -> Message:
    """Say how a build stands that was to be cancelled, and what of it is `gone`: of what is left, with the button."""
    if left:
        rest, done = (listed(names) for names in (left, gone))
        shows = f"What was cancelled: {done}." if gone else "I could not see that it was cancelled."
        pipeline = build.pipeline
        again = cancel_button(pipeline.id, pipeline.number, lost.project_title, pipeline.ref, reruns=build.reruns)
        return _said(f"{_LOST}: {_outcome(lost, build)}. {shows} What goes on: {rest}. {_AGAIN}", again)
    if any(not run.workflow.is_finished for run in build.runs):
        return _said(f"{_LOST}: what ran then has ended. By now {_outcome(lost, build)}, with what began later.")
    return stands(lost, build)


def job(lost: Lost, build: Build, *, runs: bool) -> Message:
    """Say whether the job that was to be cancelled still runs."""
    how = f"has not ended. {_AGAIN}" if runs else "does not run any more."
    return _said(f"{_LOST}: {literal(lost.job_name, 200)} of {_named(lost, build)} {how}")


def unknown(lost: Lost, *, goes_on: bool = False) -> Message:
    """Say that nobody can tell, as CircleCI did not answer those looks either, and whether it is still looked for."""
    what = literal(lost.job_name, 200) or "the build"
    return _said(
        f"CircleCI's answer was lost, and it answers no look either: I cannot tell what became of {what} "
        f"({literal(lost.project_title, 100)}). {'I go on looking, and tell you. ' if goes_on else ''}"
        "Look at CircleCI before you press again."
    )


def _named(lost: Lost, build: Build) -> str:
    return f"{literal(lost.project_title, 100)} #{build.pipeline.number}"


def _outcome(lost: Lost, build: Build) -> str:
    return f"{_named(lost, build)} {STANDS[build.state]}"


def _said(text: str, *pressed: Block) -> Message:
    return assemble(text, section(text), actions(*pressed) if pressed else None)
