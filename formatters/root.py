"""The one message per deploy that is edited in place: what happened, to what, what to press."""

from collections.abc import Iterator

from bot.actions import ApproveJob, CancelPipeline, RerunAll, RerunFailed, ShowArtifacts
from bot.models import spelling
from bot.models.build import Build, Run, State
from bot.models.circleci import Job, Pipeline, Ref, Workflow
from bot.models.slack import Watch
from formatters.again import run_button
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    code_block,
    confirm,
    context,
    date,
    fit,
    link,
    link_button,
    literal,
    mention,
    section,
)
from formatters.links import Links
from formatters.lookalikes import careful_plainly
from formatters.words import MARKS, count, duration, listed, ref_words, so_far, status

MOST_HOLDS = 5
OPEN_STATES = frozenset({State.WAITING, State.RUNNING, State.ON_HOLD, State.UNKNOWN})


def root(build: Build | None, watch: Watch, links: Links, *, note: str = "", final: bool = False) -> Message:
    """Return the root message; without a `build`, CircleCI has only just taken the trigger."""
    state = build.state if build else State.WAITING
    if final and state in OPEN_STATES:
        state = State.COULD_NOT_RUN  # no workflow ran
    return assemble(
        _sentence(build, watch, state),
        section(_heading(build, watch, state)),
        context(_details(build, watch, state)),
        _another_commit(build, watch),
        _workflows(build, watch, links),
        _errors(build),
        section(note) if note else None,
        _superseded(build, links),
        actions(*_buttons(build, watch, links, state)),
    )


def unfollowed(build: Build | None, watch: Watch, links: Links) -> Message:
    """Return the root message of a build that is not followed here any more: nothing in it changes, or can be pressed.

    `build` is as it was seen last.
    """
    state = build.state if build else State.WAITING
    what = f"{clean(watch.project_title)} {ref_words(watch.ref, build)}"
    heading = f"*⏹️ Not followed here any more* · {literal(watch.project_title)} · {ref_words(watch.ref, build)}"
    seen = f"{MARKS[state].partition(' ')[2].lower()}, when I last looked" if build else ""
    return assemble(
        f"{what}: pipeline #{watch.pipeline_number} is not followed here any more.",
        section(heading),
        context(" · ".join(part for part in (*_people(watch), seen, f"#{watch.pipeline_number}") if part)),
        section(f"Nothing is told here of what goes on at CircleCI. To follow it again, type {again(watch)}."),
        actions(link_button(links.pipeline(watch.project_slug, watch.pipeline_number), "Open in CircleCI")),
    )


def again(watch: Watch) -> str:
    """Return what to type to follow a build again."""
    return code(f"/ci watch {watch.project_slug} #{watch.pipeline_number}")


def is_another(pipeline: Pipeline, agreed_revision: str) -> bool:
    """Say whether a pipeline surely builds another commit than the one that was agreed to."""
    return bool(agreed_revision and pipeline.revision) and pipeline.revision != agreed_revision


def another_commit(pipeline: Pipeline, agreed_revision: str) -> str:
    """Say which commit was agreed to, and which is built."""
    built, agreed = code(pipeline.revision[:7]), code(agreed_revision[:7])
    return f"What is built is {built}, not the {agreed} that was agreed to: somebody pushed at that moment."


def no_workflow() -> str:
    """Say that the pipeline was made and nothing in it ran."""
    return (
        "CircleCI took the pipeline, but no workflow matched this branch or tag. "
        "Look at the filters and `when` conditions in the project's configuration."
    )


def _sentence(build: Build | None, watch: Watch, state: State) -> str:
    what = f"{clean(watch.project_title)} {ref_words(watch.ref, build)}"
    if build is None or not build.runs:
        word = MARKS[state].partition(" ")[2].lower()
        return f"{what}: pipeline #{watch.pipeline_number} is {word}." if state is State.WAITING else f"{what} {word}."
    done, total = _jobs_done(build)
    if state is State.RUNNING:
        red = ", and some have failed" if build.is_red else ""
        return f"{what} is running: {done} of {count(total, 'job')} done{red}."
    return f"{what} is {_STATE_SENTENCES[state]}."


_STATE_SENTENCES = {
    State.WAITING: "waiting for its turn",
    State.ON_HOLD: "on hold and waits for an approval",
    State.UNKNOWN: "in a state CircleCI has newly invented",
    State.PASSED: "done: it passed",
    State.FAILED: "done: it failed",
    State.CANCELED: "cancelled",
    State.SUPERSEDED: "superseded by a newer pipeline",
    State.COULD_NOT_RUN: "stopped: it could not run",
}


def _heading(build: Build | None, watch: Watch, state: State) -> str:
    red = ", red so far" if build and build.is_red and state in OPEN_STATES else ""
    return f"*{MARKS[state]}{red}* · {literal(watch.project_title)} · {ref_words(watch.ref, build)}"


def _details(build: Build | None, watch: Watch, state: State) -> str:
    parts = list(_people(watch))
    if build is not None:
        commit = f"{code(build.pipeline.revision[:7])} {literal(build.pipeline.subject, 120)}".strip()
        parts = [*([commit] if commit else []), *parts, f"started {date(build.started_at)}"]
        if build.stopped_at:
            parts.append(duration(build.elapsed))
        elif state in OPEN_STATES:
            parts.append(f"{so_far(build.elapsed)} so far")
    return " · ".join([*parts, f"#{watch.pipeline_number}"])


def _another_commit(build: Build | None, watch: Watch) -> Block | None:
    """Say that another commit is built than the one that a second person agreed to."""
    if build is None or not is_another(build.pipeline, watch.agreed_revision):
        return None
    return section(f"⚠️ {another_commit(build.pipeline, watch.agreed_revision)}")


def _people(watch: Watch) -> Iterator[str]:
    """Yield who asked the bot for it, or began it elsewhere and has it watched here; and who acted on it last."""
    if watch.asker_id:
        yield f"asked by {literal(watch.asker_name, 60) or mention(watch.asker_id)}"
    elif watch.started_by:
        yield f"{'pushed' if watch.was_pushed else 'started'} by {literal(watch.started_by, 60)}"
    if watch.watcher_id and watch.watcher_id != watch.asker_id:
        yield f"watched by {literal(watch.watcher_name, 60) or mention(watch.watcher_id)}"
    if watch.acted and watch.actor_name:
        yield f"{watch.acted} by {literal(watch.actor_name, 60)}"


def _workflows(build: Build | None, watch: Watch, links: Links) -> Block | None:
    if build is None or not build.runs:
        return None
    lines = [_workflow_line(run, watch, links) for run in build.runs]
    return section(fit(lines, 2500, "and {} more workflows"))


def _workflow_line(run: Run, watch: Watch, links: Links) -> str:
    workflow = run.workflow
    name = link(links.job(watch.project_slug, watch.pipeline_number, workflow.id, None), workflow.name, 80)
    attempt = f" (attempt {run.attempt})" if run.attempt > 1 else ""
    return f"{status(workflow.status)} · {name}{attempt}{_progress(run)}"


def _progress(run: Run) -> str:
    workflow, total = run.workflow, len(run.jobs)
    if workflow.is_finished:
        took = duration(workflow.stopped_at - workflow.created_at) if workflow.stopped_at else ""
        failed = f" · {listed([job.name for job in run.failed_jobs])}" if run.failed_jobs else ""
        return (f" in {took}" if took else "") + failed
    done = sum(job.is_finished for job in run.jobs)
    parts = [f" · {done} of {count(total, 'job')} done"] if total else []
    for words, jobs in (("failed", run.failed_jobs), ("now", run.running_jobs), ("waits for approval", run.holds)):
        parts += [f" · {words}: {listed([job.name for job in jobs])}"] if jobs else []
    return "".join(parts)


def _jobs_done(build: Build) -> tuple[int, int]:
    jobs = [job for run in build.runs for job in run.jobs]
    return sum(job.is_finished for job in jobs), len(jobs)


def _errors(build: Build | None) -> Block | None:
    """Show what CircleCI says about a pipeline that has no workflows."""
    if build is None or not build.pipeline.errors:
        return None
    lines = [line for error in build.pipeline.errors for line in f"{error.type}: {error.message}".splitlines()]
    return section("CircleCI could not start it:\n" + code_block(lines[:20]))


def _superseded(build: Build | None, links: Links) -> Block | None:
    if build is None or build.state is not State.SUPERSEDED or build.superseded_by is None:
        return None
    url = links.pipeline(build.pipeline.project_slug, build.superseded_by)
    return section(f"A newer pipeline on this branch took its place: {link(url, f'#{build.superseded_by}')}.")


def _buttons(build: Build | None, watch: Watch, links: Links, state: State) -> Iterator[Block]:
    """Yield what can be pressed now, the most likely first."""
    if build is not None and state in OPEN_STATES:
        yield from (approve_button(job, run.workflow, watch.pipeline_id) for job, run in _holds(build)[:MOST_HOLDS])
    if state in OPEN_STATES:
        yield cancel_button(watch.pipeline_id, watch.pipeline_number, watch.project_title, watch.ref)
    elif build is not None:
        yield from outcome_buttons(build, watch, state)
    yield link_button(links.pipeline(watch.project_slug, watch.pipeline_number), "Open in CircleCI")


def _holds(build: Build) -> list[tuple[Job, Run]]:
    return [(job, run) for run in build.runs for job in run.holds]


def outcome_buttons(build: Build, watch: Watch, state: State, *, rerun_is_main: bool = False) -> Iterator[Block]:
    """Yield what to press after the end: nothing is to be repaired in what passed."""
    if state is State.PASSED:
        yield button(ShowArtifacts(pipeline_id=watch.pipeline_id), "Artifacts")
    elif not build.runs or all(run.workflow.is_setup for run in build.runs):
        again = spelling.deploy(watch.project_slug, watch.ref, watch.parameters)
        if found := run_button(again, f"Deploy {watch.ref} again" if watch.ref else "Deploy again"):
            yield found
    elif state is not State.SUPERSEDED:
        pipeline_id = watch.pipeline_id
        if state is State.FAILED:
            style = "primary" if rerun_is_main else None
            yield button(RerunFailed(pipeline_id=pipeline_id), "Rerun failed", style=style, confirm=_sure(watch))
        if not any(run.workflow.status == "unauthorized" for run in build.real_runs):
            yield button(RerunAll(pipeline_id=pipeline_id), "Rerun all", confirm=_sure(watch, everything=True))


def _sure(watch: Watch, *, everything: bool = False) -> Block:
    what = "All jobs" if everything else "The failed jobs and those behind them"
    title = "Rerun all" if everything else "Rerun failed"
    text, note = f"{what} of #{watch.pipeline_number} run again.", careful_plainly(str(watch.ref or ""))
    return confirm(f"{title}?", text, title, "Not now", note=note)


def cancel_button(pipeline_id: str, number: int, project_title: str, ref: Ref | None) -> Block:
    """Return *Cancel #2417*, which asks first."""
    label = f"Cancel #{number}"
    text = f"Every unfinished workflow of {project_title} #{number} is cancelled."
    note = careful_plainly(project_title, str(ref or ""))
    sure = confirm(f"{label}?", text, label, "Keep it running", note=note)
    return button(CancelPipeline(pipeline_id=pipeline_id), label, style="danger", confirm=sure)


def approve_button(job: Job, workflow: Workflow, pipeline_id: str) -> Block:
    """Return *Approve hold-prod*, which asks first."""
    action = ApproveJob(
        pipeline_id=pipeline_id,
        workflow_id=workflow.id,
        approval_request_id=job.approval_request_id or job.id,
        job_name=job.name[:100],
    )
    text = f"{job.name} in {workflow.name} goes on, with what waits behind it."
    sure = confirm("Approve?", text, "Approve", "Not now", note=careful_plainly(job.name, workflow.name))
    return button(action, f"Approve {job.name}", style="primary", confirm=sure)
