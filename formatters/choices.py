"""Answers that offer what can be done: a button for each build that runs, for each job that waits."""

from collections.abc import Callable, Sequence

from bot.actions import CancelJob, RunCommand
from bot.answers.builds import BuildMeant, Cancellable, CancellableJob, OnHold
from bot.errors import NothingToDo
from bot.models import spelling
from bot.models.circleci import TERMINAL_JOB_STATUSES
from formatters.blocks import Message, actions, assemble, button, clean, code, confirm, literal, section
from formatters.lookalikes import careful, careful_plainly
from formatters.nothing import nothing
from formatters.root import OPEN_STATES, approve_button, cancel_button
from formatters.words import MARKS, count, ref_words, status

MOST_BUTTONS = 12  # each asks before it acts, and more of them do not fit into a message
MOST_PARAMETERS = 6
LONGEST_DIALOG = 299


def _said(text: str) -> Message:
    return assemble(text, section(text))


def build_meant(answer: BuildMeant) -> Message:
    """Ask whether a branch or a tag is meant, as it stands now; its button has a dialog that names all of it."""
    ref = str(answer.ref)
    given = [spelling.parameter(*one) for one in answer.parameters.items()]
    asked = f"Deploy {literal(answer.title)} {code(ref, 200)}{_with([code(one, 100) for one in given])}?"
    text = f"{_built(answer, code(ref, 200), code)} Nothing is started yet. {asked}"
    with_all = f", with {', '.join(given)}" if given else ""
    whole = f"{answer.title} {ref} is deployed as it stands now{with_all}. {_built(answer, ref, str)}"
    note = careful_plainly(ref)
    sure = confirm(f"Deploy {ref}?", whole, "Deploy it", "Not now", note=note)
    press = RunCommand(text=answer.typed)
    is_shown = len(clean(whole, 1000)) + len(note) < LONGEST_DIALOG  # what a dialog cuts off nobody agrees to
    offer = actions(button(press, f"Deploy {ref}", confirm=sure)) if press.fits and is_shown else None
    line = "" if offer else f" Write the same line with {code(ref, 200)} for what you named."
    careful_with = careful(ref)
    return assemble(text, section(f"{text}{line} {careful_with}".rstrip()), offer)


def _with(parameters: Sequence[str]) -> str:
    more = f" and {len(parameters) - MOST_PARAMETERS} more" if len(parameters) > MOST_PARAMETERS else ""
    return f", with {', '.join(parameters[:MOST_PARAMETERS])}{more}" if parameters else ""


def _built(answer: BuildMeant, ref: str, commit: Callable[[str], str]) -> str:
    """Return what is known of what was named: which build, of which commit, and what was built of it since."""
    if not answer.number:
        return f"You named no branch, and the default one is {ref}."
    at = f" at {commit(answer.revision[:7])}" if answer.revision else ""
    told = f"#{answer.number} built {ref}{at}."
    if answer.newest_number <= answer.number or answer.newest_revision == answer.revision:
        return told
    return f"{told} Since then #{answer.newest_number} built it at {commit(answer.newest_revision[:7])}."


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
