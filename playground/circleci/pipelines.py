"""How a pipeline's workflows and jobs stand: a function of their plan, the clock and what people did."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from playground.circleci.scenarios import JobPlan, Scenario, WorkflowPlan

CANCEL_TAKES = timedelta(seconds=2)
AUTO_RERUN_PAUSE = timedelta(seconds=10)
FAILED = frozenset({"failed", "timedout", "infrastructure_fail", "unauthorized"})
Json = dict[str, Any]
Times = tuple[datetime | None, datetime | None]


@dataclass
class Run:
    """One run of a workflow; `approvals` and `canceled_at` are what people did to it."""

    id: str
    plan: WorkflowPlan
    created_at: datetime
    job_ids: dict[str, str]
    auto_rerun_number: int = 0
    approvals: dict[str, datetime] = field(default_factory=dict)
    canceled_at: datetime | None = None
    canceled_by: str | None = None
    job_numbers: dict[str, int] = field(default_factory=dict)
    ssh: bool = False
    _reckoned: tuple[tuple[object, ...], dict[str, Times]] = field(default=((), {}), init=False, repr=False)

    def job(self, name: str) -> JobPlan:
        """Return the plan of a job."""
        return next(job for job in self.plan.jobs if job.name == name)

    def start(self, job: JobPlan) -> datetime | None:
        """Return when the job starts, None when something before it never passes."""
        return self._times[job.name][0]

    def end(self, job: JobPlan) -> datetime | None:
        """Return when the job ends by itself, None while a person decides."""
        return self._times[job.name][1]

    @property
    def _times(self) -> dict[str, Times]:
        """When each job starts and ends; reckoned anew only when a person has decided something."""
        known = (self.created_at, id(self.plan), *self.approvals.items())
        if self._reckoned[0] != known:
            times: dict[str, Times] = {}
            for job in self.plan.jobs:
                self._reckon(job, times)
            self._reckoned = known, times
        return self._reckoned[1]

    def _reckon(self, job: JobPlan, times: dict[str, Times]) -> Times:
        if job.name not in times:
            start = self._ready([(one, self._reckon(one, times)[1]) for one in map(self.job, job.requires)])
            by_itself = None if start is None else start + timedelta(seconds=job.seconds)
            times[job.name] = start, self.approvals.get(job.name) if job.approval else by_itself
        return times[job.name]

    def _ready(self, before: list[tuple[JobPlan, datetime | None]]) -> datetime | None:
        """Return when all that comes before has passed, None where something never does."""
        ends = [self.created_at + timedelta(seconds=1)]
        for job, end in before:
            if end is None or job.ends != "success":
                return None
            ends.append(end)
        return max(ends)

    def is_canceled(self, now: datetime) -> bool:
        """Say whether a cancel has taken effect."""
        return self.canceled_at is not None and now >= self.canceled_at

    def status_of(self, job: JobPlan, now: datetime) -> str:
        """Return a job's status as CircleCI spells it."""
        start, end = self.start(job), self.end(job)
        seen = min(now, self.canceled_at) if self.canceled_at else now
        if start is not None and end is not None and seen >= end:
            return job.ends
        if self.is_canceled(now):
            return "canceled"
        if start is None:
            return "not_run" if self._is_over(now) and not self._waits_for_hold(job) else "blocked"
        if now < start:
            return "blocked" if job.requires else "queued"
        return "on_hold" if job.approval else "running"

    def status(self, now: datetime) -> str:
        """Return the workflow's status."""
        if self.plan.forced and now < self.created_at + timedelta(seconds=self.plan.forced[1]):
            return self.plan.forced[0]
        if self.is_canceled(now) and self._stop(self.canceled_at) is None:
            return "canceled"
        red = any(self.status_of(job, now) in FAILED for job in self.plan.jobs)
        if not self._is_over(now):
            return "failing" if red else "running"
        if any(self.status_of(job, now) == "on_hold" for job in self.plan.jobs):
            return "on_hold"
        if any(self.status_of(job, now) == "unauthorized" for job in self.plan.jobs):
            return "unauthorized"
        return "failed" if red else self.plan.jobs[0].ends if len(self.plan.jobs) == 1 else "success"

    def stopped_at(self, now: datetime) -> datetime | None:
        """Return when it ended, None while it has not."""
        if self.is_canceled(now) and self.status(now) == "canceled":
            return self.canceled_at
        return self._stop(now) if self.status(now) in ("success", *FAILED, "not_run") else None

    def _waits_for_hold(self, job: JobPlan) -> bool:
        names = [self.job(name) for name in job.requires]
        return any((one.approval and self.end(one) is None) or self._waits_for_hold(one) for one in names)

    def _is_over(self, now: datetime) -> bool:
        """Say whether nothing runs, nor will run by itself."""
        for job in self.plan.jobs:
            start, end = self.start(job), self.end(job)
            if start is not None and (now < start or (not job.approval and (end is None or now < end))):
                return False
        return True

    def _stop(self, now: datetime | None) -> datetime | None:
        """Return when the last job ended, if that is before `now`, and none waits for a person."""
        if any(job.approval and self.start(job) is not None and self.end(job) is None for job in self.plan.jobs):
            return None
        ends = [end for job in self.plan.jobs if (end := self.end(job)) is not None]
        return max(ends) if ends and now and max(ends) <= now and self._is_over(now) else None


@dataclass
class Pipeline:
    """A pipeline with the runs it has had, oldest first."""

    id: str
    number: int
    slug: str
    created_at: datetime
    scenario: Scenario
    branch: str | None
    tag: str | None
    revision: str
    parameters: Json
    by: str
    runs: list[Run] = field(default_factory=list)
    superseded: bool = False
    review_id: str = ""  # the pull request it was started for
    fork: str = ""  # whose code it is, where that is another repository

    def visible_runs(self, now: datetime) -> list[Run]:
        """Return the runs CircleCI shows by now, newest first."""
        return sorted((run for run in self.runs if run.created_at <= now), key=lambda run: run.created_at, reverse=True)

    def state(self, now: datetime) -> str:
        """Return the pipeline's own state, which never says running or success."""
        age = (now - self.created_at).total_seconds()
        if age < 2:
            return "pending"
        if self.error(now):
            return "errored" if self.scenario.errored else "created"
        waits = any(run.plan.setup for run in self.runs) and any(run.created_at > now for run in self.runs)
        return "setup" if waits else "created"

    def error(self, now: datetime) -> str:
        """Return what is wrong with its configuration, as far as it is known by now."""
        if self.scenario.config_error:
            return self.scenario.config_error
        over = all(run.stopped_at(now) for run in self.runs)
        return self.scenario.continuation_error if over else ""

    def is_away(self, now: datetime) -> bool:
        """Say whether CircleCI answers nothing about it just now."""
        age = (now - self.created_at).total_seconds()
        return self.scenario.outage is not None and self.scenario.outage[0] <= age < self.scenario.outage[1]
