"""When to look at a build again, and when its end is the end. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple, Protocol

from bot.models.build import READING_STATES, Build, State
from bot.models.slack import Watch

TOLD_STATUSES = frozenset({"success", "failed"})
YOUNG = timedelta(minutes=2)
SHARE = 12  # a look after each twelfth of its age: how late the end is seen is a matter of how long it took
SLOWEST = 6  # poll intervals: half a minute at the default of five seconds
LONGEST_BACKOFF = 60  # poll intervals
LATE = 12  # poll intervals: who waits so long for a turn is told that news will be late
QUIET, LONGEST_QUIET = timedelta(hours=1), 120  # each hour without an event lengthens the pause, to so many intervals
TOLD = 12  # poll intervals: a build whose ends are told by webhook may begin something or come to a hold meanwhile
MISSED, UNSURE = 6, 1  # poll intervals until a webhook is missed, and how exact its time is
NOTHING_YET = timedelta(0)
HEAD_START = 60  # poll intervals: so much later may somebody come, and still be before who has a lesser claim


class Waits(Protocol):
    """The waiting times of the settings."""

    @property
    def poll_interval(self) -> timedelta: ...  # noqa: D102
    @property
    def grace(self) -> timedelta: ...  # noqa: D102
    @property
    def settle(self) -> timedelta: ...  # noqa: D102
    @property
    def automatic_rerun(self) -> timedelta: ...  # noqa: D102
    @property
    def on_hold(self) -> timedelta: ...  # noqa: D102


class Claim(IntEnum):
    """What lets a look go before others that are due: its thread has nothing, there is news, or it is about to end."""

    NONE, FINAL, NEWS, NO_ROOT = range(4)


def rank(claim: Claim, since: datetime, waits: Waits) -> float:
    """Return the place in line of a look that waits since then: the lower, the earlier.

    A claim is a head start, and no more: who waits long enough is before everybody who comes then.
    """
    return since.timestamp() - claim * HEAD_START * waits.poll_interval.total_seconds()


class Ending(NamedTuple):
    """Whether the build is over for good; if not, `wait` is what is left of the settle checks, None while it runs."""

    is_final: bool
    wait: timedelta | None = None


def next_delay(
    build: Build | None, failures: int, waits: Waits, *, is_young: bool = False, is_told: bool = False
) -> timedelta:
    """Return the pause before the next look: short for a young build, long on hold, longer at each failure.

    What waits for somebody for hours is looked at ever more rarely, so that it costs those nothing that run.
    One that somebody acted on just now `is_young` again, whatever it waited for. Where `is_told` by webhook what ends,
    a look is for the rest: what begins, a hold, an error of its configuration.
    """
    if failures:
        return waits.poll_interval * min(1 << min(failures, 10), LONGEST_BACKOFF)
    if build is None or is_young:
        return waits.poll_interval
    pause = min(max(waits.poll_interval, build.elapsed / SHARE), waits.poll_interval * SLOWEST)
    if is_told and build.runs and not build.only_setup:
        pause = waits.poll_interval * TOLD
    if build.state is State.RUNNING:
        return pause
    pause = waits.on_hold if build.state is State.ON_HOLD else pause
    return min(pause * (1 + build.quiet // QUIET), max(pause, waits.poll_interval * LONGEST_QUIET))


def is_missed(build: Build, last_told: datetime, waits: Waits) -> bool:
    """Say whether something of the build ended a while ago of which no webhook has told, nor of anything since."""
    long_ago = build.read_at - waits.poll_interval * MISSED
    ended = [end for end in _ends(build) if end < long_ago]
    return bool(ended) and max(ended) > last_told + waits.poll_interval * UNSURE


def _ends(build: Build) -> Iterator[datetime]:
    """Yield the ends of which CircleCI surely sends a webhook."""
    for run in build.runs:
        workflow, jobs = run.workflow, [job for job in run.jobs if job.type != "approval"]
        ends = [(workflow.status, workflow.stopped_at), *((job.status, job.stopped_at) for job in jobs)]
        yield from (stop for status, stop in ends if stop is not None and status in TOLD_STATUSES)


def is_forgotten(build: Build, watch: Watch, keep: timedelta, now: datetime) -> bool:
    """Say whether nothing has happened for as long as things are kept, nor has somebody asked to follow it since."""
    return build.quiet > keep and now - watch.asked_at > keep


def ending(build: Build, finished_since: datetime | None, waits: Waits) -> Ending:
    """Decide whether an outcome can still change by itself.

    `finished_since` is when this attempt was first seen finished; the waiting times are measured on CircleCI's clock.
    """
    if build.is_refused and all(run.attempt == 1 for run in build.runs):
        return Ending(is_final=True)  # of a setup workflow that ran again the error may be that of the time before
    if not build.runs:
        return _no_workflow(build, waits)
    if not build.workflows_finished or finished_since is None:
        return Ending(is_final=False)
    left = _settling(build, waits) - (build.read_at - finished_since)
    return Ending(is_final=left <= NOTHING_YET, wait=max(left, NOTHING_YET))


def is_over(build: Build, waits: Waits) -> bool:
    """Say whether a build that is looked at for the first time is over for good, by when its last workflow ended."""
    return ending(build, build.stopped_at, waits).is_final


def _no_workflow(build: Build, waits: Waits) -> Ending:
    if build.pipeline.state in READING_STATES:
        return Ending(is_final=False)  # CircleCI still reads the configuration
    left = waits.grace - (build.read_at - build.pipeline.created_at)
    return Ending(is_final=left <= NOTHING_YET, wait=max(left, NOTHING_YET))


def _settling(build: Build, waits: Waits) -> timedelta:
    """Return how long a finished build must stay so: between two jobs, nothing may be running for a moment.

    honeycombio/buildevents#27
    """
    if any(run.workflow.may_rerun_itself for run in build.runs):
        return max(waits.automatic_rerun, waits.settle)
    if build.only_setup and all(run.workflow.status == "success" for run in build.runs):
        return max(waits.grace, waits.settle)  # the real workflows are about to be created
    return waits.settle
