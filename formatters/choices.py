"""Answers that offer what can be done: a button for each build that runs, for each job that waits."""

from collections.abc import Sequence

from bot.actions import CancelJob
from bot.models.build import Build
from bot.models.circleci import TERMINAL_JOB_STATUSES, JobDetails, Pipeline
from formatters.blocks import Message, actions, assemble, button, confirm, literal, section
from formatters.root import OPEN_STATES, approve_button, cancel_button
from formatters.words import MARKS, count, ref_words, status

MOST_BUTTONS = 5


def _said(text: str) -> Message:
    return assemble(text, section(text))


def cancel(title: str, builds: Sequence[Build]) -> Message:
    """Offer to cancel what runs."""
    running = [build for build in builds if build.state in OPEN_STATES]
    if not running:
        newest = builds[0]
        state = MARKS[newest.state]
        return _said(f"Nothing of {literal(title)} runs there. The newest is #{newest.pipeline.number}: {state}.")
    text = f"{count(len(running), 'build')} of {literal(title)} {'is' if len(running) == 1 else 'are'} not finished."
    lines = [
        f"{MARKS[build.state]} · #{build.pipeline.number} · {ref_words(build.pipeline.ref, build)}"
        for build in running[:MOST_BUTTONS]
    ]
    buttons = [cancel_button(build.pipeline.id, build.pipeline.number, title) for build in running[:MOST_BUTTONS]]
    return assemble(text, section("\n".join([text, *lines])), actions(*buttons))


def cancel_job(slug: str, job: JobDetails) -> Message:
    """Offer to cancel one job."""
    if job.status in TERMINAL_JOB_STATUSES:
        return job_has_ended(job)
    text = f"{literal(job.name)} ({job.number}): {status(job.status)}."
    label = f"Cancel {job.name} ({job.number})"
    sure = confirm(
        "Cancel this job?",
        f"{job.name} ({job.number}) is cancelled; what waits for it does not run.",
        "Cancel it",
        "Keep it",
    )
    offer = button(CancelJob(project_slug=slug, job_number=job.number), label, style="danger", confirm=sure)
    return assemble(text, section(text), actions(offer))


def job_has_ended(job: JobDetails) -> Message:
    """Say how it ended."""
    return _said(f"There is nothing to cancel: {literal(job.name)} ({job.number}) has ended. {status(job.status)}.")


def job_cancelled(job: JobDetails) -> Message:
    """Say that CircleCI has taken it."""
    return _said(f"CircleCI has accepted to cancel {literal(job.name)} ({job.number}).")


def approve(title: str, build: Build) -> Message:
    """Offer each job that waits."""
    holds = [(job, run.workflow) for run in build.runs for job in run.holds]
    number = build.pipeline.number
    if not holds:
        return _said(f"Nothing of {literal(title)} #{number} waits for an approval. {MARKS[build.state]}.")
    text = f"{count(len(holds), 'job')} of {literal(title)} #{number} {'waits' if len(holds) == 1 else 'wait'}."
    lines = [f"⏸️ {literal(job.name)} ({literal(workflow.name)})" for job, workflow in holds[:MOST_BUTTONS]]
    buttons = [approve_button(job, workflow, build.pipeline.id) for job, workflow in holds[:MOST_BUTTONS]]
    return assemble(text, section("\n".join([text, *lines])), actions(*buttons))


def followed_already(pipeline: Pipeline) -> Message:
    """Say that this place follows it."""
    return _said(f"#{pipeline.number} is followed here already.")


def no_longer_followed(pipeline: Pipeline) -> Message:
    """Say that this place hears no more of it."""
    return _said(f"#{pipeline.number} is no longer followed here. It goes on at CircleCI.")


def not_followed(pipeline: Pipeline) -> Message:
    """Say that this place does not follow it."""
    return _said(f"#{pipeline.number} is not followed here.")
