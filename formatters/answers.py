"""Short answers to the one who asked or pressed."""

from bot.answers.builds import Evidence
from bot.models.build import Report
from bot.models.circleci import Ref
from formatters.again import asks_again
from formatters.blocks import Block, Message, assemble, clean, code, code_block, context, literal, paragraphs, section
from formatters.report import artifact_words, failed_tests, failure_line, group_artifacts, tests_words
from formatters.words import count, listed


def _said(text: str) -> Message:
    return assemble(text, section(text))


def default_branch_chosen(ref: Ref) -> str:
    """Say which branch was taken when none was named."""
    return f"You named no branch, so I took the default branch {code(ref.name)}."


def pull_request_read(number: int, ref: Ref) -> str:
    """Say which branch a pull request was taken for."""
    return f"Pull request {number} is {code(ref.name)}, as its builds tell."


def lost_answer(ref: Ref, project_title: str) -> Message:
    """Say that the trigger's answer was lost and is being looked for."""
    return _said(
        f"I asked CircleCI to start {literal(str(ref))} of {literal(project_title)}, but its answer did not arrive. "
        "I am looking whether it began; I will not start a second one."
    )


def lost_answer_not_found(ref: Ref, project_title: str, again: str) -> Message:
    """Say that nothing seems to have begun."""
    return _said(
        f"CircleCI shows no pipeline for {literal(str(ref))} of {literal(project_title)} that came of my request: it "
        f"seems that it never took effect. {asks_again(again)}"
    )


def lost_answer_unknown(ref: Ref, project_title: str, *, goes_on: bool) -> Message:
    """Say that nobody can tell whether something began, as CircleCI answers no look either."""
    what = f"{literal(str(ref))} of {literal(project_title)}"
    then = (
        "I go on looking: if it began, I follow it, and I will not start a second one."
        if goes_on
        else "I have looked for a day, and look no more."
    )
    return _said(
        f"I asked CircleCI to start {what}, and its answer was lost. It answers no look either, so I cannot tell "
        f"whether it began. {then} Look at CircleCI before you ask again."
    )


def lost_answer_unclear(ref: Ref, project_title: str, again: str) -> Message:
    """Say that nobody can tell whether something began, as another deploy of the same was sent at that moment."""
    return _said(
        f"CircleCI shows a pipeline for {literal(str(ref))} of {literal(project_title)}, but it may be that of another "
        "deploy which was sent at the same moment: I cannot tell whether my request took effect. Look at CircleCI "
        f"before you ask again. {asks_again(again)}"
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
    left_out = _left_out(report, "logs")
    if not blocks:
        return _nothing("CircleCI keeps no log of a failing step", left_out)
    return assemble("Here is the end of the failing steps' logs.", *blocks, left_out)


def _all_tests(report: Report) -> Message:
    """Show as many failing tests as fit into a message."""
    tests, left_out = failed_tests(report), _left_out(report, "tests")
    if not tests:
        return _nothing("CircleCI has no failing tests", left_out)
    text = f"{tests_words(report)} failed." if not report.more_tests else f"Failed: {tests_words(report)}."
    shown, taken = paragraphs([failure_line(test) for test in tests])
    rest = report.tests_failed - taken
    note = f"and {rest} more: CircleCI's page of the job has them all." if rest else ""
    return assemble(text, section(text), *shown, context(note) if note else None, left_out)


def _nothing(text: str, left_out: Block | None) -> Message:
    text += " for the jobs that I looked into." if left_out else " for this pipeline."
    return assemble(text, section(text), left_out)


def _left_out(report: Report, command: str) -> Block | None:
    """Name the failed jobs that nobody looked into, and the command that looks into one."""
    if not report.jobs_left_out:
        return None
    names = listed([job.name for job in report.jobs_left_out])
    more = count(len(report.jobs_left_out), "more failed job")
    return context(
        f"{more}, not looked into: {names}. `/ci {command} &lt;project&gt; &lt;job number&gt;` looks into one."
    )


def _all_artifacts(report: Report) -> Message:
    """List the artifacts, large folders as one line each."""
    artifacts = [*report.artifacts, *(artifact for job in report.jobs for artifact in job.artifacts)]
    if not artifacts:
        problem = f" ({clean(report.artifacts_problem)})" if report.artifacts_problem else ""
        return _said(f"This pipeline has no artifacts that I can see{problem}.")
    shown, taken = paragraphs([f"• {artifact_words(group)}" for group in group_artifacts(artifacts)])
    more = report.more_artifacts or any(job.more_artifacts for job in report.jobs)
    text = f"{'The first ' if more else ''}{count(len(artifacts), 'artifact')}{', there are more' if more else ''}."
    rest = len(group_artifacts(artifacts)) - taken
    note = f"and {rest} more: `/ci artifacts &lt;project&gt; #&lt;number&gt; &lt;words&gt;` finds one." if rest else ""
    problem = f"About the artifacts: {report.artifacts_problem}." if report.artifacts_problem else ""
    notes = [context(clean(one, 600) if one is problem else one) for one in (note, problem) if one]
    return assemble(text, section(text), *shown, *notes)
