"""CircleCI's nouns as it spells them: frozen, and tolerant of what is new.

Fields are described at https://circleci.com/docs/api/v2/ . Statuses are open strings, because new ones appear without
notice and must never end a watch.
"""

from datetime import timedelta
from typing import Annotated, NewType

import regex
from pydantic import (
    BeforeValidator,
    Field,
    field_serializer,
)

from bot.masks import masked
from bot.models import git
from bot.models.fields import Milliseconds, Model, Prose, Seconds, Text, Time, Words

ProjectSlug = NewType("ProjectSlug", str)
PipelineId = NewType("PipelineId", str)
WorkflowId = NewType("WorkflowId", str)
JobId = NewType("JobId", str)


# https://circleci.com/docs/workflows/#workflow-states
TERMINAL_WORKFLOW_STATUSES = frozenset({"success", "failed", "error", "canceled", "unauthorized", "not_run"})
ACTIVE_WORKFLOW_STATUSES = frozenset({"running", "failing", "on_hold", "queued"})
RED_WORKFLOW_STATUSES = frozenset({"failed", "failing", "error", "unauthorized"})

TERMINAL_JOB_STATUSES = frozenset(
    {
        *("success", "failed", "canceled", "not_run", "retried", "infrastructure_fail", "timedout"),
        *("terminated-unknown", "unauthorized"),
    }
)
FAILED_JOB_STATUSES = frozenset({"failed", "infrastructure_fail", "timedout", "terminated-unknown", "unauthorized"})
RUNNING_JOB_STATUSES = frozenset({"running", "queued", "not_running"})
PASSED_TEST_RESULTS = frozenset({"success", "skipped"})


def _items(value: object) -> object:
    return () if value is None else value


def _repository(url: str) -> str:
    """Return a repository's address without what spells the same one otherwise: scheme, user, case and `.git`."""
    behind_scheme = url.casefold().rpartition("://")[2]
    return behind_scheme.rpartition("@")[2].replace(":", "/").rstrip("/").removesuffix(".git")


class Commit(Model):
    """The commit a pipeline was started on; every leaf may be missing."""

    subject: Prose = ""
    body: Prose = ""


class Vcs(Model):
    """Where the code came from; absent on standalone projects."""

    branch: Text = ""
    tag: Text = ""
    revision: Text = ""
    commit: Commit | None = None
    origin_repository_url: Prose = ""
    target_repository_url: Prose = ""
    review_id: Text = ""
    review_url: Prose = ""

    @property
    def is_of_fork(self) -> bool:
        """Say whether the code is another repository's: what it calls a branch is none of the project's."""
        places = {_repository(self.origin_repository_url), _repository(self.target_repository_url)}
        return "" not in places and len(places) > 1

    @property
    def ref(self) -> "Ref | None":
        """The branch or tag it names; a fork's names are the fork's own, and the pull request is what we know it by.

        Where CircleCI names none, the name is one that no branch of ours can have: the worst is taken of it.
        """
        if not self.is_of_fork:
            return Ref(name=self.tag, kind="tag") if self.tag else Ref(name=self.branch) if self.branch else None
        number = git.pull_request(self.branch)
        if self.review and self.review != number:
            return Ref(name=f"pull/{self.review}")
        return Ref(name=self.branch if number else f"{self.owner}:{self.tag or self.branch}")

    @property
    def review(self) -> str:
        """The number of the pull request, where CircleCI gives one."""
        return self.review_id if git.pull_request(f"pull/{self.review_id}") == self.review_id else ""

    @property
    def owner(self) -> str:
        """Whose repository the code is from, `eve/frontend`."""
        return "/".join(_repository(self.origin_repository_url).split("/")[-2:])


class PipelineError(Model):
    """Why a pipeline has no workflows: `type` is config, config-fetch, plan and others."""

    type: Prose = ""
    message: Prose = ""


class Ref(Model):
    """A branch or a tag, exactly as the repository spells it; CircleCI calls the code of a pull request a branch."""

    name: str
    kind: str = "branch"

    @property
    def is_tag(self) -> bool:
        """Say whether this names a tag."""
        return self.kind == "tag"

    @property
    def pull_request(self) -> str:
        """The number of the pull request whose code this is; empty text for branches and tags."""
        return "" if self.is_tag else git.pull_request(self.name)

    @property
    def is_proper(self) -> bool:
        """Say whether git takes such a name: of what CircleCI reports under another, nobody can tell what it is."""
        return not git.fault(self.name)

    @property
    def spellings(self) -> tuple["Ref", ...]:
        """This ref, then the other names of the same pull request."""
        number = self.pull_request
        names = (f"pull/{number}", f"pull/{number}/head", f"pull/{number}/merge") if number else ()
        return tuple(dict.fromkeys((self, *(Ref(name=name) for name in names))))

    def means(self, other: "Ref | None") -> bool:
        """Say whether both name the same code, however they name its pull request."""
        return other is not None and other in self.spellings

    def __str__(self) -> str:
        return f"tag:{self.name}" if self.is_tag else self.name


class _GitParameters(Model):
    branch: Text = ""
    tag: Text = ""
    checkout_sha: Text = ""
    commit_title: Prose = ""

    @property
    def ref(self) -> Ref | None:
        """The branch or tag it names."""
        return Ref(name=self.tag, kind="tag") if self.tag else Ref(name=self.branch) if self.branch else None


class _TriggerParameters(Model):
    git: _GitParameters = _GitParameters()


class _Actor(Model):
    login: Prose = ""


class _Trigger(Model):
    type: Prose = ""
    actor: _Actor = _Actor()


class Pipeline(Model):
    """A pipeline; `state` never says running or success (`Build.state` does)."""

    id: PipelineId
    number: int
    project_slug: ProjectSlug
    state: Prose = ""
    errors: Annotated[tuple[PipelineError, ...], BeforeValidator(_items)] = ()
    created_at: Time
    vcs: Vcs | None = None
    trigger_parameters: _TriggerParameters | None = None
    trigger: _Trigger | None = None

    @property
    def actor(self) -> str:
        """Who pushed or asked for it, by their name at the code host; or empty text."""
        return self.trigger.actor.login if self.trigger else ""

    @property
    def was_pushed(self) -> bool:
        """Say whether a push to the code host began it, and not somebody at CircleCI or through its API."""
        return self.trigger is not None and self.trigger.type == "webhook"

    @property
    def ref(self) -> Ref | None:
        """The branch or tag it runs on, where CircleCI says; that of a fork is the pull request (`Vcs.ref`)."""
        return (self.vcs or Vcs()).ref or self._git.ref

    @property
    def revision(self) -> str:
        """The full commit hash, or empty text."""
        return (self.vcs or Vcs()).revision or self._git.checkout_sha

    @property
    def subject(self) -> str:
        """The first line of the commit message, or empty text."""
        commit = self.vcs.commit if self.vcs else None
        return (commit.subject if commit else "") or self._git.commit_title

    def code_of(self, pull_request: int) -> Ref | None:
        """Return the branch this ran on if it is that of a pull request; None for another one's, and for none."""
        ref, vcs = self.ref, self.vcs or Vcs()
        if ref is None or ref.is_tag:
            return None
        if ref.pull_request:
            return Ref(name=f"pull/{pull_request}") if ref.pull_request == str(pull_request) else None
        return ref if vcs.review_id == str(pull_request) else None

    @property
    def review(self) -> str:
        """The number of the pull request that it is about, where CircleCI or the name of its branch tells; or ""."""
        return (self.vcs or Vcs()).review_id or (self.ref.pull_request if self.ref else "")

    @property
    def _git(self) -> _GitParameters:
        return self.trigger_parameters.git if self.trigger_parameters else _GitParameters()


class TriggeredPipeline(Model):
    """CircleCI's 201 to a trigger; nothing may be running yet, or ever."""

    id: PipelineId
    number: int
    state: Prose = ""
    created_at: Time


class Workflow(Model):
    """One run of a named workflow; a rerun is a new one under the same pipeline."""

    id: WorkflowId
    name: Words
    status: Words
    created_at: Time
    stopped_at: Time | None = None
    tag: Text = ""
    canceled_by: Text = ""
    started_by: Text = ""
    auto_rerun_number: int | None = None
    max_auto_reruns: int | None = None

    @property
    def is_finished(self) -> bool:
        """Nothing more will happen in it."""
        return self.status in TERMINAL_WORKFLOW_STATUSES

    @property
    def is_setup(self) -> bool:
        """A setup workflow only computes the configuration of the real ones."""
        return self.tag == "setup"

    @property
    def may_rerun_itself(self) -> bool:
        """CircleCI has automatic reruns left for this failed run."""
        return self.status == "failed" and (self.max_auto_reruns or 0) > (self.auto_rerun_number or 0)


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
    dependencies: Annotated[tuple[Words, ...], BeforeValidator(_items)] = ()

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
    parallel_runs: Annotated[tuple[ParallelRun, ...], BeforeValidator(_items)] = ()
    messages: Annotated[tuple[JobMessage, ...], BeforeValidator(_items)] = ()


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
    actions: Annotated[tuple[Action, ...], BeforeValidator(_items)] = ()


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
    status: Prose = ""
    lifecycle: Prose = ""
    dont_build: Prose = ""
    fail_reason: Prose = ""
    messages: Annotated[tuple[JobMessage, ...], BeforeValidator(_items)] = ()
    steps: Annotated[tuple[Step, ...], BeforeValidator(_items)] = ()

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


class VcsInfo(Model):
    """A project's repository."""

    vcs_url: Text = ""
    default_branch: Text = ""
    provider: Prose = ""


class Project(Model):
    """A project; `slug` is the canonical spelling of what was asked for."""

    id: Text = ""
    slug: ProjectSlug
    name: Prose = ""
    organization_name: Prose = ""
    vcs_info: VcsInfo = VcsInfo()

    @property
    def title(self) -> str:
        """What people call it, `acme/frontend`."""
        return f"{self.organization_name}/{self.name}" if self.organization_name else self.name or self.slug

    @property
    def default_branch(self) -> str:
        """The branch that is meant where none is named; CircleCI does not always say which."""
        return self.vcs_info.default_branch or "main"


class Definition(Model):
    """A pipeline definition: which configuration file to run."""

    id: str
    name: Prose = ""


class Collaboration(Model):
    """An organisation that the token's user belongs to."""

    id: Text = ""
    slug: Text = ""
    name: Prose = ""


class Webhook(Model):
    """An outbound webhook of a project; its secret comes back masked."""

    id: Text = ""
    name: Prose = ""
    url: Text = ""


class User(Model):
    """Whom the token belongs to."""

    id: Text = ""
    login: Prose = ""
    name: Prose = ""


def made_of_ids(slug: str) -> bool:
    """Say whether a slug names a project by ids that tell people nothing, as those of the GitHub App do."""
    return slug.startswith("circleci/")
