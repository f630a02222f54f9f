"""A job as CircleCI spells it, and what it leaves: test results, artifacts, messages, steps. Tolerant of what is new.

Fields are described at https://circleci.com/docs/api/v2/ , those of steps at https://circleci.com/docs/api/v1/ .
"""

from datetime import timedelta
from typing import Annotated

import regex
from pydantic import BeforeValidator, Field, field_serializer

from bot.masks import masked
from bot.models.fields import Milliseconds, Model, Prose, Seconds, Text, Time, Words
from bot.models.names import FAILED_JOB_STATUSES, PASSED_TEST_RESULTS, TERMINAL_JOB_STATUSES, JobId, PipelineId, items


class Job(Model):
    """A job inside a workflow; `job_number` is missing until it starts."""

    id: JobId
    name: Words
    type: Prose = "build"
    status: Words
    job_number: int | None = None
    started_at: Time | None = None
    stopped_at: Time | None = None
    approval_request_id: Text = ""
    dependencies: Annotated[tuple[Words, ...], BeforeValidator(items)] = ()

    @property
    def is_failed(self) -> bool:
        """It ended badly, whoever is to blame."""
        return self.status in FAILED_JOB_STATUSES

    @property
    def is_finished(self) -> bool:
        """It will not change any more."""
        return self.status in TERMINAL_JOB_STATUSES

    @property
    def is_approval(self) -> bool:
        """It runs nothing, and is there to be approved."""
        return self.type == "approval"

    @property
    def waits_for_approval(self) -> bool:
        """Somebody has to press a button."""
        return self.is_approval and self.status == "on_hold"


class TestResult(Model):
    """One test case of a job's stored results; `result` is an open string (failure, failed, error, …)."""

    __test__ = False

    name: Prose = ""
    classname: Prose = ""
    file: Prose = ""
    result: Prose = ""
    message: Prose = ""
    run_time: Seconds = None

    @property
    def is_failed(self) -> bool:
        """Neither passed nor skipped."""
        return self.result not in PASSED_TEST_RESULTS


class Artifact(Model):
    """A stored file; `url` is used as given, never constructed. `job_name` is ours, for files of several jobs."""

    path: Prose = ""
    node_index: int = 0
    url: Text = ""
    job_name: Prose = ""

    @property
    def link(self) -> str:
        """Where people find it; nothing where the address itself would show a secret."""
        return self.url if masked(self.url) == self.url else ""

    @field_serializer("url")
    def _kept(self, _url: str) -> str:
        return self.link


class ParallelRun(Model):
    """One container of a job; `index` counts from 0."""

    index: int
    status: Prose = ""


# https://circleci.com/docs/api/v1/ : some messages hold a link as HTML.
_LINK = regex.compile(r"</?a\b[^<>]{0,1000}>", regex.IGNORECASE)


class JobMessage(Model):
    """Something CircleCI says about a job, such as a lost machine."""

    type: Prose = ""
    message: Prose = ""
    reason: Prose = ""

    @property
    def words(self) -> str:
        """What it says, or at least why."""
        return _LINK.sub("", self.message).strip() or self.reason


class _PipelineReference(Model):
    id: PipelineId


class JobDetails(Model):
    """What `GET /project/{slug}/job/{number}` adds to a job."""

    name: Prose = ""
    pipeline: _PipelineReference | None = None
    number: int
    status: Prose = ""
    web_url: Text = ""
    parallel_runs: Annotated[tuple[ParallelRun, ...], BeforeValidator(items)] = ()
    messages: Annotated[tuple[JobMessage, ...], BeforeValidator(items)] = ()


class Action(Model):
    """One container's run of a step (classic API); a timed-out one has `failed` null."""

    name: Prose = ""
    index: int = 0
    step: int = 0
    status: Prose = ""
    failed: bool | None = None
    timedout: bool | None = None
    infrastructure_fail: bool | None = None
    exit_code: int | None = None
    run_time_millis: Milliseconds = None
    auto_rerun_number: int | None = None
    has_output: bool = False
    # Whoever has this address reads the log without a token, and unmasked.
    output_url: Text = Field(default="", repr=False, exclude=True)

    @property
    def is_failed(self) -> bool:
        """It failed by any of the four ways CircleCI says so."""
        bad = {"failed", "timedout", "infrastructure_fail"}
        return bool(self.failed or self.timedout or self.infrastructure_fail) or self.status in bad

    @property
    def run_time(self) -> timedelta | None:
        """How long it ran, where known."""
        return None if self.run_time_millis is None else timedelta(milliseconds=self.run_time_millis)


class Step(Model):
    """A step of a job with one action per parallel container."""

    name: Prose = ""
    actions: Annotated[tuple[Action, ...], BeforeValidator(items)] = ()


class Place(Model):
    """Where a build of API v1.1 stands in API v2; empty for one outside of workflows."""

    job_name: Prose = ""
    workflow_name: Prose = ""
    workflow_id: Text = ""


def _place(value: object) -> object:
    return {} if value is None else value


class ClassicBuild(Model):
    """Job detail of API v1.1.

    `steps` is empty when the data has expired, and where the job failed before the first of them: then `messages` and
    `fail_reason` say why.
    """

    workflows: Annotated[Place, BeforeValidator(_place)] = Place()

    build_num: int
    branch: Prose = ""
    vcs_tag: Prose = ""
    status: Prose = ""
    lifecycle: Prose = ""
    dont_build: Prose = ""
    fail_reason: Prose = ""
    messages: Annotated[tuple[JobMessage, ...], BeforeValidator(items)] = ()
    steps: Annotated[tuple[Step, ...], BeforeValidator(items)] = ()

    @property
    def has_begun(self) -> bool:
        """It ran, or runs."""
        return bool(self.steps) or self.lifecycle not in ("queued", "scheduled", "not_running", "not_run", "")

    @property
    def is_running(self) -> bool:
        """It runs now."""
        return "running" in (self.lifecycle, self.status)

    @property
    def has_failing_step(self) -> bool:
        """One of its steps is to blame."""
        return any(action.is_failed for step in self.steps for action in step.actions)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What CircleCI itself says about it, each sentence once."""
        said = [*(one.words for one in self.messages), self.fail_reason, self.dont_build]
        return tuple(dict.fromkeys(one.strip() for one in said if one.strip()))
