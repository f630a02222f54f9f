"""Answers that offer what can be done: a button for each build that runs, for each job that waits."""

from collections.abc import Callable, Sequence

from bot.actions import CancelJob, RerunAll, RerunFailed, RunCommand
from bot.answers.builds import BuildMeant, Cancellable, CancellableJob, FollowedHere, NothingFailed, OldBuild, OnHold
from bot.errors import NothingToDo
from bot.models import spelling
from bot.models.build import OPEN_STATES, Build, State
from bot.models.circleci import TERMINAL_JOB_STATUSES, Pipeline, Ref
from formatters.again import act_button, command
from formatters.blocks import Block, Message, actions, assemble, button, code, fit, literal, moment, section
from formatters.buttons import (
    approve_button,
    cancel_button,
    newer_build,
    rerun_all_button,
    rerun_failed_button,
    short,
    that_fit,
)
from formatters.dialogs import asks, asks_of_build
from formatters.lookalikes import careful
from formatters.nothing import nothing
from formatters.words import MARKS, count, ref_words, status

MOST_PARAMETERS = 6
ONE_PAGE = 20  # of CircleCI's list of pipelines: there may be more behind it


def _said(text: str) -> Message:
    return assemble(text, section(text))


def build_meant(answer: BuildMeant) -> Message:
    """Ask whether a branch or a tag is meant, as it stands now; its button has a dialog that names all of it."""
    ref = str(answer.ref)
    given = [f"{spelling.DEFINITION}{answer.definition}"] if answer.definition else []
    given += [spelling.parameter(*one) for one in answer.parameters.items()]
    asked = f"Deploy {literal(answer.title)} {code(ref, 200)}{_with([code(one, 100) for one in given])}?"
    text = f"{_built(answer, code(ref, 200), code)} Nothing is started yet. {asked}"
    with_all = f", with {', '.join(given)}" if given else ""
    whole = f"{answer.title} {ref} is deployed as it stands now{with_all}. {_built(answer, ref, str)}"
    sure = asks(f"Deploy {ref}?", whole, "Deploy it", "Not now", ref, *given)
    press = RunCommand(text=answer.typed)
    offer = actions(button(press, f"Deploy {ref}", confirm=sure)) if answer.typed and press.fits and sure else None
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
    told = f"#{answer.number} built {ref}{at}. A deploy takes what {ref} is now."
    if answer.newest_number <= answer.number or answer.newest_revision == answer.revision:
        return told
    return f"{told} Since then #{answer.newest_number} built it at {commit(answer.newest_revision[:7])}."


def cancellable(answer: Cancellable) -> Message:
    """Offer to cancel what runs."""
    title, newest = literal(answer.title), answer.builds[0]
    running = [build for build in answer.builds if build.can_be_cancelled]
    soon = [one for one in answer.builds if one not in running and one.state in OPEN_STATES and not one.never_began]
    if not running and soon:
        not_yet = [NothingToDo("nothing_to_cancel_yet", number=one.pipeline.number) for one in soon]
        text = " ".join(nothing(one) for one in not_yet)
        return assemble(text, section(text), actions(*that_fit(_cancel_button(one, answer) for one in soon)))
    if not running and answer.is_named:
        newer = newer_build(answer.newer_number)
        ended = f"{title} #{newest.pipeline.number} has ended. {MARKS[newest.state]}."
        return _said(f"There is nothing to cancel: {ended}{newer}")
    if not running:
        looked = _looked_at(len(answer.builds), answer.ref, answer.commit)
        return _said(f"In {looked} of {title} nothing runs. The newest: {_line(newest)}.")
    text = f"{count(len(running), 'build')} of {title} {'is' if len(running) == 1 else 'are'} not finished."
    text += newer_build(answer.newer_number)
    buttons = that_fit(_cancel_button(build, answer) for build in running)
    lines = [_line(build) for build in running[: len(buttons)]]
    lines += [f"{_line(build)}: no workflow runs yet that could be cancelled. Ask again." for build in soon]
    looked = _looked_at(len(answer.builds), answer.ref, answer.commit)
    go_on = len(answer.builds) >= ONE_PAGE and answer.builds[-1] in running
    older = " Older ones may run too: name one by its number." if go_on else ""
    where = [] if answer.is_named or len(answer.builds) == 1 else [f"I looked at {looked}.{older}"]
    rest = [*_rest(len(running) - len(buttons)), *where]
    return assemble(
        text, section("\n".join([fit([text, *lines], 2800, "and {} more lines"), *rest])), actions(*buttons)
    )


def _cancel_button(build: Build, answer: Cancellable) -> Block:
    pipeline, newer = build.pipeline, answer.newer_number
    title, ref = answer.title, pipeline.ref
    return cancel_button(pipeline.id, pipeline.number, title, ref, reruns=build.reruns, newer=newer)


def _line(build: Build) -> str:
    return f"{MARKS[build.state]} · #{build.pipeline.number} · {ref_words(build.pipeline.ref, build)}"


def _looked_at(number: int, ref: Ref | None, commit: str = "") -> str:
    """Return where nothing was found; what is older was not looked at."""
    builds = "newest build" if number == 1 else f"{number} newest builds"
    of = ref_words(ref) if ref else f"the commit {code(commit)}" if commit else "all branches"
    return f"the {builds} of {of}"


def _rest(number: int) -> list[str]:
    """Return how what does not fit is reached."""
    return [f"and {number} more: ask again when these are done."] if number > 0 else []


def cancellable_job(answer: CancellableJob) -> Message:
    """Offer to cancel one job."""
    job = answer.job
    if job.status in TERMINAL_JOB_STATUSES:
        return _said(nothing(NothingToDo("job_has_ended", what=job.name, number=job.number, state=job.status)))
    number = f" #{answer.pipeline.number}" if answer.pipeline else ""
    ref = answer.pipeline.ref if answer.pipeline else None
    where = f"{literal(answer.title)}{f' {code(str(ref))}' if ref else ''}{number}"
    text = f"{literal(job.name)} ({job.number}) of {where}: {status(job.status)}."
    label = f"Cancel {job.name} ({job.number})"
    plainly = f"{short(answer.title, 60)}{f' {short(str(ref), 60)}' if ref else ''}{number}"
    sure = asks_of_build(
        "Cancel this job?",
        f"{short(job.name, 60)} ({job.number}) of {plainly} is cancelled; what waits for it does not run.",
        "Cancel it",
        "Keep it",
        *(job.name, answer.title, str(ref or "")),
    )
    offer = button(
        CancelJob(project_slug=answer.project_slug, job_number=job.number), label, style="danger", confirm=sure
    )
    return assemble(text, section(text), actions(offer))


def on_hold(answer: OnHold) -> Message:
    """Offer each job that waits, the newest build's first."""
    title, number, newer = literal(answer.title), answer.build.pipeline.number, answer.newer_number
    holds = [
        (job, run, build)
        for build in answer.waiting
        for run in build.runs
        for job in run.holds
        if answer.workflow_id in ("", run.workflow.id)
    ]
    if not holds and not answer.looked_at:
        one = answer.build.only(answer.workflow_id) if answer.workflow_id else answer.build
        of = f"{literal(one.runs[0].workflow.name)} of " if answer.workflow_id and one.runs else ""
        text = f"Nothing of {of}{title} #{number} waits for an approval. {MARKS[one.state]}."
        return _said(f"{text}{newer_build(newer)}")
    if not holds:
        looked = _looked_at(answer.looked_at, answer.ref, answer.commit)
        return _said(f"In {looked} of {title} nothing waits for an approval. The newest: {_line(answer.build)}.")
    several = len(answer.waiting) > 1
    of = f"{count(len(answer.waiting), 'build')}" if several else f"#{answer.waiting[0].pipeline.number}"
    text = f"{count(len(holds), 'job')} of {title} {'waits' if len(holds) == 1 else 'wait'}, in {of}."
    text += newer_build(newer)
    buttons = that_fit(
        approve_button(job, run, build, answer.title, number=several, newer=newer) for job, run, build in holds
    )
    shown = holds[: len(buttons)]
    lines = [
        f"⏸️ {literal(job.name, 100, name=True)} ({literal(run.workflow.name)}) · {_which(build)}"
        for job, run, build in shown
    ]
    rest = _rest(len(holds) - len(shown))
    if answer.looked_at >= ONE_PAGE:
        looked = _looked_at(answer.looked_at, answer.ref, answer.commit)
        rest.append(f"I looked at {looked}. Older ones may wait too: name one by its number.")
    return assemble(
        text, section("\n".join([fit([text, *lines], 2800, "and {} more lines"), *rest])), actions(*buttons)
    )


def _which(build: Build) -> str:
    pipeline, since = build.pipeline, build.on_hold_since
    commit = f" · {code(pipeline.revision[:7])} {literal(pipeline.subject, 80)}".rstrip() if pipeline.revision else ""
    return f"#{pipeline.number} · {ref_words(pipeline.ref, build)}{commit}" + (
        f" · since {moment(since)}" if since else ""
    )


def followed_here(answer: FollowedHere) -> Message:
    """Ask which of several builds is not to be followed here any more."""
    title, builds = literal(answer.title), answer.pipelines
    if not builds:
        looked = _looked_at(answer.looked_at, answer.ref)
        return _said(f"No build of {title} is followed here: I looked at {looked}.")
    text = f"{len(builds)} builds of {title} are followed here for you. Which one shall I follow no more?"
    made = [offer for one in builds if (offer := _unfollow(one, answer.title))]
    lines = [f"#{one.number} · {ref_words(one.ref)} · {command(_unwatch(one))}" for one in builds]
    return assemble(text, section(fit([text, *lines], 2800, "and {} more builds")), actions(*that_fit(made)))


def _unfollow(pipeline: Pipeline, title: str) -> Block | None:
    about = f"{short(title, 80)} {short(str(pipeline.ref or ''), 80)} #{pipeline.number} is not followed here any more"
    return act_button(_unwatch(pipeline), f"Unwatch #{pipeline.number}", about)


def _unwatch(pipeline: Pipeline) -> str:
    return f"unwatch {pipeline.project_slug} #{pipeline.number}"


def nothing_failed(answer: NothingFailed) -> Message:
    """Say that there is nothing to repair, and offer to run all of it again."""
    pipeline = answer.build.pipeline
    build = f"{literal(answer.title)} {ref_words(pipeline.ref, answer.build)} #{pipeline.number}"
    text = f"{build} {'passed' if answer.build.state is State.PASSED else 'was cancelled'}; nothing failed."
    text += newer_build(answer.newer_number)
    press = RerunAll(pipeline_id=pipeline.id, attempt=answer.build.mark, newer=answer.newer_number)
    offer = rerun_all_button(answer.build, answer.title, press)
    return assemble(text, section(text), actions(offer))


def old_build(answer: OldBuild) -> Message:
    """Ask whether an old build is meant, though there is a newer one; the dialog of the button names both."""
    done = "is approved" if answer.act == "approve" else "runs again"
    text = f"Nothing {done} yet. There is a newer build: {_line(answer.newer)}. This is an older one: "
    text += f"{_line(answer.build)}."
    offer = _go_on(answer)
    return assemble(text, section(text), actions(offer) if offer else None)


def _go_on(answer: OldBuild) -> Block | None:
    build, title, newer = answer.build, answer.title, answer.newer.pipeline.number
    if answer.act == "rerun_failed":
        same = {"attempt": answer.attempt, "ssh": answer.ssh, "workflows": answer.workflows}
        how = RerunFailed(pipeline_id=build.pipeline.id, newer=newer, **same)
        return rerun_failed_button(build, title, how, label=f"Rerun failed of #{build.pipeline.number}")
    if answer.act == "rerun_all":
        all_of_it = RerunAll(pipeline_id=build.pipeline.id, attempt=answer.attempt, newer=newer)
        return rerun_all_button(build, title, all_of_it, label=f"Rerun all of #{build.pipeline.number}")
    waiting = ((job, run) for run in build.runs for job in run.holds)
    held = [(job, run) for job, run in waiting if answer.approval_request_id in (job.approval_request_id, job.id)]
    return next((approve_button(job, run, build, title, number=True, newer=newer) for job, run in held), None)
