"""Short answers to the one who asked or pressed."""

from bot.answers.builds import Evidence
from bot.models.build import Report
from bot.models.circleci import Ref
from formatters.blocks import Message, assemble, clean, code, code_block, fit, literal, section
from formatters.report import artifact_words, failed_tests, failing, group_artifacts
from formatters.words import count


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


def evidence(answer: Evidence) -> Message:
    """Show the part of a build's evidence that was asked for."""
    return {"log": _log, "tests": _all_tests, "artifacts": _all_artifacts}[answer.shown](answer.report)


def _log(report: Report) -> Message:
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


def _all_tests(report: Report) -> Message:
    """Show as many failing tests as fit into a message."""
    tests = failed_tests(report)
    if not tests:
        return _said("CircleCI has no failing tests for this pipeline.")
    text = f"{count(report.tests_failed, 'failing test')}."
    return assemble(text, section(text), section(failing(tests, 40, total=report.tests_failed)))


def _all_artifacts(report: Report) -> Message:
    """List the artifacts, large folders as one line each."""
    artifacts = [*report.artifacts, *(artifact for job in report.jobs for artifact in job.artifacts)]
    if not artifacts:
        problem = f" ({clean(report.artifacts_problem)})" if report.artifacts_problem else ""
        return _said(f"This pipeline has no artifacts that I can see{problem}.")
    lines = [f"• {artifact_words(group)}" for group in group_artifacts(artifacts)]
    return assemble(f"{count(len(artifacts), 'artifact')}.", section(fit(lines, 2900)))
