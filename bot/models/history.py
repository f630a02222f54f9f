"""What earlier builds were, and how today's stands to them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from bot.models.build import Run
from bot.models.circleci import RED_WORKFLOW_STATUSES, Job, Pipeline, TestResult, WorkflowId
from bot.models.fields import Model, Prose, Time

TESTED_STATUSES = frozenset({"success", "failed", "timedout", "infrastructure_fail"})


class Lane(NamedTuple):
    """What can be compared: two workflows of one build may each have a job of the same name."""

    workflow: str
    job: str


class PastBuild(Model):
    """A pipeline whose workflows have ended: every attempt of each, oldest first, setup workflows left out."""

    pipeline: Pipeline
    runs: tuple[Run, ...] = ()

    @property
    def newest(self) -> tuple[Run, ...]:
        """The last attempt of each workflow, which decides."""
        return tuple({run.workflow.name: run for run in self.runs}.values())

    @property
    def is_red(self) -> bool:
        """Some workflow ended badly, reruns included."""
        return any(run.workflow.status in RED_WORKFLOW_STATUSES for run in self.newest)

    @property
    def is_green(self) -> bool:
        """Every workflow passed in the end."""
        return bool(self.runs) and all(run.workflow.status in ("success", "not_run") for run in self.newest)

    @property
    def ran(self) -> Iterator[tuple[Lane, Job]]:
        """The jobs that ran, each once: a rerun from failed lists those that had passed again."""
        seen = set[object]()
        for run in self.runs:
            for job in run.jobs:
                if job.type != "approval" and job.job_number is not None and job.job_number not in seen:
                    seen.add(job.job_number)
                    yield Lane(run.workflow.name, job.name), job

    @property
    def jobs(self) -> Iterator[Job]:
        """The same jobs, whatever their workflow."""
        return (job for _, job in self.ran)


class Listed(Model):
    """Some of a branch's pipelines, newest first, without a gap."""

    pipelines: tuple[Pipeline, ...] = ()


class JobResults(Model):
    """The test results of one finished job, as they are kept: they never change.

    `failed` are those that failed, their messages cut; `failed_keys` and `passed` the keys of those that failed and
    passed, between blanks; `total` counts both and the skipped. `is_whole` says that every page was read, `edition`
    how the keys were made.
    """

    failed: tuple[TestResult, ...] = ()
    failed_keys: str = ""
    passed: str = ""
    total: int = 0
    is_whole: bool = True
    edition: int = 1

    @property
    def is_mass(self) -> bool:
        """So much failed at once that it says nothing about a single test: a database was away, or the like."""
        return len(self.failed) > 10 and 5 * len(self.failed) > self.total


class Seen(Model):
    """One test (or one job) of a workflow in one build: how many of its attempts it failed and passed in."""

    number: int
    workflow: str = ""
    revision: str = ""
    at: datetime
    failed: int = 0
    passed: int = 0

    @property
    def is_red(self) -> bool:
        """It never passed there."""
        return self.failed > 0 and self.passed == 0


class Turn(StrEnum):
    """How a build stands to the last finished one of the same workflow on its branch."""

    BROKE = "broke"
    STILL_BROKEN = "still_broken"
    FIXED = "fixed"
    STILL_GREEN = "still_green"


class Transition(Model):
    """Broke, still broken for the `times`-th time since pipeline `since`, or fixed after `times` red builds.

    Of the pipeline before, the number: in `same_as` where it failed in exactly the same way, in `unlike` where nothing
    of what failed there fails now, in `same_commit_as` where it built the same commit. `workflow` names the one that
    turned, where the builds as wholes did otherwise.
    """

    turn: Turn
    workflow: str = ""
    times: int = 0
    since: int | None = None
    same_as: int | None = None
    unlike: int | None = None
    same_commit_as: int | None = None


class Fewer(Model):
    """A job that passed with far fewer test results than it had when it failed: what failed may not have run."""

    job_name: str
    before: int
    now: int


class Turned(Model):
    """A row of `red` builds: its `first`, the `newest`, and the last `green` one before it, if that was looked at."""

    first: PastBuild
    newest: PastBuild
    red: int
    green: PastBuild | None = None


class Advice(StrEnum):
    """What the evidence says to press; of several the first counts."""

    OPEN_COMMIT = "open_commit"
    WAIT = "wait"
    LOOK = "look"  # no evidence for any of the others
    RERUN = "rerun"


class Extent(Model):
    """How much was looked at: `builds` of the `base` branch and of this one, and in how many there was data."""

    base: str
    builds: int = 0
    with_data: int = 0
    unread: int = 0


class Flake(Model):
    """A test that failed now and then: its `seen` builds newest first, of the job named.

    `last_pipeline_number`, `last_workflow_id` and `last_job_number` name the job run it made fail last.
    """

    test: TestResult
    job_name: str
    seen: tuple[Seen, ...]
    flips: int
    low: float
    high: float
    last_pipeline_number: int
    last_workflow_id: WorkflowId
    last_job_number: int
    wasted: timedelta
    since: int | None = None

    @property
    def failed(self) -> int:
        """In how many builds it failed."""
        return sum(one.failed > 0 for one in self.seen)

    @property
    def commits(self) -> int:
        """On how many different commits it failed without passing there too."""
        return len({one.revision or str(one.number) for one in self.seen if one.is_red})


class Insight(Model):
    """What CircleCI's own insight says of a flaky test, https://circleci.com/docs/api/v2/ ."""

    test_name: Prose = ""
    classname: Prose = ""
    file: Prose = ""
    job_name: Prose = ""
    times_flaked: int = 0
    workflow_created_at: Time | None = None
