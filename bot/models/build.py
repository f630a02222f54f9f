"""A pipeline seen whole at one instant, what changed since the last look, and the evidence of a failure."""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from bot.models import holds
from bot.models.circleci import (
    ACTIVE_WORKFLOW_STATUSES,
    RED_WORKFLOW_STATUSES,
    RUNNING_JOB_STATUSES,
    TERMINAL_WORKFLOW_STATUSES,
    Artifact,
    Job,
    Pipeline,
    TestResult,
    Workflow,
)
from bot.models.fields import Model

# How long the real workflows may keep one waiting once a setup workflow has passed.
CONTINUES_WITHIN = timedelta(minutes=2)


class State(StrEnum):
    """A build's outcome so far, the worst of its workflows."""

    WAITING = "waiting"  # nothing started yet
    RUNNING = "running"
    ON_HOLD = "on_hold"
    UNKNOWN = "unknown"  # a status nobody has heard of: keep watching
    PASSED = "passed"
    FAILED = "failed"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"  # cancelled by a newer pipeline on the same branch
    COULD_NOT_RUN = "could_not_run"  # config error, unauthorized, no workflow, nothing but a setup workflow


# Of a pipeline: CircleCI reads its configuration, and workflows may come of it however long that takes.
READING_STATES = frozenset({"pending", "setup-pending"})
OPEN_STATES = frozenset({State.WAITING, State.RUNNING, State.ON_HOLD, State.UNKNOWN})


class Run(Model):
    """A workflow with its jobs, the newest run of its name; `jobs_unread` says that they could not be read."""

    workflow: Workflow
    jobs: tuple[Job, ...] = ()
    attempt: int = 1
    jobs_unread: bool = False

    @property
    def failed_jobs(self) -> tuple[Job, ...]:
        """The jobs that ended badly."""
        return tuple(job for job in self.jobs if job.is_failed)

    @property
    def running_jobs(self) -> tuple[Job, ...]:
        """The jobs that are going on now."""
        return tuple(job for job in self.jobs if job.status in RUNNING_JOB_STATUSES)

    @property
    def holds(self) -> tuple[Job, ...]:
        """The jobs that wait for somebody's approval."""
        return tuple(job for job in self.jobs if job.waits_for_approval)


class Build(Model):
    """One pipeline seen whole at one instant: the newest run of each workflow, with its jobs.

    `read_at` is CircleCI's own clock (its Date header), so that ages need not trust ours.
    `listed_at` is when its workflows were listed, on that clock; None where that is to be done anew.
    `superseded_by` is the number of the newer pipeline whose start cancelled this one. `part_of` is the mark of all of
    it, where it is looked at by some of its workflows alone: that is not what is known of the pipeline.
    """

    pipeline: Pipeline
    runs: tuple[Run, ...] = ()
    read_at: datetime
    listed_at: datetime | None = None
    superseded_by: int | None = None
    superseded_by_id: str | None = None
    part_of: str = ""

    @property
    def real_runs(self) -> tuple[Run, ...]:
        """The runs that decide the outcome: all but setup, unless setup is all there is."""
        real = tuple(run for run in self.runs if not run.workflow.is_setup)
        return real or self.runs

    def called(self, job: Job, run: Run) -> str:
        """Return what a job of a run is called: with its workflow where another one has a job of the same name."""
        others = (one for other in self.runs if other.workflow.name != run.workflow.name for one in other.jobs)
        is_alone = all(one.name != job.name for one in others)
        return job.name if is_alone else f"{job.name} in {run.workflow.name}"

    def only(self, workflow_id: str) -> Self:
        """Return it with one of its workflows alone, the one of this id."""
        return self.model_copy(update={"runs": tuple(run for run in self.runs if run.workflow.id == workflow_id)})

    def part(self, workflows: Collection[str]) -> Self:
        """Return it with the workflows of these names alone, or with all of them where none is named."""
        runs = tuple(run for run in self.runs if run.workflow.name in workflows)
        return self.model_copy(update={"runs": runs}) if workflows else self

    @property
    def failed_workflows(self) -> tuple[str, ...]:
        """The names of those that have ended, and failed."""
        over = (run.workflow for run in self.real_runs if run.workflow.is_finished)
        return tuple(one.name for one in over if one.status in RED_WORKFLOW_STATUSES)

    @property
    def only_setup(self) -> bool:
        """There is a setup workflow, and nothing yet of what it should have started; that is no part of a part."""
        return bool(self.runs) and not self.part_of and all(run.workflow.is_setup for run in self.runs)

    @property
    def is_refused(self) -> bool:
        """CircleCI does not take its configuration, or that with which its setup workflow went on.

        Its errors say so, whatever its state is called; beside a workflow that ran they are about something else.
        """
        without_any = not self.runs or (self.only_setup and self.workflows_finished)
        return self.pipeline.state == "errored" or (bool(self.pipeline.errors) and without_any)

    @property
    def can_be_cancelled(self) -> bool:
        """There is a workflow that has not ended: CircleCI cancels nothing else."""
        return any(not run.workflow.is_finished for run in self.runs)

    @property
    def workflows_finished(self) -> bool:
        """Every workflow seen so far has ended (more may still come)."""
        return bool(self.runs) and all(run.workflow.is_finished for run in self.runs)

    @property
    def started_at(self) -> datetime:
        """When the newest attempt began: the pipeline's start, or the start of its reruns."""
        again = [run.workflow.created_at for run in self.runs if run.attempt > 1]
        return min(again) if again else self.pipeline.created_at

    @property
    def stopped_at(self) -> datetime | None:
        """When the last workflow ended, if all have."""
        stops = [run.workflow.stopped_at for run in self.runs]
        known = [stop for stop in stops if stop is not None]
        return max(known) if self.workflows_finished and known else None

    @property
    def elapsed(self) -> timedelta:
        """How long this attempt has taken so far or took; never negative."""
        return max((self.stopped_at or self.read_at) - self.started_at, timedelta(0))

    @property
    def on_hold(self) -> timedelta:
        """How much of `elapsed` it waited for people, while nothing of it ran."""
        until = self.stopped_at or self.read_at
        waited = (span for run in self.runs for span in holds.waited(run.workflow, run.jobs, until))
        ran = (span for run in self.runs for span in holds.ran(run.jobs, until))
        return holds.without(waited, ran, holds.Span(self.started_at, until))

    @property
    def on_hold_since(self) -> datetime | None:
        """Since when the first of its open approvals could be given."""
        since = [holds.open_since(job, run.workflow, run.jobs) for run in self.runs for job in run.holds]
        return min((one for one in since if one is not None), default=None)

    @property
    def moved_at(self) -> datetime:
        """When anything in it last began or ended, as far as CircleCI says."""
        times = [self.pipeline.created_at]
        for run in self.runs:
            times += [run.workflow.created_at, run.workflow.stopped_at or run.workflow.created_at]
            times += [moment for job in run.jobs for moment in (job.started_at, job.stopped_at) if moment is not None]
        return max(times)

    @property
    def quiet(self) -> timedelta:
        """For how long nothing has happened in it; never negative."""
        return max(self.read_at - self.moved_at, timedelta(0))

    @property
    def never_began(self) -> bool:
        """No workflow of it has begun, and so late none will: none may match a branch, or what was changed."""
        is_late = self.quiet > CONTINUES_WITHIN and self.pipeline.state not in READING_STATES
        return not self.runs and (self.is_refused or is_late)

    @property
    def ran_none(self) -> bool:
        """It has workflows, and none of them was to run."""
        return bool(self.runs) and all(run.workflow.status == "not_run" for run in self.real_runs)

    @property
    def has_failed_on_hold(self) -> bool:
        """A workflow has failed, and nothing runs: each other one is over, or waits for a person."""
        statuses = {run.workflow.status for run in self.real_runs}
        is_still = statuses <= {*TERMINAL_WORKFLOW_STATUSES, State.ON_HOLD}
        return is_still and State.ON_HOLD in statuses and bool(statuses & RED_WORKFLOW_STATUSES)

    @property
    def without_holds(self) -> Self:
        """It with the workflows alone that wait for nobody."""
        return self.model_copy(update={"runs": tuple(run for run in self.runs if run.workflow.status != State.ON_HOLD)})

    @property
    def is_red(self) -> bool:
        """Something has failed already, finished or not."""
        return any(run.workflow.status in RED_WORKFLOW_STATUSES or run.failed_jobs for run in self.real_runs)

    @property
    def fingerprint(self) -> str:
        """Names this attempt: a rerun changes it, a poll does not."""
        return ",".join(sorted(run.workflow.id for run in self.runs)) or "no-workflow"

    @property
    def reruns(self) -> int:
        """How often workflows of it have run again."""
        return sum(run.attempt - 1 for run in self.runs)

    @property
    def mark(self) -> str:
        """The same, short enough for a button."""
        return mark_of(self.fingerprint)

    @property
    def state(self) -> State:
        """Return the worst of the workflows' outcomes, https://circleci.com/docs/workflows/#workflow-states ."""
        if self.is_refused or self.never_began:
            return State.COULD_NOT_RUN
        statuses = {run.workflow.status for run in self.real_runs}
        if not statuses:
            return State.WAITING
        worst = _worst(statuses, superseded=self.superseded_by is not None)
        if worst is not State.PASSED:
            return worst
        return self._after_setup if self.only_setup else State.COULD_NOT_RUN if self.pipeline.errors else worst

    @property
    def was_cancelled_by_nobody(self) -> bool:
        """Say whether CircleCI cancelled it by itself, as where auto-cancel lets a newer pipeline take its place."""
        cancelled = [run.workflow for run in self.real_runs if run.workflow.status == "canceled"]
        return self.state is State.CANCELED and any(not one.canceled_by for one in cancelled)

    def replaced_by(self, newest: int) -> Self:
        """Return it with the number of the newest pipeline of its branch, where that took its place."""
        took_its_place = self.was_cancelled_by_nobody and newest > self.pipeline.number
        return self.model_copy(update={"superseded_by": newest}) if took_its_place else self

    @property
    def outcome(self) -> State:
        """Return the state of a build of which it is sure that nothing more comes: what is still open could not run."""
        return State.COULD_NOT_RUN if self.state in OPEN_STATES else self.state

    @property
    def _after_setup(self) -> State:
        """Return what a setup workflow that passed means: what it should start may come, or has not come."""
        waited = self.read_at - (self.stopped_at or self.read_at)
        return State.WAITING if waited < CONTINUES_WITHIN else State.COULD_NOT_RUN


def _worst(statuses: set[str], *, superseded: bool) -> State:
    if statuses & {"running", "failing"}:
        return State.RUNNING
    if statuses - TERMINAL_WORKFLOW_STATUSES - ACTIVE_WORKFLOW_STATUSES:
        return State.UNKNOWN
    if "on_hold" in statuses:
        return State.ON_HOLD
    if "queued" in statuses:
        return State.WAITING
    if "failed" in statuses:
        return State.FAILED
    if statuses & {"error", "unauthorized"}:
        return State.COULD_NOT_RUN
    if "canceled" in statuses:
        return State.SUPERSEDED if superseded else State.CANCELED
    return State.PASSED if "success" in statuses else State.COULD_NOT_RUN


class ChangeKind(StrEnum):
    """What a poll can find that changes what someone would do."""

    JOB_FAILED = "job_failed"
    ON_HOLD = "on_hold"
    LATE = "late"  # a workflow that began after its thread had been told the end
    RERUN = "rerun"  # a newer run of a workflow, by a person outside Slack or by CircleCI itself
    UNKNOWN_STATUS = "unknown_status"


class Change(Model):
    """One thing a poll found new; `key` is the same on every poll that sees it."""

    kind: ChangeKind
    workflow: Workflow
    job: Job | None = None
    attempt: int = 1

    @property
    def key(self) -> str:
        """Names the change, so that each thread is told once."""
        if self.kind is ChangeKind.RERUN:
            return rerun_key(self.workflow.name, self.attempt)
        return f"{self.kind}:{self.job.id if self.job else self.workflow.id}"


def mark_of(fingerprint: str) -> str:
    """Return a short name for an attempt."""
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:12]


def rerun_key(workflow_name: str, attempt: int) -> str:
    """Names the `attempt`-th run of a workflow, which may be told before CircleCI shows it."""
    return f"{ChangeKind.RERUN}:{workflow_name}:{attempt}"


def approved_key(job_id: str) -> str:
    """Names the approval of a job that was given here, and told by whom."""
    return f"approved:{job_id}"


def approval_claim(workflow_id: str, approval_request_id: str | None) -> str:
    """Name what whoever approves a job here claims."""
    return f"approve:{workflow_id}:{approval_request_id}"


class FailingStep(Model):
    """The step that failed in one job: `indexes` are its failing containers, of `parallelism`.

    `lines` are those of its log that tell why, or its last ones, cleaned; `log_shortened` says that there were more.
    `cause` names the trouble with the infrastructure that they speak of.
    """

    name: str
    status: str = "failed"
    exit_code: int | None = None
    run_time: timedelta | None = None
    indexes: tuple[int, ...] = ()
    parallelism: int = 1
    lines: tuple[str, ...] = ()
    log_shortened: bool = False
    cause: str = ""


class JobReport(Model):
    """What was found out about one failed job; `problems` are short sentences about what could not be read.

    `failed_tests` are the first of the `tests_failed`, each once; `flaky_tests` passed when they were tried again. With
    `more_tests` and `more_artifacts` there are more than were read. `reasons` are CircleCI's own words about a job of
    which no step is to blame.
    """

    job: Job
    workflow_name: str
    failed_tests: tuple[TestResult, ...] = ()
    tests_failed: int = 0
    tests_total: int = 0
    more_tests: bool = False
    flaky_tests: tuple[TestResult, ...] = ()
    step: FailingStep | None = None
    reasons: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    more_artifacts: bool = False
    problems: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """CircleCI says why it did not run it: no step is to blame, nor a machine that was lost."""
        return bool(self.reasons) and self.step is None and self.job.status == "failed"


class Report(Model):
    """The evidence under a final reply; `jobs_left_out` failed too, but were not looked into."""

    @property
    def tests_failed(self) -> int:
        """How many tests failed in the jobs looked into."""
        return sum(job.tests_failed for job in self.jobs)

    @property
    def tests_total(self) -> int:
        """How many tests were read of the jobs looked into."""
        return sum(job.tests_total for job in self.jobs)

    @property
    def more_tests(self) -> bool:
        """There are more than were read."""
        return any(job.more_tests for job in self.jobs)

    @property
    def signature(self) -> str:
        """Names the failure: the same jobs, tests, steps and reasons have the same one.

        Empty text where of a job nothing is known but that it failed.
        """
        if self.jobs_left_out or not all(job.failed_tests or job.step or job.reasons for job in self.jobs):
            return ""
        parts = [
            f"{job.job.name}|{job.step.name if job.step else job.reasons}|{test.file}|{test.classname}|{test.name}"
            for job in self.jobs
            for test in job.failed_tests or (TestResult(),)
        ]
        return hashlib.sha256("\n".join(sorted(parts)).encode(errors="replace")).hexdigest()[:16] if parts else ""

    jobs: tuple[JobReport, ...] = ()
    jobs_left_out: tuple[Job, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    more_artifacts: bool = False
    artifacts_problem: str = ""


class Ended(Model):
    """A build at its end, with what was found out about it."""

    build: Build
    report: Report


class Shipment(Model):
    """What a deploy would ship, as far as CircleCI has built it: newest first, since the last `green` one.

    Of an act on a build that is what was `built`.
    """

    commits: tuple[Pipeline, ...] = ()
    green: Pipeline | None = None
    built: Pipeline | None = None


class Snapshot(Model):
    """What is known of a watched pipeline between two looks.

    `finished_since` is when this `fingerprint` was first seen finished, by CircleCI's clock. `waits_since` is since
    when it has waited for its turn, by ours, and `has_news` that somebody asked for that look. `failures` counts the
    looks in a row that came to nothing, since `unread_since` by our clock; of those `gone` the last ones that CircleCI
    answered with not knowing it, and `broken` those that failed because of ourselves.
    """

    build: Build | None = None
    fingerprint: str = ""
    finished_since: datetime | None = None
    failures: int = 0
    waits_since: datetime | None = None
    has_news: bool = False
    unread_since: datetime | None = None
    gone: int = 0
    broken: int = 0
