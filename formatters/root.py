"""The one message per deploy that is edited in place: what happened, to what, what to press."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.masks import masked
from bot.models import spelling
from bot.models.build import OPEN_STATES, Build, Run, State
from bot.models.circleci import Job, Pipeline
from bot.models.slack import CANCELLED, Closing, Watch
from formatters.again import MENTION, SLASH, as_spoken
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    clean,
    code,
    context,
    fit,
    link,
    link_button,
    literal,
    mention,
    moment,
    section,
)
from formatters.buttons import approve_button, cancel_button, outcome_buttons
from formatters.links import Links
from formatters.lookalikes import careful, exactly
from formatters.words import FINISHING, MARKS, count, duration, how_long, listed, ref_words, so_far, status

MOST_HOLDS = 5
MOST_NAMED = 4


def root(build: Build | None, watch: Watch, links: Links, *, note: str = "", final: bool = False) -> Message:
    """Return the root message; without a `build`, CircleCI has only just taken the trigger."""
    stand = _stand(build, watch, final=final)
    return assemble(
        _sentence(build, watch, stand),
        section(_heading(build, watch, links, stand)),
        context(_details(build, watch, links, stand)),
        _care(watch),
        _another_commit(build, watch),
        _workflows(build, watch, links),
        section(note) if note else None,
        actions(*_buttons(build, watch, links, stand)),
    )


def shown_of(build: Build | None) -> tuple[object, ...]:
    """Return what of a build its root shows: where this is the same, for the same thread, so is the root.

    Of the time that goes by it shows the minutes, and what state comes of it.
    """
    if build is None:
        return ()
    return (build.pipeline, build.runs, build.superseded_by, build.state, so_far(build.elapsed))


class _Stand(NamedTuple):
    """How a build stands: its `state`; if nothing runs and more may come by itself; and what is told of its end."""

    state: State
    is_finishing: bool = False
    closing: Closing | None = None

    @property
    def is_open(self) -> bool:
        return self.is_finishing or self.state in OPEN_STATES

    @property
    def mark(self) -> str:
        return FINISHING if self.is_finishing else MARKS[self.state]

    @property
    def word(self) -> str:
        return self.mark.partition(" ")[2].lower()


def _stand(build: Build | None, watch: Watch, *, final: bool) -> _Stand:
    if build is None:
        return _Stand(State.WAITING)
    if not final:
        if build.only_setup and build.workflows_finished and build.state is State.WAITING:
            return _Stand(State.RUNNING)  # what it has set up is about to begin
        return _Stand(build.state, is_finishing=build.state not in OPEN_STATES)
    told = watch.closing
    return _Stand(build.outcome, closing=told if told and told.fingerprint == build.fingerprint else None)


def unfollowed(build: Build | None, watch: Watch, links: Links, by: str = "") -> Message:
    """Return the root message of a build that is not followed here any more: nothing in it changes, or can be pressed.

    `build` is as it was seen last; `by` names who had it followed no more, if anybody did.
    """
    state = build.state if build else State.WAITING
    what = f"{clean(watch.project_title)} {ref_words(watch.ref, build)}"
    heading = f"*⏹️ Not followed here any more* · {literal(watch.project_title)} · {ref_words(watch.ref, build)}"
    seen = f"{MARKS[state].partition(' ')[2].lower()}, when I last looked" if build else ""
    details = [*(_code(build.pipeline, links) if build else ()), *_people(watch, state), *_given(watch), seen]
    asked = f", as {clean(by, 60)} asked" if by else ""
    stopped = f"{literal(by, 60)} had me stop following it. " if by else ""
    message = assemble(
        f"{what}: pipeline #{watch.pipeline_number} is not followed here any more{asked}.",
        section(heading),
        context(" · ".join(part for part in (*details, f"#{watch.pipeline_number}") if part)),
        section(f"{stopped}Nothing is told here of what goes on at CircleCI. To follow it again, type {again(watch)}."),
        actions(link_button(links.pipeline(watch.project_slug, watch.pipeline_number), "Open in CircleCI")),
    )
    return as_spoken(message, MENTION if watch.thread.thread_ts else SLASH)


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


def _sentence(build: Build | None, watch: Watch, stand: _Stand) -> str:
    what = f"{clean(watch.project_title)} {ref_words(watch.ref, build)}"
    if build is None or not build.runs:
        return f"{what}{f': pipeline #{watch.pipeline_number} is' if stand.is_open else ''} {stand.word}."
    done, total = _jobs_done(build)
    if stand.is_finishing:
        return f"{what} is finishing, {_so_far(build, stand)} so far."
    if stand.state is State.RUNNING:
        red = ", and some have failed" if build.is_red else ""
        return f"{what} is running: {done} of {count(total, 'job')} done{red}."
    if stand.is_open:
        return f"{what} is {_STATE_SENTENCES[stand.state]}."
    verdict = f" ({stand.closing.verdict})" if stand.closing and stand.closing.verdict else ""
    return f"{stand.word.capitalize()}: {what}{verdict}."


_STATE_SENTENCES = {
    State.WAITING: "waiting for its turn",
    State.ON_HOLD: "on hold and waits for an approval",
    State.UNKNOWN: "in a state that is new to me",
}


def _heading(build: Build | None, watch: Watch, links: Links, stand: _Stand) -> str:
    so_far = f", {_so_far(build, stand)} so far" if build and _has_news(build, stand) else ""
    parts = [f"*{stand.mark}{so_far}*", literal(watch.project_title), ref_words(watch.ref, build)]
    if stand.closing and stand.closing.verdict:
        parts.append(stand.closing.verdict)
    if build is not None and stand.state is State.SUPERSEDED and build.superseded_by is not None:
        parts.append(f"by {link(links.pipeline(watch.project_slug, build.superseded_by), f'#{build.superseded_by}')}")
    return " · ".join(parts)


def _has_news(build: Build, stand: _Stand) -> bool:
    return stand.is_finishing or (build.is_red and stand.is_open)


def _so_far(build: Build, stand: _Stand) -> str:
    return "red" if build.is_red else _SO_FAR[stand.state]


_SO_FAR = {
    State.PASSED: "green",
    State.FAILED: "red",
    State.CANCELED: "cancelled",
    State.SUPERSEDED: "superseded",
    State.COULD_NOT_RUN: "could not run",
}


def _details(build: Build | None, watch: Watch, links: Links, stand: _Stand) -> str:
    parts = [*_people(watch, stand.state), *_given(watch)]
    if build is not None:
        parts = [*_code(build.pipeline, links), *parts]
        if stand.is_open or not build.stopped_at:
            parts.append(f"started {moment(build.started_at)}")
        if build.runs and (build.stopped_at or stand.is_open):
            parts.append(how_long(build))
    return " · ".join([*parts, f"#{watch.pipeline_number}"])


def _code(pipeline: Pipeline, links: Links) -> Iterator[str]:
    """Yield the commit, which leads to its page, with its subject, and the pull request, as far as CircleCI tells."""
    sha, url = pipeline.revision[:7], links.commit(pipeline)
    commit = link(url, sha) if url else code(sha)
    if commit or pipeline.subject:
        yield f"{commit} {literal(pipeline.subject, 120)}".strip()
    if pipeline.review:
        yield link(links.review(pipeline), f"PR {pipeline.review}", 60)


def _another_commit(build: Build | None, watch: Watch) -> Block | None:
    """Say that another commit is built than the one that a second person agreed to."""
    if build is None or not is_another(build.pipeline, watch.agreed_revision):
        return None
    return section(f"⚠️ {another_commit(build.pipeline, watch.agreed_revision)}")


def _care(watch: Watch) -> Block | None:
    """Say that what it was given looks like something else: nobody was asked before it was sent."""
    given = (str(one) for pair in watch.parameters.items() for one in pair)
    note = careful(*map(masked, (watch.definition, *given)))
    return section(f"⚠️ {note}") if note else None


def _given(watch: Watch) -> Iterator[str]:
    """Yield what it was asked for with: a deploy to one place looks like a deploy to another else."""
    if watch.definition:
        yield f"definition {code(exactly(masked(watch.definition)), 80)}"
    given = [code(exactly(masked(spelling.parameter(*one))), 80) for one in watch.parameters.items()]
    if given:
        yield f"with {', '.join(given[:MOST_NAMED])}" + (
            f" and {len(given) - MOST_NAMED} more" * (len(given) > MOST_NAMED)
        )


def _people(watch: Watch, state: State) -> Iterator[str]:
    """Yield who asked the bot for it, or began it elsewhere and has it watched here; and who acted on it last."""
    if watch.asker_id and watch.agent:
        agreed = f"; {literal(watch.agreed_name, 60)} agreed" if watch.agreed_name else ""
        whose = "" if watch.own else f", for {_asker(watch)}"
        yield f"🤖 {literal(watch.agent, 40)} asked{whose}{agreed}"
    elif watch.asker_id:
        yield f"asked by {_asker(watch)}"
    elif watch.started_by:
        yield f"{'pushed' if watch.was_pushed else 'started'} by {literal(watch.started_by, 60)}"
    if watch.watcher_id and watch.watcher_id != watch.asker_id:
        yield f"watched by {literal(watch.watcher_name, 60) or mention(watch.watcher_id)}"
    if watch.acted == CANCELLED and state is not State.CANCELED:
        acted = "cancel asked for" if state in OPEN_STATES else ""  # it may have been over before that was taken
    else:
        acted = watch.acted
    if acted and watch.actor_name:
        yield f"{acted} by {literal(watch.actor_name, 100)}"


def _asker(watch: Watch) -> str:
    return literal(watch.asker_name, 60) or mention(watch.asker_id)


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
        failed = f" · {_named(run.failed_jobs)}" if run.failed_jobs else ""
        return (f" in {took}" if took else "") + failed
    done = sum(job.is_finished for job in run.jobs)
    parts = [f" · {done} of {count(total, 'job')} done"] if total else []
    begun = [job for job in run.running_jobs if job.status == "running"]
    queued = [job for job in run.running_jobs if job.status != "running"]
    states = (("failed", run.failed_jobs), ("now", begun), ("queued", queued), ("waits for approval", run.holds))
    for words, jobs in states:
        parts += [f" · {words}: {_named(jobs)}"] if jobs else []
    return "".join(parts)


def _named(jobs: Sequence[Job]) -> str:
    """Return a few jobs by name; of many the first, and how many there are."""
    names = [job.name for job in jobs]
    return listed(names) if len(names) <= MOST_NAMED else f"{len(names)} jobs: {listed(names, 1)}"


def _jobs_done(build: Build) -> tuple[int, int]:
    jobs = [job for run in build.runs for job in run.jobs]
    return sum(job.is_finished for job in jobs), len(jobs)


def _buttons(build: Build | None, watch: Watch, links: Links, stand: _Stand) -> Iterator[Block]:
    """Yield what can be pressed now, the most likely first; what is finishing can be neither stopped nor repaired."""
    if build is not None and stand.is_open:
        held = [(job, run) for run in build.runs for job in run.holds]
        yield from (approve_button(job, run, build, watch.project_title) for job, run in held[:MOST_HOLDS])
    if build is not None and stand.is_open and build.can_be_cancelled:
        number, title, reruns = watch.pipeline_number, watch.project_title, build.reruns
        yield cancel_button(watch.pipeline_id, number, title, watch.ref, reruns=reruns)
    if build is not None and not stand.is_open:
        yield from outcome_buttons(build, watch, stand.state)
    yield link_button(links.pipeline(watch.project_slug, watch.pipeline_number), "Open in CircleCI")
