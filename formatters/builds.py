"""Builds that were asked about: the newest of a branch on a line each, or one in full."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.actions import RunCommand
from bot.answers.builds import BuildShown, NewestBuilds
from bot.models.build import Build, Run, State
from bot.models.circleci import FAILED_JOB_STATUSES, RUNNING_JOB_STATUSES, Job
from formatters.blocks import (
    Block,
    Message,
    actions,
    assemble,
    button,
    clean,
    code,
    context,
    fit,
    link,
    literal,
    moment,
    paragraphs,
    section,
)
from formatters.buttons import newer_build
from formatters.links import Links
from formatters.words import MARKS, count, duration, how_long, listed, ref_words, status

FEW = 15  # jobs of a workflow, which are seen at a glance in their own order
LEAST_WAIT = timedelta(seconds=10)
MOST_PARAGRAPHS = 3
# In which order jobs are listed: what failed, what goes on, what waits; the rest as CircleCI has it.
_FIRST = (FAILED_JOB_STATUSES, RUNNING_JOB_STATUSES, frozenset({"on_hold"}))


def newest(answer: NewestBuilds, links: Links) -> Message:
    """Return the newest builds, each with its outcome, newest first."""
    first = answer.builds[0]
    refs = [ref_words(build.pipeline.ref, build) for build in answer.builds]
    is_of_one = len(set(refs)) == 1  # what several branches built, or a tag as well, is one commit
    commit = first.pipeline.revision[:7]
    ref, of = (refs[0], refs[0]) if is_of_one else (f"commit {commit}", f"commit {code(commit)}")
    lines = [_line(build, links, "" if is_of_one else ref) for build, ref in zip(answer.builds, refs, strict=True)]
    text = f"{clean(answer.title)} {ref}: the newest is #{first.pipeline.number}, {_word(first)}."
    return assemble(
        text,
        section(f"*{literal(answer.title)}* · {of} · newest first"),
        section(fit(lines, 2900)),
        context(f"One in full: {code(f'/ci status {first.pipeline.project_slug} #{first.pipeline.number}')}"),
    )


def _word(build: Build) -> str:
    return MARKS[build.state].partition(" ")[2].lower()


def _line(build: Build, links: Links, ref: str) -> str:
    pipeline = build.pipeline
    number = link(links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
    commit = f"{code(pipeline.revision[:7])} {literal(pipeline.subject, 80)}".strip()
    red = [run.workflow.name for run in build.real_runs if run.workflow.status in ("failed", "failing", "error")]
    parts = [one for one in (MARKS[build.state], number, ref, commit, moment(pipeline.created_at)) if one]
    if build.runs:
        parts.append(how_long(build))
    return " · ".join([*parts, *([listed(red)] if red else [])])


def one(answer: BuildShown, links: Links) -> Message:
    """Return one build in full: workflows, jobs, how long each ran and waited."""
    title, build, pipeline = answer.title, answer.build, answer.build.pipeline
    number = link(links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
    ref = ref_words(pipeline.ref, build)
    commit = f"{code(pipeline.revision[:7])} {literal(pipeline.subject, 120)}".strip()
    lasts = [how_long(build)] if not build.never_began else []
    details = " · ".join([*([commit] if commit else []), f"started {moment(build.started_at)}", *lasts])
    shown, left_out = _runs(build, links)
    return assemble(
        f"{_word(build).capitalize()}: {clean(title)} {ref} #{pipeline.number}.",
        section(f"*{MARKS[build.state]}* · {literal(title)} · {ref} · {number}"),
        context(details),
        *shown,
        context(left_out) if left_out else None,
        *(section(literal(f"{error.type}: {error.message}", 1000)) for error in pipeline.errors[:3]),
        context(f"and {count(len(pipeline.errors) - 3, 'more error')}") if len(pipeline.errors) > 3 else None,
        context(f"{next_step}{newer_build(answer.newer_number)}") if (next_step := _next(build)) else None,
        _waits(build) if build.state is State.ON_HOLD else None,
    )


def _waits(build: Build) -> Block | None:
    """Return the button that shows what can be approved, for whoever presses it."""
    press = RunCommand(text=_approve(build))
    return actions(button(press, f"Show what waits: #{build.pipeline.number}")) if press.fits else None


def _approve(build: Build) -> str:
    return f"approve {build.pipeline.project_slug} #{build.pipeline.number}"


def _next(build: Build) -> str:
    """Return what is asked next of a build that waits for somebody, or failed."""
    named = f"{build.pipeline.project_slug} #{build.pipeline.number}"
    if build.state is State.ON_HOLD:
        return f"{code(f'/ci {_approve(build)}')} shows what waits, with the buttons."
    if build.state is State.FAILED:
        return f"{code(f'/ci triage {named}')} says why, {code(f'/ci rerun {named}')} runs the failed jobs again."
    return ""


def _runs(build: Build, links: Links) -> tuple[list[Block], str]:
    """Return the workflows with their jobs, and what is said of the jobs that do not fit."""
    lines = [(line, job) for run in build.runs for line, job in _run_lines(run, build, links)]
    shown, taken = paragraphs([line for line, _ in lines], MOST_PARAGRAPHS)
    jobs = [job for _, job in lines[taken:] if job is not None]
    if not jobs:
        return shown, ""
    ends = ", ".join(f"{number} {status(name)}" for name, number in Counter(job.status for job in jobs).items())
    return shown, f"and {count(len(jobs), 'more job')} ({ends}): the workflow's page has them all."


def _run_lines(run: Run, build: Build, links: Links) -> Iterator[tuple[str, Job | None]]:
    """Yield the line of a workflow and of each of its jobs, those first that somebody looks for."""
    workflow, pipeline = run.workflow, build.pipeline
    attempt = f" (attempt {run.attempt})" if run.attempt > 1 else ""
    took = f" in {duration(workflow.stopped_at - workflow.created_at)}" if workflow.stopped_at else ""
    url = links.job(pipeline.project_slug, pipeline.number, workflow.id, None)
    yield f"{status(workflow.status)} · *{link(url, workflow.name, 80)}*{attempt}{took}", None
    for job in sorted(run.jobs, key=_place) if len(run.jobs) > FEW else run.jobs:
        url = links.job(pipeline.project_slug, pipeline.number, workflow.id, job.job_number)
        name = f"{link(url, job.name, 80)}{_number(job)}"
        yield f"      {status(job.status)} · {name}{_times(job, run, build.read_at)}", job


def _place(job: Job) -> int:
    return next((place for place, statuses in enumerate(_FIRST) if job.status in statuses), len(_FIRST))


def _number(job: Job) -> str:
    return f" ({job.job_number})" if job.job_number is not None else ""


def _times(job: Job, run: Run, now: datetime) -> str:
    """Return how long a job ran, and how long it waited for a machine where that is worth saying."""
    if job.started_at is None or job.type == "approval":
        return ""
    ran = duration((job.stopped_at or now) - job.started_at)
    waited = queue_time(job, run)
    return f" · {ran}" + (f" · waited {duration(waited)}" if waited >= LEAST_WAIT else "")


def queue_time(job: Job, run: Run) -> timedelta:
    """Return how long a started job waited after all that it needs had ended; never negative."""
    if job.started_at is None:
        return timedelta(0)
    ends = [one.stopped_at for one in run.jobs if one.id in job.dependencies and one.stopped_at is not None]
    ready = max((*ends, run.workflow.created_at))  # what it needs may have ended in the attempt before
    return max(job.started_at - ready, timedelta(0))
