"""Short answers to the one who asked or pressed."""

from collections.abc import Sequence

from bot.actions import ChooseDefinition
from bot.models.build import Build, Report
from bot.models.circleci import Definition, Ref
from formatters.blocks import (
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    code_block,
    fit,
    literal,
    mention,
    section,
)
from formatters.report import artifact_words, failed_tests, failing, group_artifacts
from formatters.words import MARKS, count

MOST_CHOICES = 20


def _said(text: str) -> Message:
    return assemble(text, section(text))


def default_branch_chosen(ref: Ref) -> str:
    """Say which branch was taken when none was named."""
    return f"You named no branch, so I took the default branch {code(ref.name)}."


def lost_answer(ref: Ref, project_title: str) -> Message:
    """Say that the trigger's answer was lost and is being looked for."""
    return _said(
        f"I asked CircleCI to start {literal(str(ref))} of {literal(project_title)}, but its answer did not arrive. "
        "I am looking whether it began; I will not start a second one."
    )


def lost_answer_not_found(ref: Ref, project_title: str) -> Message:
    """Say that nothing seems to have begun."""
    return _said(
        f"CircleCI shows no pipeline for {literal(str(ref))} of {literal(project_title)}, so it seems that my request "
        f"never took effect. Nothing is running for you. To try again: /ci deploy {literal(project_title)} "
        f"{literal(str(ref))}"
    )


def someone_was_first(user_id: str, what: str) -> Message:
    """Say who did it already."""
    return _said(f"{mention(user_id) or 'I'} was first: {literal(what, 200)} is already under way.")


def already_running(build: Build, user_id: str) -> Message:
    """Say that there is nothing to rerun while it runs."""
    who = f"{mention(user_id)} was first. " if user_id else ""
    state = MARKS[build.state].lower()
    return _said(f"{who}#{build.pipeline.number} runs again already ({state}). The thread has the news.")


def nothing_to_cancel(build: Build) -> Message:
    """Say how it ended."""
    state = MARKS[build.state]
    return _said(f"There is nothing to cancel: #{build.pipeline.number} has ended. {state}.")


def nothing_to_rerun(build: Build) -> Message:
    """Say why no workflow can run again."""
    return _said(
        f"#{build.pipeline.number} has no workflow that can run again. A new deploy starts a new pipeline: "
        "/ci deploy <project> <branch>".replace("<", "&lt;").replace(">", "&gt;")
    )


def no_job_to_open(build: Build) -> Message:
    """Say that SSH needs a failed job."""
    return _said(f"No job of #{build.pipeline.number} failed, so there is none to open by SSH. Nothing was done.")


def rerun_too_old() -> Message:
    """Say that CircleCI reruns nothing that is older than 90 days."""
    return _said("CircleCI reruns nothing older than 90 days. A new deploy starts a new pipeline.")


def choose_definition(project_title: str, definitions: Sequence[Definition], invocation_id: str) -> Message:
    """Ask which pipeline definition to run."""
    text = f"{literal(project_title)} has {count(len(definitions), 'pipeline definition')}. Which one should I run?"
    buttons = [
        button(ChooseDefinition(invocation_id=invocation_id, definition_id=one.id), one.name or one.id)
        for one in definitions[:MOST_CHOICES]
    ]
    return assemble(text, section(text), actions(*buttons))


def unknown_button() -> Message:
    """Say that a button is from another time."""
    return _said("I do not know this button any more: it is from an older version of me. /ci help shows what I can do.")


def log_gone() -> Message:
    """Say that a log was there and is not any more."""
    return _said("CircleCI does not keep this log any more.")


def log(report: Report) -> Message:
    """Show the tail of each failing step."""
    blocks = []
    for job in report.jobs:
        if job.step is not None and job.step.lines:
            blocks.append(section(f"{literal(job.job.name, 100)} · {code(job.step.name, 120)}"))
            blocks.append(section(code_block(job.step.lines, 2600)))
        if job.problems:
            blocks.append(section(clean(f"{job.job.name}: {'; '.join(job.problems)}.", 1000)))
    if not blocks:
        return _said("CircleCI keeps no log of a failing step for this pipeline.")
    return assemble("Here is the end of the failing steps' logs.", *blocks)


def all_tests(report: Report) -> Message:
    """Show as many failing tests as fit into a message."""
    tests = failed_tests(report)
    if not tests:
        return _said("CircleCI has no failing tests for this pipeline.")
    text = f"{count(report.tests_failed, 'failing test')}."
    return assemble(text, section(text), section(failing(tests, 40, total=report.tests_failed)))


def all_artifacts(report: Report) -> Message:
    """List the artifacts, large folders as one line each."""
    artifacts = [*report.artifacts, *(artifact for job in report.jobs for artifact in job.artifacts)]
    if not artifacts:
        problem = f" ({clean(report.artifacts_problem)})" if report.artifacts_problem else ""
        return _said(f"This pipeline has no artifacts that I can see{problem}.")
    lines = [f"• {artifact_words(group)}" for group in group_artifacts(artifacts)]
    return assemble(f"{count(len(artifacts), 'artifact')}.", section(fit(lines, 2900)))
