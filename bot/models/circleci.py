"""CircleCI's nouns as it spells them: frozen, and tolerant of what is new. Here pipelines and their workflows.

Fields are described at https://circleci.com/docs/api/v2/ . Statuses are open strings, because new ones appear without
notice and must never end a watch. Its other nouns are read through here as well.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field

from bot.models import git
from bot.models.account import (
    Collaboration,
    Definition,
    Project,
    User,
    VcsInfo,
    Webhook,
    made_of_ids,
    told_apart,
)
from bot.models.fields import Model, Prose, Text, Time, Words
from bot.models.jobs import (
    Action,
    Artifact,
    ClassicBuild,
    Job,
    JobDetails,
    JobMessage,
    ParallelRun,
    Place,
    Step,
    TestResult,
)
from bot.models.names import (
    ACTIVE_WORKFLOW_STATUSES,
    FAILED_JOB_STATUSES,
    PASSED_TEST_RESULTS,
    RED_WORKFLOW_STATUSES,
    RUNNING_JOB_STATUSES,
    TERMINAL_JOB_STATUSES,
    TERMINAL_WORKFLOW_STATUSES,
    JobId,
    PipelineId,
    ProjectSlug,
    WorkflowId,
    items,
)

__all__ = [
    "ACTIVE_WORKFLOW_STATUSES",
    "FAILED_JOB_STATUSES",
    "PASSED_TEST_RESULTS",
    "RED_WORKFLOW_STATUSES",
    "RUNNING_JOB_STATUSES",
    "TERMINAL_JOB_STATUSES",
    "TERMINAL_WORKFLOW_STATUSES",
    "Action",
    "Artifact",
    "Author",
    "ClassicBuild",
    "Collaboration",
    "Commit",
    "Definition",
    "Job",
    "JobDetails",
    "JobId",
    "JobMessage",
    "ParallelRun",
    "Pipeline",
    "PipelineError",
    "PipelineId",
    "Place",
    "Project",
    "ProjectSlug",
    "Ref",
    "Step",
    "TestResult",
    "TriggeredPipeline",
    "User",
    "Vcs",
    "VcsInfo",
    "Webhook",
    "Workflow",
    "WorkflowId",
    "made_of_ids",
    "told_apart",
]


def _repository(url: str) -> str:
    """Return a repository's address without what spells the same one otherwise: scheme, user, case and `.git`."""
    behind_scheme = url.casefold().rpartition("://")[2]
    return behind_scheme.rpartition("@")[2].replace(":", "/").rstrip("/").removesuffix(".git")


class Author(Model):
    """Who made a commit, by the address that they gave git."""

    email: Text = Field("", repr=False)


class Commit(Model):
    """The commit a pipeline was started on; every leaf may be missing."""

    subject: Prose = ""
    body: Prose = ""
    author: Author | None = None


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
    def code(self) -> str:
        """The name of its code, one for all names of a pull request."""
        return f"pull/{self.pull_request}" if self.pull_request else str(self)

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

    @property
    def said(self) -> str:
        """What to call it where a build may be named too: a branch can be called `#2417`."""
        return f"branch {self}" if self.name.startswith("#") and not self.is_tag else str(self)

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


class _GitlabParameters(Model):
    commit_author_email: Text = Field("", repr=False)


class _TriggerParameters(Model):
    git: _GitParameters = _GitParameters()
    gitlab: _GitlabParameters | None = None


class _Actor(Model):
    login: Prose = ""


class _Trigger(Model):
    type: Prose = ""
    actor: _Actor = _Actor()


# Who wrote the commit has not begun what somebody else asked for, or a schedule.
_NOT_PUSHED = frozenset({"api", "explicit", "schedule", "scheduled_pipeline"})


class Pipeline(Model):
    """A pipeline; `state` never says running or success (`Build.state` does)."""

    id: PipelineId
    number: int
    project_slug: ProjectSlug
    state: Prose = ""
    errors: Annotated[tuple[PipelineError, ...], BeforeValidator(items)] = ()
    created_at: Time
    vcs: Vcs | None = None
    trigger_parameters: _TriggerParameters | None = None
    trigger: _Trigger | None = None

    @property
    def actor(self) -> str:
        """Who pushed or asked for it, by their name at the code host; or empty text."""
        return self.trigger.actor.login if self.trigger else ""

    @property
    def mail(self) -> str:
        """The address of who made the commit, where that was pushed and CircleCI says it; anybody gives git any."""
        if not self.may_be_pushed:
            return ""
        author = self.vcs.commit.author if self.vcs and self.vcs.commit else None
        gitlab = self.trigger_parameters.gitlab if self.trigger_parameters else None
        return (author.email if author else "") or (gitlab.commit_author_email if gitlab else "")

    @property
    def may_be_pushed(self) -> bool:
        """Say whether somebody may have begun it by a push, by all that CircleCI says."""
        return self.trigger is None or self.trigger.type not in _NOT_PUSHED

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
