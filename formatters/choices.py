"""Answers that offer what can be done: a button for each build that runs, for each job that waits."""

from bot.actions import CancelJob
from bot.answers.builds import Cancellable, CancellableJob, OnHold
from bot.errors import NothingToDo
from bot.models.circleci import TERMINAL_JOB_STATUSES
from formatters.blocks import Message, actions, assemble, button, confirm, literal, section
from formatters.lookalikes import careful_plainly
from formatters.nothing import nothing
from formatters.root import OPEN_STATES, approve_button, cancel_button
from formatters.words import MARKS, count, ref_words, status

MOST_BUTTONS = 12  # each asks before it acts, and more of them do not fit into a message


def _said(text: str) -> Message:
    return assemble(text, section(text))


def cancellable(answer: Cancellable) -> Message:
    """Offer to cancel what runs."""
    title = answer.title
    running = [build for build in answer.builds if build.state in OPEN_STATES]
    if not running:
        newest = answer.builds[0]
        state = MARKS[newest.state]
        return _said(f"Nothing of {literal(title)} runs there. The newest is #{newest.pipeline.number}: {state}.")
    text = f"{count(len(running), 'build')} of {literal(title)} {'is' if len(running) == 1 else 'are'} not finished."
    lines = [
        f"{MARKS[build.state]} · #{build.pipeline.number} · {ref_words(build.pipeline.ref, build)}"
        for build in running[:MOST_BUTTONS]
    ]
    if len(running) > MOST_BUTTONS:
        lines.append(f"and {len(running) - MOST_BUTTONS} more: `cancel` with a branch or a number finds one.")
    shown = [build.pipeline for build in running[:MOST_BUTTONS]]
    buttons = [cancel_button(one.id, one.number, title, one.ref) for one in shown]
    return assemble(text, section("\n".join([text, *lines])), actions(*buttons))


def cancellable_job(answer: CancellableJob) -> Message:
    """Offer to cancel one job."""
    job = answer.job
    if job.status in TERMINAL_JOB_STATUSES:
        return _said(nothing(NothingToDo("job_has_ended", what=job.name, number=job.number, state=job.status)))
    text = f"{literal(job.name)} ({job.number}): {status(job.status)}."
    label = f"Cancel {job.name} ({job.number})"
    sure = confirm(
        "Cancel this job?",
        f"{job.name} ({job.number}) is cancelled; what waits for it does not run.",
        "Cancel it",
        "Keep it",
        note=careful_plainly(job.name),
    )
    offer = button(
        CancelJob(project_slug=answer.project_slug, job_number=job.number), label, style="danger", confirm=sure
    )
    return assemble(text, section(text), actions(offer))


def on_hold(answer: OnHold) -> Message:
    """Offer each job that waits."""
    title, build = answer.title, answer.build
    holds = [(job, run.workflow) for run in build.runs for job in run.holds]
    number = build.pipeline.number
    if not holds:
        return _said(f"Nothing of {literal(title)} #{number} waits for an approval. {MARKS[build.state]}.")
    text = f"{count(len(holds), 'job')} of {literal(title)} #{number} {'waits' if len(holds) == 1 else 'wait'}."
    shown = holds[:MOST_BUTTONS]
    lines = [f"⏸️ {literal(job.name, 100, name=True)} ({literal(workflow.name, 80)})" for job, workflow in shown]
    if len(holds) > MOST_BUTTONS:
        lines.append(f"and {len(holds) - MOST_BUTTONS} more, which stand here once some are approved: ask again.")
    buttons = [approve_button(job, workflow, build.pipeline.id) for job, workflow in shown]
    return assemble(text, section("\n".join([text, *lines])), actions(*buttons))
