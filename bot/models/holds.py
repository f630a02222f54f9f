"""How long a build waited for people: the times in which an approval was open and nothing else ran. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.models.circleci import Job, Workflow


class Span(NamedTuple):
    """From one moment to another."""

    start: datetime
    end: datetime


def waited(workflow: Workflow, jobs: Sequence[Job], until: datetime) -> Iterator[Span]:
    """Yield the times in which each approval of a workflow was open; one that still is, `until` then."""
    for job in jobs:
        since = open_since(job, workflow, jobs)
        if since is not None:
            yield Span(since, job.stopped_at or workflow.stopped_at or until)


def open_since(job: Job, workflow: Workflow, jobs: Sequence[Job]) -> datetime | None:
    """Return since when an approval could be given; None for what is none, or was not reached.

    CircleCI says an approval began with its workflow: what counts is the end of what it needs, which may have ended in
    the attempt before.
    """
    reached = job.waits_for_approval or job.stopped_at is not None
    if job.type != "approval" or not reached:
        return None
    ends = [one.stopped_at for one in jobs if one.id in job.dependencies]
    return max((workflow.created_at, *(end for end in ends if end is not None)))


def ran(jobs: Sequence[Job], until: datetime) -> Iterator[Span]:
    """Yield the times in which jobs ran."""
    for job in jobs:
        if job.type != "approval" and job.started_at is not None:
            yield Span(job.started_at, job.stopped_at or until)


def without(spans: Iterable[Span], others: Iterable[Span], within: Span) -> timedelta:
    """Return how long, `within` a time, one of the `spans` went on and none of the `others`."""
    steps = sorted([*_steps(spans, within, is_other=False), *_steps(others, within, is_other=True)])
    alone, before, open_ones = timedelta(0), within.start, {False: 0, True: 0}
    for moment, is_other, more in steps:
        if open_ones[False] and not open_ones[True]:
            alone += moment - before
        before = moment
        open_ones[is_other] += more
    return alone


def _steps(spans: Iterable[Span], within: Span, *, is_other: bool) -> Iterator[tuple[datetime, bool, int]]:
    """Yield when each span begins and ends, cut to the time that is looked at."""
    for span in spans:
        start, end = max(span.start, within.start), min(span.end, within.end)
        if start < end:
            yield start, is_other, 1
            yield end, is_other, -1
