"""Builds that were asked about: the newest of a branch on a line each, or one in full."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.answers.builds import BuildShown, NewestBuilds
from bot.models.build import Build, Run
from bot.models.circleci import Job
from formatters.blocks import Message, assemble, clean, code, context, date, fit, link, literal, section
from formatters.links import Links
from formatters.words import MARKS, count, duration, listed, ref_words, so_far, status

MOST_JOBS = 40


def newest(answer: NewestBuilds, links: Links) -> Message:
    """Return the newest builds, each with its outcome, newest first."""
    first = answer.builds[0]
    ref = ref_words(first.pipeline.ref, first)
    text = f"{clean(answer.title)} {ref}: the newest is #{first.pipeline.number}, {_word(first)}."
    return assemble(
        text,
        section(f"*{literal(answer.title)}* · {ref} · newest first"),
        section(fit([_line(build, links) for build in answer.builds], 2900)),
        context("One in full: `status <project> #<number>`".replace("<", "&lt;").replace(">", "&gt;")),
    )


def _word(build: Build) -> str:
    return MARKS[build.state].partition(" ")[2].lower()


def _line(build: Build, links: Links) -> str:
    pipeline = build.pipeline
    number = link(links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
    commit = f"{code(pipeline.revision[:7])} {literal(pipeline.subject, 80)}".strip()
    took = duration(build.elapsed) if build.stopped_at else f"{so_far(build.elapsed)} so far"
    red = [run.workflow.name for run in build.real_runs if run.workflow.status in ("failed", "failing", "error")]
    parts = [MARKS[build.state], number, *([commit] if commit else []), date(pipeline.created_at)]
    if build.runs:
        parts.append(took)
    return " · ".join([*parts, *([listed(red)] if red else [])])


def one(answer: BuildShown, links: Links) -> Message:
    """Return one build in full: workflows, jobs, how long each ran and waited."""
    title, build, pipeline = answer.title, answer.build, answer.build.pipeline
    number = link(links.pipeline(pipeline.project_slug, pipeline.number), f"#{pipeline.number}")
    ref = ref_words(pipeline.ref, build)
    took = duration(build.elapsed) if build.stopped_at else f"{so_far(build.elapsed)} so far"
    commit = f"{code(pipeline.revision[:7])} {literal(pipeline.subject, 120)}".strip()
    details = " · ".join([*([commit] if commit else []), f"started {date(build.started_at)}", took])
    lines = [line for run in build.runs for line in _run_lines(run, build, links)]
    return assemble(
        f"{clean(title)} {ref} #{pipeline.number}: {_word(build)}.",
        section(f"*{MARKS[build.state]}* · {literal(title)} · {ref} · {number}"),
        context(details),
        section(fit(lines, 2900)) if lines else None,
        *(section(literal(f"{error.type}: {error.message}", 1000)) for error in pipeline.errors[:3]),
    )


def _run_lines(run: Run, build: Build, links: Links) -> Iterator[str]:
    workflow, pipeline = run.workflow, build.pipeline
    attempt = f" (attempt {run.attempt})" if run.attempt > 1 else ""
    took = f" in {duration(workflow.stopped_at - workflow.created_at)}" if workflow.stopped_at else ""
    url = links.job(pipeline.project_slug, pipeline.number, workflow.id, None)
    yield f"{status(workflow.status)} · *{link(url, workflow.name, 80)}*{attempt}{took}"
    shown = run.jobs[:MOST_JOBS]
    for job in shown:
        url = links.job(pipeline.project_slug, pipeline.number, workflow.id, job.job_number)
        yield f"      {status(job.status)} · {link(url, job.name, 80)}{_number(job)}{_times(job, run, build.read_at)}"
    if len(run.jobs) > MOST_JOBS:
        yield f"      and {count(len(run.jobs) - MOST_JOBS, 'more job')}"


def _number(job: Job) -> str:
    return f" ({job.job_number})" if job.job_number is not None else ""


def _times(job: Job, run: Run, now: datetime) -> str:
    """Return how long a job ran, and how long it waited for a machine where that is worth saying."""
    if job.started_at is None or job.type == "approval":
        return ""
    ran = duration((job.stopped_at or now) - job.started_at)
    waited = queue_time(job, run)
    return f" · {ran}" + (f" · waited {duration(waited)}" if waited >= timedelta(seconds=10) else "")


def queue_time(job: Job, run: Run) -> timedelta:
    """Return how long a started job waited after all that it needs had ended; never negative."""
    if job.started_at is None:
        return timedelta(0)
    ends = [one.stopped_at for one in run.jobs if one.id in job.dependencies and one.stopped_at is not None]
    ready = max(ends, default=run.workflow.created_at)
    return max(job.started_at - ready, timedelta(0))
